"""One body, two engines: a row of the notes is asked of flambeau and of real PyTorch."""

from __future__ import annotations

from types import ModuleType

import pytest

import flambeau


@pytest.fixture(params=["flambeau", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    """flambeau, then real PyTorch where it is installed."""
    return flambeau if request.param == "flambeau" else request.getfixturevalue("oracle")
