"""Layer normalisation of few numbers: the native form against the NumPy form."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.native import small_layers
from flambeau.core.ops.norm_layer import _native_layer_norm

FORM = _native_layer_norm.operation.kernel


def _served(*args: object) -> object:
    raise AssertionError("the native form does not serve")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_as_the_numpy_form(shape: tuple[int, ...], dtype: str) -> None:
    native = small_layers.native("_native_layer_norm", _served)
    if native is _served:
        pytest.skip("no code can be generated")
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((5, 2, 3, 4)[4 - max(len(shape), 3) :]) + 9).astype(dtype)
    w, b = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    for weight, bias in ((w, b), (None, None), (w, None), (None, b)):
        found, wanted = native(x, shape, weight, bias, 1e-5), FORM(x, shape, weight, bias, 1e-5)
        assert len(found) == len(wanted)
        for ours, theirs in zip(found, wanted, strict=True):
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
            tolerance = 2e-5 if dtype == "f4" else 1e-12
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_what_is_left_to_the_numpy_form() -> None:
    other = object()
    native = small_layers.native("_native_layer_norm", lambda *args: other)
    x, w = np.ones((2, 4), "f4"), np.ones(4, "f4")
    for odd in (
        (x, (3,), None, None, 1e-5), (x, (), None, None, 1e-5), (x[:, ::2], (2,), None, None, 1e-5),
        (x, (4,), w.astype("f8"), None, 1e-5), (x, (4,), w[:3], None, 1e-5),
        (x[:0], (4,), None, None, 1e-5), (x.astype("f2"), (4,), None, None, 1e-5),
        (np.ones((64, 64), "f4"), (64,), None, None, 1e-5), (x, [4], None, None, 1e-5),
    ):  # fmt: skip
        assert native(*odd) is other
