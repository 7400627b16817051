"""Reductions of small arrays, native: PyTorch's values, dtypes, shapes, places and errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_folds

NAMES = ("sum", "mean", "prod", "amax", "amin", "any", "all", "argmax", "argmin", "max", "min")
SHAPES = ((4, 4), (7,), (2, 3, 4), (), (1, 5), (9, 17), (1, 3, 1))
DIMS = (None, 0, -1, 1, (0, 1), (-2, -1), (0,), (0, 2), ())


def values(shape, dtype):
    x = (np.arange(int(np.prod(shape))) * 7 % 11 - 3).reshape(shape)
    if dtype == "nan":
        return np.where(x == 2, np.nan, x).astype("f4")
    return x.astype(dtype.replace("bool", "?"))


def outcome(torch, x, name, dim, keep):
    given = torch.tensor(x.tolist(), dtype=getattr(torch, str(x.dtype)))
    try:
        call = getattr(given, name)
        found = call() if dim is None else call(dim, keep)
    except Exception as error:
        return [type(error)]
    each = found if isinstance(found, tuple) else (found,)
    return [(t.tolist(), str(t.dtype).split(".")[1], t.shape, t.stride()) for t in each]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool", "nan"])
def test_as_pytorch(oracle, name, dtype):
    if dtype == "bool" and name in ("argmax", "argmin"):
        return  # which error is raised depends on what is looked at first
    for shape, dim, keep in itertools.product(SHAPES, DIMS, (False, True)):
        x = values(shape, dtype)
        ours, theirs = (outcome(torch, x, name, dim, keep) for torch in (fb, oracle))
        if isinstance(theirs[0], type):
            assert ours == theirs, (shape, dim)
            continue
        for found, wanted in zip(ours, theirs, strict=True):
            assert found[1:] == wanted[1:], (shape, dim, keep)
            np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6)


@pytest.mark.skipif(not build.available(), reason="no code can be generated here")
@pytest.mark.parametrize("name", small_folds.FOLDS)
def test_what_is_served(name):
    call = small_folds.native(name, lambda *args: "the NumPy form")

    def served(*args):
        return not isinstance(call(*args), str)

    x = values((4, 5), "float32")
    rest = () if name in ("_max_all", "_min_all") else (1, False)
    assert served(x, *rest) and served(np.ascontiguousarray(x.T), *rest)
    for given in (x.T, x[:, ::2], x[:0], x.astype("f2"), x.tolist(), np.zeros((64, 65), "f4")):
        assert not served(given, *rest)
    for dim in (2, -3, 1.0, "a", [1], True, (0, 0), (1.5,), 1 << 70):
        assert not served(x, dim, False)
    assert not served(x, 1, "keepdim") and not served(x, 1, False, np.dtype("f8"))


def test_many_terms_lose_no_digits():
    x = np.random.default_rng(0).uniform(0, 1, 4000)
    for dtype, bound in (("f4", 1e-7), ("f8", 1e-14)):
        found = fb.tensor(
            x.astype(dtype).tolist(), dtype=fb.float32 if dtype == "f4" else fb.float64
        )
        exact = np.sum(x.astype(dtype).astype(np.longdouble))
        assert abs(float(found.sum()) / float(exact) - 1) < bound
        assert abs(float(found.mean()) * 4000 / float(exact) - 1) < bound
