"""Products of arrays: turned left factors."""

import numpy as np
import pytest

from flambeau.core.kernels.product import matrices, turned


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("rows", "columns"), [(300, 1024), (300, 512), (300, 1000), (7, 1024)])
def test_turned_is_the_transpose(dtype, rows, columns):
    a = np.random.default_rng(0).standard_normal((rows, columns)).astype(dtype)
    b = np.ones((rows, 5), dtype)
    matrices(b, b.T)  # from here on the form of this dtype is known
    np.testing.assert_array_equal(turned(a), a.T)
    np.testing.assert_allclose(matrices(turned(a), b), a.T @ b, 1e-4, 1e-4)
    np.testing.assert_array_equal(turned(a[:, ::2]), a[:, ::2].T)
