"""Attention on 16-bit floats by generated code against its NumPy forms."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from flambeau.core.kernels import attention_half
from flambeau.core.kernels.generate import attention_half as generated
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("half", ["f2", ml_dtypes.bfloat16], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("given", ["nothing", "causal", "bool", "added", "negative"])
@pytest.mark.parametrize("keys", [1, 5, 70])
def test_rows(keys, given, half, monkeypatch):
    half = np.dtype(half)
    rng = np.random.default_rng(0)
    q, g = (rng.standard_normal((2, 3, 9, 16)).astype(half) for _ in range(2))
    k, v = (rng.standard_normal((2, 3, keys, 16)).astype(half) for _ in range(2))
    mask = None
    if given == "bool":
        mask = rng.random((9, keys)) > 0.3
        mask[2] = False
    elif given == "added":
        mask = rng.standard_normal((9, keys)).astype("f4")
    options = (mask, -0.25 if given == "negative" else 0.25, given == "causal")
    got = attention_half.attend(q, k, v, *options)
    back = attention_half.attend_backward(g, q, k, v, *options, (True,) * 3)
    for name in ("exponentials", "slopes"):
        monkeypatch.setattr(generated, name, lambda *_: None)
    want = attention_half.attend(q, k, v, *options)
    other = attention_half.attend_backward(g, q, k, v, *options, (True,) * 3)
    digits = 2e-3 if half == np.float16 else 1.6e-2
    for a, b in zip((*got, *back), (*want, *other), strict=True):
        a, b = a.astype("f4"), b.astype("f4")
        np.testing.assert_allclose(a, b, digits, digits * np.abs(b).max() / 4 + 1e-6)
    if keys == 1 and given != "bool":
        assert not back[0].astype("f4").any()  # one key alone has no slope
