"""Sums, differences and products of complex numbers: PyTorch's values, infinities among them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.native import complex_pairs

INF, NAN = float("inf"), float("nan")
PARTS = (0.0, -0.0, 1.5, -2.0, INF, -INF, NAN)
CODES = [
    "x + y", "x - y", "x * y", "x + y[0]", "y[1] * x", "x.clone().add_(y)", "x.clone().mul_(y)",
    "x.clone().sub_(y[2])", "x[None] * y[:, None]", "torch.add(x, y, out=x.clone())",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_as_pytorch(oracle, code, dtype):
    numbers = [complex(re, im) for re, im in itertools.product(PARTS, PARTS)]
    found = []
    for torch in (fb, oracle):
        x = torch.tensor(numbers, dtype=getattr(torch, dtype))
        made = eval(code, {"torch": torch, "x": x, "y": x.flip(0).roll(3)})
        found.append(np.asarray(torch.view_as_real(made).tolist()))
    np.testing.assert_array_equal(*found)


def test_gradients_and_what_is_left_to_numpy():
    x = fb.tensor([1 + 2j, 2j], requires_grad=True)
    (x * x - x).real.sum().backward()
    assert x.grad.tolist() == [1 - 4j, -1 - 4j]
    other = object()
    add = complex_pairs.native("add", lambda *args: other)
    a = np.ones((4, 4), "c8")
    assert add is not other
    for odd in ((a, a.astype("c16")), (a, a[0]), (a.T[::2], a.T[::2]), (a[:0], a[:0]), (a, 2.0),
                (np.ones(5000, "c8"), np.ones(5000, "c8")),
                (a[0], a[1], a[0].astype("c16"))):  # fmt: skip
        assert add(*odd) is other
    row = np.arange(6, dtype="c8")
    assert add(row[:4], row[1:5], row[2:]) is other  # written while it is read
