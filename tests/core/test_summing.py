"""Sums in PyTorch's order have PyTorch's digits, whatever the shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.summing import summed

LENGTHS = (0, 1, 3, 4, 7, 8, 9, 16, 17, 33, 100, 300, 4097)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("inner", [1, 2, 4, 5, 8, 9, 31, 32, 50, 64, 70])
def test_digits(inner: int, kind: str, oracle: Any) -> None:
    drawn = np.random.default_rng(inner)
    for n in LENGTHS:
        for outer in (1, 3):
            x = drawn.standard_normal((outer, n, inner)).astype(kind)
            assert np.array_equal(summed(x), oracle.from_numpy(x).sum(1).numpy()), (outer, n)


@pytest.mark.parametrize("shape", [(5,), (7, 1, 5), (1, 9, 1), (7, 9, 1), (1, 1, 5)])
def test_gradients_of_what_was_broadcast(shape: tuple[int, ...], oracle: Any) -> None:
    drawn = np.random.default_rng(0)
    x, g = drawn.standard_normal(shape).astype("f4"), drawn.standard_normal((7, 9, 5)).astype("f4")
    found = []
    for engine in (flambeau, oracle):
        leaf = engine.tensor(x).requires_grad_()
        (leaf + engine.zeros(7, 9, 5)).backward(engine.tensor(g))
        found.append(leaf.grad.tolist())
    if shape == (1, 9, 1):  # dimensions apart: another order
        assert np.allclose(*found, rtol=1e-5, atol=1e-5)
    else:
        assert found[0] == found[1]
