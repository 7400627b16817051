"""What students and researchers write, in miniature: unchanged under PyTorch and under flambeau, the
same words and the same numbers.

Unlike `tests/scripts`, which keeps the expected text, these ask PyTorch itself, and share one start.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.programs.run import HERE, PROGRAMS, printed
from tests.scripts.test_scripts import assert_near

ROOT = HERE.parent.parent


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """What each program prints under flambeau."""
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore")
    run = subprocess.run(
        [sys.executable, "-m", "flambeau", str(HERE / "run.py")],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_prints_under_pytorch(name, ours, oracle):
    theirs = re.sub(r"0x[0-9a-f]+", "0x", printed(name))
    assert_near(re.sub(r"0x[0-9a-f]+", "0x", ours[name]), theirs)
