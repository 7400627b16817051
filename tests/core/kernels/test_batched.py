"""Products of batches against NumPy's in double precision: layouts, broadcast batches, threads."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.batched import matmul
from flambeau.core.kernels.jit import build

rng = np.random.default_rng(0)
CASES = [((5,), (5,), 33, 70, 64), ((3, 4), (3, 4), 50, 130, 20), ((2, 1), (1, 3), 130, 20, 1100),
         ((4,), (3, 4), 100, 65, 17), ((6,), (1,), 7, 300, 40), ((), (5,), 64, 64, 64),
         ((2,), (2,), 1, 9, 5), ((2, 2, 3), (2, 2, 3), 20, 30, 10), ((0,), (1,), 3, 4, 5),
         ((3,), (3,), 4, 4, 0)]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("left", "right", "m", "n", "k"), CASES)
def test_batches_of_every_layout(dtype, left, right, m, n, k):
    before = torch.get_num_threads()
    for turn_a in (False, True):
        for turn_b in (False, True):
            a = rng.standard_normal((*left, *((k, m) if turn_a else (m, k)))).astype(dtype)
            b = rng.standard_normal((*right, *((n, k) if turn_b else (k, n)))).astype(dtype)
            a = a.swapaxes(-1, -2) if turn_a else a
            b = b.swapaxes(-1, -2) if turn_b else b
            want = np.matmul(a.astype("f8"), b.astype("f8"))
            near = {"f4": 4e-6, "f8": 1e-14}[dtype] * np.abs(want).max(initial=1)
            found = []
            try:
                for count in (1, 2, 3):
                    torch.set_num_threads(count)
                    found.append(matmul(a, b))
            finally:
                torch.set_num_threads(before)
            assert found[0].dtype == dtype and found[0].flags.c_contiguous
            np.testing.assert_allclose(found[0], want, rtol=0, atol=near)
            if build.available():  # OpenBLAS's sums depend on its threads
                assert all(np.array_equal(each, found[0]) for each in found)


def test_heads_that_lie_side_by_side_need_no_copy():
    wide = rng.standard_normal((2, 40, 3, 16)).astype("f4")
    heads = wide.transpose(0, 2, 1, 3)
    want = np.matmul(heads, heads.swapaxes(-1, -2))
    np.testing.assert_allclose(matmul(heads, heads.swapaxes(-1, -2)), want, rtol=1e-5, atol=1e-5)


def test_other_dtypes_and_shapes_that_do_not_fit_are_numpys_business():
    a = np.ones((3, 20, 20), "c8")
    np.testing.assert_array_equal(matmul(a, a), np.matmul(a, a))
    with pytest.raises(ValueError):
        matmul(np.ones((3, 20, 30), "f4"), np.ones((3, 20, 30), "f4"))
    with pytest.raises(ValueError):
        matmul(np.ones((3, 20, 30), "f4"), np.ones((2, 30, 20), "f4"))
