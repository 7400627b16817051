"""Grids, choices and common shapes of tensors."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau


def test_meshgrid_orders():
    a, b = flambeau.arange(3), flambeau.arange(2)
    assert [g.shape for g in flambeau.meshgrid(a, b, indexing="ij")] == [(3, 2)] * 2
    first, second = flambeau.meshgrid(a, b, indexing="xy")
    assert first.tolist() == [[0, 1, 2]] * 2
    assert second.tolist() == [[0] * 3, [1] * 3]


def test_broadcast_shapes_takes_tuples_and_ints():
    found = flambeau.broadcast_shapes((2, 1), 3, (1,))
    assert type(found) is flambeau.Size and tuple(found) == (2, 3)
    with pytest.raises(RuntimeError, match="broadcast"):
        flambeau.broadcast_shapes((2,), (3,))


def test_combinations_sum_gradients_of_halves_before_rounding() -> None:
    draw = np.random.default_rng(0)
    values = draw.standard_normal(4).astype(np.float16)
    weights = draw.standard_normal((35, 4)).astype(np.float16)
    grads = []
    for kind in (np.float16, np.float64):
        x = flambeau.from_numpy(values.astype(kind)).requires_grad_()
        rows = flambeau.combinations(x, 4, with_replacement=True)
        (rows * flambeau.from_numpy(weights.astype(kind))).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(grads[0], grads[1].astype(np.float16), rtol=1e-3)
