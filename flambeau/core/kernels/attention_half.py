"""Attention on 16-bit floats as PyTorch's fused kernel rounds it, on ndarrays.

Sums are float32; the exponentials are rounded to 16 bits before they meet the values, and so are
the slopes of the scores before they meet queries and keys. Keys are those of one of PyTorch's
blocks (`BLOCK`); longer ones are ``attention``'s. The NumPy forms are the reference. Stands on
generate.attention_half and product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.attention import causal_mask
from flambeau.core.kernels.generate import attention_half as generated
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.product import single

__all__ = ["BLOCK", "attend", "attend_backward"]

BLOCK = 512
"""Keys that PyTorch takes at once."""


def attend(q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any]:
    """The result, and each row's maximum and one over its sum, as ``attention.attend``."""
    scores, factor, length = _scores(q, k, mask, scale, causal)
    found = generated.exponentials(scores, q.dtype, factor, length)
    if found is not None:
        e, sums = found
        out = generated.divided(np.ascontiguousarray(single(e, v)), sums, q.dtype)
        if out is not None:
            np.divide(1, sums[..., 1], out=sums[..., 1], where=sums[..., 1] != 0)
            return out, sums
    e, top, total = _exponentials(q, k, mask, scale, causal)
    sums = np.concatenate((top, np.where(total == 0, 0, 1 / np.where(total == 0, 1, total))), -1)
    return _weighted(e, v, total), sums


def attend_backward(
    g: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool, needs: Any
) -> tuple[Any, Any, Any]:
    """Gradients for q, k and v."""
    dtype = q.dtype
    found = _slopes(g, q, k, v, mask, scale, causal)
    if found is not None:
        soft, slope = found
        factor = np.float32(scale)
        return (
            recast(single(slope, k) * factor, dtype) if needs[0] else None,
            recast(single(slope.swapaxes(-1, -2), q) * factor, dtype) if needs[1] else None,
            recast(single(soft.swapaxes(-1, -2), g), dtype) if needs[2] else None,
        )
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


def _scores(q: Any, k: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, float, int]:
    """Scores, what they are still to be multiplied by, and the length of causal rows or 0."""
    scores = np.ascontiguousarray(single(q, k.swapaxes(-1, -2)))
    if causal or mask is None:
        return scores, scale, q.shape[-2] if causal else 0
    scores = scores * np.float32(scale)
    masked = np.float32(-np.inf)
    scores = np.where(mask, scores, masked) if mask.dtype == bool else scores + mask
    return np.ascontiguousarray(scores), 1.0, 0


def _slopes(g: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> Any:
    """The weights and the slopes of the scores, both rounded; None where no code serves."""
    out, _ = attend(q, k, v, mask, scale, causal)
    dots = np.einsum("...e,...e->...", recast(g, "f4"), recast(out, "f4"))
    pulled = single(g, v.swapaxes(-1, -2))
    scores, factor, length = _scores(q, k, mask, scale, causal)
    if pulled.shape != scores.shape:
        return None
    pulled, dots = np.ascontiguousarray(pulled), np.ascontiguousarray(dots)
    return generated.slopes(scores, pulled, dots, q.dtype, factor, length)


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
