"""Short rows in order: PyTorch's values and places, equal numbers and NaN among them."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.native import small_orders

CODES = [
    "x.sort({dim})", "x.sort({dim}, True)", "x.sort(stable=True, dim={dim})", "x.argsort({dim})",
    "x.topk(2, {dim})", "x.topk(1, {dim}, False)", "x.topk(2, {dim}, True, False)",
    "x.kthvalue(2, {dim})", "x.kthvalue(1, {dim}, True)", "x.median({dim})",
    "x.median({dim}, keepdim=True)", "x.median()",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_as_pytorch(oracle, code, dtype):
    rng = np.random.default_rng(3)
    for shape in ((4, 4), (7,), (2, 3, 5), (2, 16), (3, 17)):
        for high in (3, 1000):
            numbers = rng.integers(0, high, shape).astype("f8")
            if dtype.startswith("float") and high == 3:
                numbers[numbers == 1] = np.nan
            for dim in range(len(shape)):
                found = []
                for torch in (fb, oracle):
                    x = torch.tensor(numbers.tolist()).to(getattr(torch, dtype))
                    made = eval(code.format(dim=dim), {"x": x})
                    each = made if isinstance(made, tuple) else (made,)
                    found.append([(t.shape, t.stride(), str(t.tolist())) for t in each])
                assert found[0] == found[1], (shape, high, dim)


def test_what_is_left_to_the_numpy_form():
    other = object()
    sort = small_orders.native("_sort", lambda *args: other)
    top = small_orders.native("topk", lambda *args: other)
    x = np.arange(8, dtype="f4").reshape(2, 4)
    for odd in ((x.T, 0, False), (x.astype("f2"), 0, False), (x[:0], 1, False), (x, 2, False),
                (np.zeros((2, 17), "f4"), 1, False), (x[0, 0, ...], 0, False)):  # fmt: skip
        assert sort(*odd) is other
    for odd in ((x, 5, 1, True, True), (x, 0, 1, True, True), (x * 0, 2, 1, True, True),
                (x, 2, 1, True, False)):  # fmt: skip
        assert top(*odd) is other
