"""Attention on 16-bit floats as PyTorch's fused kernel rounds it, on ndarrays.

Sums are float32; the exponentials are rounded to 16 bits before they meet the values, and so are
the slopes of the scores before they meet queries and keys. Keys are those of one of PyTorch's
blocks (`BLOCK`); longer ones are ``attention``'s. Stands on NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.attention import causal_mask

__all__ = ["BLOCK", "attend", "attend_backward"]

BLOCK = 512
"""Keys that PyTorch takes at once."""


def attend(q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any]:
    """The result, and each row's maximum and one over its sum, as ``attention.attend``."""
    e, top, total = _exponentials(q, k, mask, scale, causal)
    sums = np.concatenate((top, np.where(total == 0, 0, 1 / np.where(total == 0, 1, total))), -1)
    return _weighted(e, v, total), sums


def attend_backward(
    g: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool, needs: Any
) -> tuple[Any, Any, Any]:
    """Gradients for q, k and v."""
    dtype = q.dtype
    e, _, total = _exponentials(q, k, mask, scale, causal)
    out = _weighted(e, v, total).astype("f4")
    soft = e / np.where(total == 0, 1, total)
    wide = g.astype("f4")
    exact = g.astype("f8")  # a row that looks at one key has a slope of exactly 0
    pulled = np.matmul(exact, v.astype("f8").swapaxes(-1, -2))
    slope = _rounded(soft * (pulled - (exact * out).sum(-1, keepdims=True)), dtype)
    factor = np.float32(scale)
    return (
        (np.matmul(slope, k.astype("f4")) * factor).astype(dtype) if needs[0] else None,
        (np.matmul(slope.swapaxes(-1, -2), q.astype("f4")) * factor).astype(dtype)
        if needs[1]
        else None,
        np.matmul(_rounded(soft, dtype).swapaxes(-1, -2), wide).astype(dtype) if needs[2] else None,
    )


def _exponentials(q: Any, k: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any, Any]:
    """``exp(score - top)`` (*, L, S) in float32, and of each row the maximum and the sum."""
    scores = np.matmul(q.astype("f4"), k.astype("f4").swapaxes(-1, -2)) * np.float32(scale)
    if causal:
        mask = causal_mask(q.shape[-2], k.shape[-2])
    if mask is not None:
        masked = np.float32(-np.inf)
        scores = np.where(mask, scores, masked) if mask.dtype == bool else scores + mask
    top = scores.max(-1, keepdims=True)
    top = np.where(np.isneginf(top), np.float32(0), top)
    e = np.exp(scores - top)
    return e, top, e.sum(-1, keepdims=True)


def _weighted(e: Any, v: Any, total: Any) -> Any:
    found = np.matmul(_rounded(e, v.dtype), v.astype("f4"))
    return (found / np.where(total == 0, 1, total)).astype(v.dtype)


def _rounded(values: Any, dtype: Any) -> Any:
    return values.astype(dtype).astype("f4")
