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


@pytest.mark.parametrize("name", [n for n in NAMES if n != "prod"] + ["std", "var", "norm"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.filterwarnings("ignore:(var|std)")
def test_halves_as_pytorch(oracle, name, dtype):
    for shape, dim, keep in itertools.product(SHAPES, DIMS[:6], (False, True)):
        found = []
        for torch in (fb, oracle):
            x = torch.tensor(values(shape, "nan").tolist()).to(getattr(torch, dtype)) / 3
            call = getattr(x, name)
            try:
                if name == "norm":
                    made = call() if dim is None else call(2, dim, keep)
                else:
                    made = call() if dim is None else call(dim, keepdim=keep)
            except Exception as error:
                found.append(type(error))
                continue
            each = made if isinstance(made, tuple) else (made,)
            found.append([(str(t.dtype)[-8:], t.shape, t.stride(), t.tolist()) for t in each])
        if isinstance(found[1], type):
            assert found[0] is found[1], (shape, dim)
            continue
        for ours, theirs in zip(*found, strict=True):
            assert ours[:-1] == theirs[:-1], (shape, dim, keep)
            np.testing.assert_allclose(ours[-1], theirs[-1], rtol=8e-3)


SPREADS = [
    "x.var()", "x.std()", "x.var(0)", "x.std(-1, keepdim=True)", "x.var((0, 1))",
    "x.std(dim=-1, correction=1.5)", "x.var(unbiased=False)", "x.norm()", "x.norm(2, 0, True)",
    "torch.linalg.vector_norm(x, dim=-1)", "torch.linalg.vector_norm(x, 1)", "x.norm(3)",
    "torch.linalg.vector_norm(x, ord=2.0, dim=(0, 1))", "(x * 1e30).norm()",
    "torch.linalg.vector_norm(x, dtype=torch.float64)", "torch.var(x, dim=0, correction=100)",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:(var|std)")
@pytest.mark.parametrize("code", SPREADS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spreads_and_norms(oracle, code, dtype):
    for shape in ((4, 4), (7,), (2, 3, 4), (1, 5), (), (1, 1)):
        found = []
        for torch in (fb, oracle):
            numbers = np.random.default_rng(0).standard_normal(shape) + 9
            x = torch.tensor(numbers.tolist(), dtype=getattr(torch, dtype))
            try:
                made = eval(code, {"x": x, "torch": torch})
            except Exception as error:
                found.append((type(error),))
                continue
            found.append((str(made.dtype)[-7:], made.shape, made.stride(), made.tolist()))
        assert found[0][:-1] == found[1][:-1], shape
        if len(found[1]) > 1:
            rtol = 2e-5 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(found[0][-1], found[1][-1], rtol=rtol)


@pytest.mark.skipif(not build.available(), reason="no code can be generated here")
@pytest.mark.parametrize("name", [n for n, f in small_folds.FOLDS.items() if f.keep_at == 2])
def test_what_is_served(name):
    call = small_folds.native(name, lambda *args: "the NumPy form")

    def served(*args):
        return not isinstance(call(*args), str)

    x = values((4, 5), "float32")
    rest = () if name in ("_max_all", "_min_all") else (1, False)
    assert served(x, *rest) and served(np.ascontiguousarray(x.T), *rest)
    for given in (x.T, x[:, ::2], x[:0], x.astype("c8"), x.tolist(), np.zeros((64, 65), "f4")):
        assert not served(given, *rest)
    for dim in (2, -3, 1.0, "a", [1], True, (0, 0), (1.5,), 1 << 70):
        assert not served(x, dim, False)
    assert not served(x, 1, "keepdim") and not served(x, 1, False, np.dtype("f8"))


@pytest.mark.skipif(not build.available(), reason="no code can be generated here")
def test_which_spreads_and_norms_are_served():
    x = values((4, 5), "float32")
    variance, norm = (
        small_folds.native(name, lambda *args: "the NumPy form")
        for name in ("_var", "_vector_norm")
    )
    for served in (
        variance(x, None, 1, False), variance(x, (0, 1), 0.5, True), norm(x, 2, None, False),
        norm(x, 2.0, -1, True, None),
    ):  # fmt: skip
        assert not isinstance(served, str)
    for other in (
        variance(x, None, 20, False), variance(x, 0, None, False), norm(x, 1, None, False),
        norm(x, 2, 0, False, np.dtype("f8")), norm(x, "fro", 0, False), variance(x),
        variance(x.astype("i8"), None, 1, False),
    ):  # fmt: skip
        assert isinstance(other, str)


def test_many_terms_lose_no_digits():
    x = np.random.default_rng(0).uniform(0, 1, 4000)
    for dtype, bound in (("f4", 1e-7), ("f8", 1e-14)):
        found = fb.tensor(
            x.astype(dtype).tolist(), dtype=fb.float32 if dtype == "f4" else fb.float64
        )
        exact = np.sum(x.astype(dtype).astype(np.longdouble))
        assert abs(float(found.sum()) / float(exact) - 1) < bound
        assert abs(float(found.mean()) * 4000 / float(exact) - 1) < bound
