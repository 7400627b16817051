"""Copies of few elements: PyTorch's results for triangles, flips and rolls, of every width."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.declare import OPERATIONS
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_copies
from flambeau.core.ops.pad import constant_pad_nd as padding

CODES = [
    "x.tril()", "x.triu(1)", "x.tril(-2)", "x.triu(-9)", "x.clone().tril_(1)", "x.clone().triu_()",
    "x.flip(0)", "x.flip(-1)", "x.flip(0, 1)", "x.flip((-1, 0))", "x.fliplr()", "x.roll(1)",
    "x.roll(-5)", "x.roll(2, 0)", "x.roll(-7, -1)", "x.roll((1, 2), (0, 1))",
]  # fmt: skip
OTHER = object()
PADDED = small_copies.native("constant_pad_nd", lambda *args: OTHER)
needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
DTYPES = ["float32", "bool", "bfloat16", "int64", "complex64", "complex128", "int16"]


@pytest.mark.parametrize("code", CODES)
def test_as_pytorch(oracle, code):
    for dtype in DTYPES:
        for shape in ((3, 4), (1, 5), (2, 4, 3), (2, 0)):
            found = []
            for torch in (fb, oracle):
                size = 1
                for n in shape:
                    size *= n
                x = torch.arange(size).view(shape).to(getattr(torch, dtype))
                made = eval(code, {"x": x})
                found.append((made.shape, made.stride(), str(made.dtype)[-6:], made.tolist()))
            assert found[0] == found[1], (dtype, shape)


def test_histories_and_what_is_left_to_numpy():
    x = fb.ones(3, 3, requires_grad=True)
    y = x * 2
    assert y.tril_() is y
    assert y._version == 1
    y.sum().backward()
    assert x.grad.tolist() == [[2, 0, 0], [2, 2, 0], [2, 2, 2]]
    with pytest.raises(RuntimeError, match="leaf"):
        x.triu_()
    other = object()
    for name, rest in (("tril", (0,)), ("_flip", ((0,),)), ("_roll", ((1,), ()))):
        native = small_copies.native(name, lambda *args: other)
        a = fb.arange(12).view(3, 4).numpy()
        assert native(a, *rest) is not other
        for odd in (a.T, a[:0], a.astype("c16"), fb.zeros(64, 64).numpy()):
            assert native(odd, *rest) is other
        assert OPERATIONS[name].kernel(a, *rest).tolist() == native(a, *rest).tolist()
    assert small_copies.native("_flip", lambda *args: other)(a, (0, 0)) is other


@needs_code
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i2", "u1", "?", "F", "f2"])
def test_padding(dtype):
    x = (np.arange(24).reshape(2, 3, 4) % 5).astype(dtype)
    for amounts in ((1, 2), (0, 1, 2, 0), (-1, 2), (-1, -1, 1, 0), (2, 1, -2, 1, 1, 1), (0, 0)):
        for value in (0, 1.5, -3) if dtype in ("f4", "f8") else (0,):
            found = PADDED(x, amounts, value)
            expected = padding.operation.body(x, amounts, value)
            assert np.array_equal(found, expected) and found.dtype == x.dtype
            assert found.flags.c_contiguous and found.flags.owndata


@needs_code
def test_padding_that_is_not_served():
    x = np.ones((3, 4), "f4")
    for given in (
        (x.T, (1, 1), 0), (x, (1,), 0), (x, (1, 1, 1, 1, 1, 1), 0), (x, (-2, -2), 0), (x, (), 0),
        (x, (-5, 9), 0), (x, [1, 1], 0), (x, (1, 1), True), (x, (1, 1), "0"), (x, (1.0, 1), 0),
        (x.astype("i8"), (1, 1), 1.5), (x, (9, 20000), 0), (x[:0], (1, 1), 0), (x, (1, 1)),
    ):  # fmt: skip
        assert PADDED(*given) is OTHER
