"""Older names of linalg: they compute, and tell of today's name once."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau.core.ops import linalg_old


@pytest.mark.parametrize("call", ["lu(torch.eye(2))", "chain_matmul(torch.eye(2), torch.eye(2))"])
def test_tells_once(call, monkeypatch, recwarn):
    monkeypatch.setattr(linalg_old, "_SAID", set())
    for _ in range(2):
        eval("torch." + call, {"torch": torch})
    assert [w.category for w in recwarn] == [UserWarning]
    assert "torch.linalg." in str(recwarn[0].message)
