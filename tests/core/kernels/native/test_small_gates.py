"""Halves of few numbers, one gated by the other: the operation's bodies, what is not served."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_gates, table
from flambeau.core.ops import smooth

needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
OTHER = object()


def other(*args):
    return OTHER


@needs_code
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_values(dtype):
    x = (np.random.default_rng(0).standard_normal((4, 6, 2)) * 3).astype(dtype)
    glu = small_gates.native("glu", other)
    backward = table.native("glu_backward", other, small_gates.module)
    for given in (x, x[0], x[0, :, 0].copy(), x[:1].copy()):
        for dim in range(-given.ndim, given.ndim):
            if given.shape[dim] % 2:
                assert glu(given, dim) is OTHER and backward(given, given, dim) is OTHER
                continue
            found, expected = glu(given, dim), smooth._glu.operation.body(given, dim)
            np.testing.assert_array_equal(found, expected, strict=True)
            sent = backward(found, given, dim)
            np.testing.assert_array_equal(
                sent, smooth._backward_by_numpy(found, given, dim), strict=True
            )


@needs_code
def test_what_is_not_served():
    x, half = np.ones((4, 4), "f4"), np.ones((4, 2), "f4")
    for given in (
        (x.T, 0), (x, 2), (x, 0.0), (x, True), (x[:0], 0), (x.astype("f2"), 0), (x[0, 0], 0), (x,),
        (np.ones((64, 64), "f4"), 0), (x.astype("F"), 0), (list(x), 0),
    ):  # fmt: skip
        assert small_gates.native("glu", other)(*given) is OTHER
    backward = table.native("glu_backward", other, small_gates.module)
    for given in (
        (x, x, 1),
        (half, x, 0),
        (half.astype("f8"), x, 1),
        (half.T, x, 0),
        (half[0], x, 1),
    ):
        assert backward(*given) is OTHER


@pytest.mark.parametrize(
    "code",
    ["F.glu(x)", "F.glu(x, 0)", "F.glu(x, -2)", "F.glu(x.T, 0)", "F.glu(x[:, :3])", "F.glu(x, 2)",
     "F.glu(x[0, 0])", "F.glu(x.double(), 1)", "F.glu(x.bfloat16())", "F.glu(x[:0])"],
)  # fmt: skip
def test_as_pytorch(oracle, code):
    found = []
    for torch in (fb, oracle):
        x = ((torch.arange(24.0) - 12) / 5).view(4, 6).requires_grad_()
        try:
            made = eval(code, {"x": x, "F": torch.nn.functional})
            (made.float() * 3).sum().backward()
        except Exception as error:
            found.append(type(error))
            continue
        found.append((made.tolist(), str(made.dtype), made.stride(), x.grad.tolist()))
    assert type(found[0]) is type(found[1])
    if isinstance(found[1], tuple):
        assert found[0][1:3] == found[1][1:3]
        for mine, theirs in ((found[0][0], found[1][0]), (found[0][3], found[1][3])):
            np.testing.assert_allclose(mine, theirs, rtol=1e-2 if "bf" in code else 2e-6, atol=1e-7)
    else:
        assert found[0] is found[1]
