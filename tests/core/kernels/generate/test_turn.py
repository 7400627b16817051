"""Turned matrices: against NumPy's copy, whatever the edges, strides and number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate.turn import turn, turn_runs
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: NumPy's copy serves"
)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 16, 16), (3, 5, 40), (2, 33, 17), (1, 200, 700)])
@pytest.mark.parametrize("count", [1, 3])
def test_as_numpy_copies(dtype, shape, count):
    batch, rows, columns = shape
    source = np.arange(batch * rows * (columns + 3)).astype(dtype).reshape(batch, rows, -1)
    source = source[:, :, :columns]
    memory = np.full((batch, columns + 1, rows + 2), -1, dtype)
    target = memory[:, :columns, :rows]
    before = threads.count()
    try:
        threads.set_count(count)
        turn(source, target)
    finally:
        threads.set_count(before)
    np.testing.assert_array_equal(target, source.swapaxes(1, 2))
    target[...] = -1
    assert (memory == -1).all()  # nothing beside it was written


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 5, 3, 9), (1, 40, 17, 25), (3, 9, 20, 1)])
def test_runs(dtype, shape):
    source = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    found = turn_runs(source)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, source.swapaxes(1, 2))
