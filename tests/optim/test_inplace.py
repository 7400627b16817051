"""The sums optimizers are written in: PyTorch's digits in float32, the same sums in other dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flambeau.optim import inplace

SUMS = {
    "add_scaled": (
        lambda x, a, b, s: inplace.add_scaled(x, a, -0.01, s),
        lambda x, a, b: x.add_(a, alpha=-0.01),
    ),
    "lerp": (lambda x, a, b, s: inplace.lerp(x, a, 0.1, s), lambda x, a, b: x.lerp_(a, 0.1)),
    "lerp from the end": (
        lambda x, a, b, s: inplace.lerp(x, a, 0.9, s),
        lambda x, a, b: x.lerp_(a, 0.9),
    ),
    "addcmul": (
        lambda x, a, b, s: inplace.addcmul(x, a, b, 0.001, s),
        lambda x, a, b: x.addcmul_(a, b, value=0.001),
    ),
    "addcdiv": (
        lambda x, a, b, s: inplace.addcdiv(x, a, b, 0.001, s),
        lambda x, a, b: x.addcdiv_(a, b, value=0.001),
    ),
}


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("name", SUMS)
def test_digits(name: str, kind: str, oracle: Any) -> None:
    drawn = np.random.default_rng(0)
    x, a, b = (drawn.standard_normal(1000).astype(kind) for _ in range(3))
    ours, theirs = x.copy(), oracle.from_numpy(x.copy())
    SUMS[name][0](ours, a, b, np.empty_like(x))
    SUMS[name][1](theirs, oracle.from_numpy(a), oracle.from_numpy(b))
    if kind == "f4":
        assert np.array_equal(ours, theirs.numpy())
    else:
        assert np.allclose(ours, theirs.numpy(), rtol=1e-14, atol=1e-15)
