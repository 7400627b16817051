"""Native functions of rows against their NumPy forms."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import softmax as forms
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import rows

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

inf, nan = np.inf, np.nan


@pytest.fixture(params=sorted(rows.ROWS))
def name(request):
    return request.param


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 4), (1,), (3, 2, 17), (2, 256), (0, 3), (5, 1)])
def test_rows_are_the_numpy_forms(name, dtype, shape):
    calls = []
    function = rows.lazily(name, lambda *args: calls.append(args))
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape).astype(dtype) * 4 for _ in range(2))
    axes = range(-1, len(shape)) if 0 not in shape else (-1,)
    if name.endswith("backward"):
        for axis in axes:
            y = getattr(forms, name[: -len("_backward")])(x, axis)
            for each in (g, np.broadcast_to(np.asarray(0.5, dtype), shape)):
                exact = getattr(forms, name)(each.astype("f8"), y.astype("f8"), axis)
                check(function(each, y, axis), getattr(forms, name)(each, y, axis), exact)
    else:
        for axis in axes:
            exact = getattr(forms, name)(x.astype("f8"), axis)
            check(function(x, axis), getattr(forms, name)(x, axis), exact)
    assert not calls


def check(got, want, exact=None):
    exact = want if exact is None else exact
    assert got.dtype == want.dtype and got.shape == want.shape and got.flags.c_contiguous
    tolerance = 1e-6 if got.dtype == "f4" else 1e-14
    size = np.abs(exact[np.isfinite(exact)]).max(initial=1)  # inputs are of that size
    np.testing.assert_allclose(got, exact, tolerance, tolerance * size)


@pytest.mark.parametrize(
    "row", [[inf, 1.0], [-inf, 1.0], [-inf, -inf], [nan, 1.0], [1.0, nan], [1e30, -1e30]]
)
@pytest.mark.parametrize("log", ["", "log_"])
def test_special_numbers(row, log):
    x = np.array([row, [1.0, 2.0]], "f4")
    function = rows.lazily(f"{log}softmax", lambda *_: pytest.fail("this is a row's own"))
    with np.errstate(all="ignore"):
        check(function(x, 1), getattr(forms, f"{log}softmax")(x, 1))


def test_long_rows_other_dimensions_and_dtypes_go_the_other_way():
    other = object()
    function = rows.lazily("softmax", lambda *_: other)
    odd = [(np.ones((2, 257)), 1), (np.ones((64, 17)), 0), (np.ones((2, 2), "i8"), 1)]
    odd += [(np.ones((4, 4)).T[::2], 1), (np.ones(()), 0), (np.ones((2, 0)), 1), (np.ones(3), 1)]
    assert all(function(*args) is other for args in odd)
