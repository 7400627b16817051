"""Runs scripts in a process of their own, under `python -m flambeau` or under Python itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import flambeau

ROOT = str(Path(flambeau.__file__).parents[1])
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a user who has flambeau on the path and no alias yet."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FLAMBEAU")}
    return {**clean, "PYTHONPATH": ROOT}


@pytest.fixture
def pythonpath() -> Callable[..., str]:
    """A PYTHONPATH of folders, with flambeau's own behind them."""
    return lambda *folders: os.pathsep.join([*map(str, folders), ROOT])


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run ``python <words>`` in an empty folder."""

    def run(*words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**environment, **env},
            timeout=120,
        )

    return run


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write a script into the folder; its name."""

    def script(text: str, name: str = "program.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    return script
