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

from tests.programs.run import HERE, PROGRAMS
from tests.scripts.test_scripts import assert_near

ROOT = HERE.parent.parent


def all_printed(*how: str) -> dict[str, str]:
    """What each program prints, in one process of its own: they set what stays set."""
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore")
    run = subprocess.run(
        [sys.executable, *how, str(HERE / "run.py")],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """What each program prints under flambeau."""
    return all_printed("-m", "flambeau")


@pytest.fixture(scope="module")
def theirs() -> dict[str, str]:
    """What each program prints under PyTorch."""
    return all_printed()


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_prints_under_pytorch(name, oracle, ours, theirs):
    ours, theirs = (re.sub(r"0x[0-9a-f]+", "0x", printed[name]) for printed in (ours, theirs))
    assert_near(ours, theirs)
