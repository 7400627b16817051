"""Copies of few elements: PyTorch's results for triangles, flips and rolls, of every width."""

from __future__ import annotations

import pytest

import flambeau as fb
from flambeau.core.declare import OPERATIONS
from flambeau.core.kernels.native import small_copies

CODES = [
    "x.tril()", "x.triu(1)", "x.tril(-2)", "x.triu(-9)", "x.clone().tril_(1)", "x.clone().triu_()",
    "x.flip(0)", "x.flip(-1)", "x.flip(0, 1)", "x.flip((-1, 0))", "x.fliplr()", "x.roll(1)",
    "x.roll(-5)", "x.roll(2, 0)", "x.roll(-7, -1)", "x.roll((1, 2), (0, 1))",
]  # fmt: skip
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
