"""What every test stands on: the oracle, and seeds that do not leak from one test to the next.

The oracle is real PyTorch. Only parity tests ask for it; a machine without it skips them,
except where ``FLAMBEAU_PARITY=1`` promises that it is there: then its absence is a failure.
"""

from __future__ import annotations

import importlib
import os
import warnings
from types import ModuleType

import pytest

PARITY = os.environ.get("FLAMBEAU_PARITY") == "1"


def load_oracle() -> ModuleType | None:
    """Real PyTorch, or None where it is not installed. Never flambeau under PyTorch's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch = importlib.import_module("torch")
        except ImportError:
            return None
    if "flambeau" in torch.__version__:  # under the alias, torch is the package flambeau
        raise RuntimeError(
            "the alias is installed in the test process: the oracle cannot be reached"
        )
    return torch


def pytest_configure(config: pytest.Config) -> None:
    """Note the names that comparing tests use, for docs/coverage.md, where asked to."""
    from tests import seen

    if seen.WANTED:
        config.pluginmanager.register(seen.Plugin())


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """Real PyTorch, on one thread."""
    torch = load_oracle()
    if torch is None:
        message = "real PyTorch is not installed: pip install torch==2.13.0"
        if PARITY:
            pytest.fail(f"FLAMBEAU_PARITY=1, but {message}", pytrace=False)
        pytest.skip(message)
    torch.set_num_threads(1)
    return torch


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> None:
    """Every test starts from the same generators, and with no warning given yet."""
    import random

    import numpy

    random.seed(0)
    numpy.random.seed(0)
    flambeau = importlib.import_module("flambeau")
    flambeau.compat.forget()
    seed = getattr(flambeau, "manual_seed", None)
    if seed is not None:
        seed(0)
    if "oracle" in request.fixturenames:
        torch = request.getfixturevalue("oracle")
        torch.manual_seed(0)
        # Loading its compiler, as torch.cond does, switches the checks off for the whole process.
        torch.distributions.Distribution.set_default_validate_args(True)
