"""Running sums and products of few numbers: the operations' bodies, what is not served."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import small_scans
from flambeau.core.ops import scan

needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")
OTHER = object()


def function(name):
    return small_scans.native(name, lambda *args: OTHER)


@needs_code
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "_cumsum_reverse"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_values(name, dtype):
    x = (np.random.default_rng(0).standard_normal((3, 4, 5)) * 3).astype(dtype)
    more = () if name.startswith("_") else (None,)
    for given in (x, x[0], x[0, 0].copy(), x[:, :1].copy()):
        for dim in range(-given.ndim, given.ndim):
            found = function(name)(given, dim, *more)
            expected = getattr(scan, name).operation.body(given, dim)
            assert found.dtype == expected.dtype and found.strides == expected.strides
            np.testing.assert_array_equal(found, expected)


@needs_code
def test_what_is_not_served():
    x = np.ones((3, 4), "f4")
    for given in (
        (x.T, 0, None), (x, 2, None), (x, 0.0, None), (x, True, None), (x, 0, fb.float64), (x[:0], 0),
        (x.astype("i4"), 0, None), (x.astype("f2"), 0, None), (x[0, 0], 0, None), (x,),
        (np.ones((64, 64), "f4"), 0, None), (x.astype("F"), 0, None),
    ):  # fmt: skip
        assert function("cumsum")(*given) is OTHER


@pytest.mark.parametrize(
    "code",
    ["x.cumsum(0)", "x.cumsum(-1)", "x.cumprod(1)", "x.int().cumsum(0)", "x.cumsum(2)",
     "x.cumsum(0, dtype=torch.float64)", "(x > 3).cumsum(1)", "x.T.cumsum(0)", "x.long().cumprod(0)",
     "x.bfloat16().cumsum(1)", "x[0, 0].cumsum(0)", "x.clone().cumsum_(1)"],
)  # fmt: skip
def test_as_pytorch(oracle, code):
    found = []
    for torch in (fb, oracle):
        x = (torch.arange(12.0).view(3, 4) + 1).requires_grad_()
        try:
            made = eval(code, {"x": x, "torch": torch})
        except Exception as error:
            found.append(type(error))
            continue
        if made.requires_grad:
            (made * made).sum().backward()
        grad = None if x.grad is None else x.grad.tolist()
        found.append((made.tolist(), made.stride(), str(made.dtype)[-7:], grad))
    assert found[0] == found[1]
