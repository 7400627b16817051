"""Arithmetic of complex numbers by generated code: PyTorch's to the last bit, infinities and NaNs
included, in any layout and with numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau

SPECIAL = (0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan)
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "neg": lambda x, y: -x,
    "reciprocal": lambda x, y: x.reciprocal(),
    "square": lambda x, y: x.square(),
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "exp": lambda x, y: (x * 0).exp(),
    "number": lambda x, y: (x + 1) * 2.5 - 3,
    "row": lambda x, y: x + y[:1],
    "one": lambda x, y: x - y.reshape(-1)[0],
    "in place": lambda x, y: x.clone().add_(y).mul_(y),
}


def _same(a: Any, b: Any) -> Any:
    parts = [(a, b)] if a.dtype.kind != "c" else [(a.real, b.real), (a.imag, b.imag)]
    return all(np.array_equal(p, q, equal_nan=p.dtype.kind == "f") for p, q in parts)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_values(oracle: Any, dtype: str, name: str) -> None:
    few = np.array([complex(a, b) for a in SPECIAL for b in SPECIAL], dtype)
    rng = np.random.default_rng(1)
    many = (rng.standard_normal(20000) + 1j * rng.standard_normal(20000)).astype(dtype)
    pairs = [(a.ravel(), b.ravel()) for a, b in [np.meshgrid(few, few)]]
    for x, y in [*pairs, (many, many[::-1].copy())]:
        found = CALLS[name](flambeau.tensor(x), flambeau.tensor(y)).numpy()
        wanted = CALLS[name](oracle.tensor(x), oracle.tensor(y)).numpy()
        assert found.dtype == wanted.dtype
        assert _same(found, wanted)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_layouts(oracle: Any, dtype: str) -> None:
    """Strides and broadcasting: within the last digit, PyTorch rounding rows otherwise."""
    rng = np.random.default_rng(2)
    x = (rng.standard_normal((60, 80)) + 1j * rng.standard_normal((60, 80))).astype(dtype)
    for name in ("add", "sub", "mul", "neg", "eq"):
        given = x.T[::2], x.T[::2, ::-1].copy()
        found = CALLS[name](*(flambeau.tensor(x).t()[::2], flambeau.tensor(given[1])))
        wanted = CALLS[name](*(oracle.tensor(x).t()[::2], oracle.tensor(given[1])))
        assert found.stride() == wanted.stride()
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("code", ["x.add_(y)", "x.sub_(y)", "x.mul_(y)", "x.sub_(y[2])"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_written_in_place(oracle, code, dtype):
    parts = (0.0, -0.0, 1.5, -2.0, float("inf"), -float("inf"), float("nan"))
    numbers = [complex(re, im) for re, im in itertools.product(parts, parts)]
    found = []
    for engine in (flambeau, oracle):
        x = engine.tensor(numbers, dtype=getattr(engine, dtype))
        y = x.flip(0).roll(3)
        assert eval(code, {"x": x, "y": y}) is x
        found.append(np.asarray(engine.view_as_real(x).tolist()))
    np.testing.assert_array_equal(*found)
