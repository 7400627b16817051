"""Parity tests need real torch: without it they skip visibly, or fail where CI asks for them."""

from __future__ import annotations

import importlib.util
import os

import pytest


def require_torch() -> None:
    """Skip the calling test module without torch; with FLAMBEAU_PARITY=1 fail instead."""
    if importlib.util.find_spec("torch") is not None:
        return
    reason = "torch is not installed: PyTorch is the oracle of the parity tests (extra: parity)"
    if os.environ.get("FLAMBEAU_PARITY") == "1":
        pytest.fail(reason + ", and FLAMBEAU_PARITY=1 asks for them", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
