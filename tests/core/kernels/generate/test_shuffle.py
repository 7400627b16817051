"""Exchanges by generated code against the list's."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.generate import shuffle


@pytest.mark.parametrize("count", [2, 3, 100, 20000])
def test_exchanges(count, monkeypatch):
    words = np.random.default_rng(0).integers(0, 1 << 32, count - 1, "u4")
    found = shuffle.exchanged(count, words)
    monkeypatch.setattr(shuffle._kernel, "ready", lambda *_: False)
    want = shuffle.exchanged(count, words)
    assert found.dtype == want.dtype == np.int64
    assert np.array_equal(found, want) and np.array_equal(np.sort(found), np.arange(count))
