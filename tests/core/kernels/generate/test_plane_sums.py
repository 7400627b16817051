"""Sums of planes: against NumPy's, whatever the length and the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.generate.plane_sums import plane_sums
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: NumPy's way serves"
)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 17), (2, 7, 64), (4, 3, 1000), (8, 40, 900)])
def test_as_numpy_sums(dtype, shape):
    array = np.random.RandomState(0).standard_normal(shape).astype(dtype)
    before = threads.count()
    found = []
    try:
        for count in (1, 3):
            threads.set_count(count)
            found.append(plane_sums(array))
    finally:
        threads.set_count(before)
    np.testing.assert_array_equal(*found)
    want = array.astype("f8").sum((0, 2))
    np.testing.assert_allclose(found[0], want, 1e-4 if dtype == "f4" else 1e-12, 1e-4)
    assert found[0].dtype == array.dtype


def test_what_is_not_taken():
    assert plane_sums(np.ones((2, 3, 4), "i8")) is None
    assert plane_sums(np.ones((2, 4, 3), "f4").swapaxes(1, 2)) is None
