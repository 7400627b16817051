"""Weighted sums along an axis by generated code: NumPy's digits."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import interpolate
from flambeau.core.kernels.generate import resampled
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic", "linear-aa", "cubic-aa"])
@pytest.mark.parametrize("out", [1, 13, 50, 77])
def test_equals_the_numpy_form(monkeypatch, dtype, axis, mode, out):
    x = np.random.default_rng(0).standard_normal((50, 50, 50)).astype(dtype)
    x[3, 4, 5] = np.nan
    table = interpolate.table(mode, 50, out, False, None, dtype == "f8")
    back = interpolate.transposed(table)
    given = [(x, table), (interpolate.apply(x, axis, table), back)]
    assert resampled.weighted(x, axis, *table[:3], out) is not None
    before, found = threads.count(), []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append([interpolate.apply(array, axis, reads) for array, reads in given])
    finally:
        threads.set_count(before)
    monkeypatch.setattr(interpolate, "weighted", lambda *given: None)
    found.append([interpolate.apply(array, axis, reads) for array, reads in given])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
