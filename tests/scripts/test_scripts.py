"""Every script of this folder prints under `python -m flambeau` what it prints under PyTorch.

What PyTorch printed lies in `expected/`; where PyTorch is installed, that it still prints it is a
test of its own. Words must be equal; numbers may differ as sums in another order do. Addresses
count as one word.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPTS = sorted(p.stem for p in HERE.glob("*.py") if p.stem not in ("hello", "test_scripts"))
NUMBER = re.compile(r"(?<![A-Za-z_])-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def output(*command: str) -> str:
    """What a fresh interpreter prints, on one thread."""
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore")
    done = subprocess.run(
        [sys.executable, *command], env=env, capture_output=True, text=True, timeout=300, cwd=HERE
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"0x[0-9a-f]+", "0x", done.stdout)


def assert_near(got: str, want: str) -> None:
    """The same words, and numbers equal to 1e-3 of their size."""
    words = [[NUMBER.sub("#", line).split() for line in text.splitlines()] for text in (got, want)]
    assert words[0] == words[1], f"printed:\n{got}\nexpected:\n{want}"
    for a, b in zip(NUMBER.findall(got), NUMBER.findall(want), strict=True):
        assert abs(float(a) - float(b)) <= 1e-3 * max(0.1, abs(float(b))), (
            f"{a} is not {b} in:\n{got}"
        )


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_prints_what_pytorch_prints(name):
    assert_near(
        output("-m", "flambeau", f"{name}.py"), (HERE / "expected" / f"{name}.txt").read_text()
    )


@pytest.mark.parity
@pytest.mark.parametrize("name", SCRIPTS)
def test_expected_text_is_pytorch_s(name, oracle):
    assert_near(output(f"{name}.py"), (HERE / "expected" / f"{name}.txt").read_text())
