"""One body, two engines: a row of the notes is asked of flambeau and of real PyTorch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import flambeau


@pytest.fixture(params=["flambeau", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    """flambeau, then real PyTorch where it is installed."""
    return flambeau if request.param == "flambeau" else request.getfixturevalue("oracle")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home directory of its own, without settings of where weights lie."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TORCH_HOME", "TORCH_MODEL_ZOO", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
