"""The example is the main job: it must run, reach its accuracy, and print PyTorch's losses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "digits.py"
# What PyTorch 2.13 prints on CPU; its own kernels agree with one another to 1e-7 here.
FIRST_LOSS = 0.684943


def run(*command: str | Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def losses(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"loss (\S+)", text)]


def test_script_is_plain_pytorch_and_short():
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.count("\n") < 150
    assert "flambeau" not in text
    for line in ("import torch\n", "import torch.nn as nn\n", "import torch.nn.functional as F\n"):
        assert line in text


def test_first_epoch_has_pytorchs_loss_and_leaves_its_files(tmp_path):
    text = run("-m", "flambeau", SCRIPT, "--epochs", "1", cwd=tmp_path)
    assert losses(text) == pytest.approx([FIRST_LOSS], abs=1e-4)
    for name in ("curve.png", "misread.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (tmp_path / "out" / "digits.pt").read_bytes().startswith(b"PK")


@pytest.mark.slow
def test_whole_run_reaches_98_percent(tmp_path):
    text = run("-m", "flambeau", SCRIPT, cwd=tmp_path)
    accuracies = [float(found) for found in re.findall(r"accuracy (\S+) %", text)]
    assert len(accuracies) == 15
    assert accuracies[-1] >= 98.0


@pytest.mark.parity
def test_same_file_under_pytorch_prints_the_same_losses(oracle, tmp_path):
    theirs = run(SCRIPT, "--epochs", "2", cwd=tmp_path)
    ours = run("-m", "flambeau", SCRIPT, "--epochs", "2", cwd=tmp_path)
    assert losses(ours)[0] == pytest.approx(losses(theirs)[0], abs=1e-4)
    assert losses(ours)[1] == pytest.approx(losses(theirs)[1], abs=1e-3)
