"""Grids, choices and common shapes of tensors."""

from __future__ import annotations

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
