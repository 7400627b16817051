"""Softmax attention on ndarrays, batched over leading dimensions: forward with the weights kept,
and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.softmax import softmax_backward

__all__ = ["attend", "attend_backward", "causal"]


def causal(rows: int, columns: int) -> Any:
    """True where row i may look at column j: ``j <= i``."""
    return np.tri(rows, columns, dtype=bool)


def attend(q: Any, k: Any, v: Any, mask: Any, scale: float) -> tuple[Any, Any]:
    """``softmax(scale q k^T + mask) v`` and the softmax; a row that may look nowhere gives zeros.

    Args:
        q: (*, L, E). k: (*, S, E). v: (*, S, Ev).
        mask: None, bool (True may look) or numbers to add, broadcast to (*, L, S).
    """
    t = q.dtype.type
    scores = np.matmul(q * t(scale), k.swapaxes(-1, -2))
    if mask is not None:
        if mask.dtype == bool:
            scores = np.where(mask, scores, t(-np.inf))
        else:
            scores = scores + mask
    if scores.shape[-1]:
        top = scores.max(-1, keepdims=True)
        if mask is not None:
            top = np.where(np.isneginf(top), t(0), top)
        scores -= top
        np.exp(scores, out=scores)
        total = scores.sum(-1, keepdims=True)
        if mask is not None:
            total = np.where(total == 0, t(1), total)
        scores /= total
    return np.matmul(scores, v), scores


def attend_backward(
    g: Any, q: Any, k: Any, v: Any, weights: Any, scale: float, needs: tuple[bool, bool, bool, bool]
) -> tuple[Any, Any, Any, Any]:
    """Gradients for q, k, v and an added mask."""
    t = q.dtype.type
    grad_v = np.matmul(weights.swapaxes(-1, -2), g) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, grad_v, None
    scores = softmax_backward(np.matmul(g, v.swapaxes(-1, -2)), weights, -1)
    mask = scores.copy() if needs[3] else None
    scores *= t(scale)
    grad_q = np.matmul(scores, k) if needs[0] else None
    grad_k = np.matmul(scores.swapaxes(-1, -2), q) if needs[1] else None
    return grad_q, grad_k, grad_v, mask
