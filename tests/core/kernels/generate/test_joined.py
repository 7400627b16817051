"""Arrays joined row by row, against NumPy's."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import threads
from flambeau.core.kernels.generate.joined import joined
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("dtype", ["?", "i2", "f4", "c8"])
@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 0, 5), (70, 200, 1), (16,)])
@pytest.mark.parametrize("shares", [1, 2, 5])
def test_parts(dtype, widths, shares):
    rng = np.random.default_rng(0)
    before = threads.count()
    threads.set_count(shares)
    try:
        for shape, dim in (((2000,), 1), ((40, 50), 2)):
            arrays = [(rng.standard_normal((*shape, n)) * 9).astype(dtype) for n in widths]
            want = np.concatenate(arrays, dim)
            out = np.empty(want.shape, dtype)
            assert joined(arrays, dim, out)
            np.testing.assert_array_equal(out, want)
    finally:
        threads.set_count(before)


def test_cat_and_stack_of_large_parts():
    x, y = torch.randn(300, 4, 70), torch.randn(300, 5, 70)
    np.testing.assert_array_equal(
        torch.cat([x, y, x], 1).numpy(), np.concatenate([x.numpy(), y.numpy(), x.numpy()], 1)
    )
    np.testing.assert_array_equal(
        torch.stack([x, x.flip(0)], -1).numpy(), np.stack([x.numpy(), x.numpy()[::-1]], -1)
    )
    turned = x.mT
    np.testing.assert_array_equal(
        torch.cat([turned, turned], 2).numpy(), np.concatenate([turned.numpy()] * 2, 2)
    )
