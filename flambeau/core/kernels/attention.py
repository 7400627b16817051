"""Softmax attention on ndarrays, batched over leading dimensions, and its gradients: in generated
code where that serves, else by NumPy.

Generated code keeps each row's maximum and sum, from which it makes the weights again to the last
digit: memory grows with the length, not with its square. The NumPy form makes its own again.
Stands on generate.attention.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import attention as generated
from flambeau.core.kernels.softmax import softmax_backward

__all__ = ["attend", "attend_backward", "causal_mask"]


def causal_mask(rows: int, columns: int) -> Any:
    """True where row i may look at column j: ``j <= i``."""
    return np.tri(rows, columns, dtype=bool)


def attend(q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any]:
    """``softmax(scale q k^T + mask) v``, and of each row the maximum and one over the sum, side by
    side (*, L, 2). A row that may look nowhere gives zeros, its sum counts as infinite.

    Args:
        q: (*, L, E). k: (*, S, E). v: (*, S, Ev).
        mask: None, bool (True may look) or numbers to add, broadcast to (*, L, S).
        causal: whether row i looks at rows up to i, where there is no mask.
    """
    plain = _plain(q, k, v)
    lead = q.shape[:-2] if plain else np.broadcast_shapes(*(a.shape[:-2] for a in (q, k, v)))
    shape = (*lead, q.shape[-2], v.shape[-1])
    as_query = plain and q.ndim == 4 and shape == q.shape
    out = _ordered(shape, q) if as_query else np.empty(shape, q.dtype)
    if plain:
        q4, k4, v4 = (_four(_dense(a)) for a in (q, k, v))
        sums = generated.forward(q4, k4, v4, _four(mask), scale, causal, _four(out))
        if sums is not None:
            return out, sums.reshape(*shape[:-1], 2)
    weights, sums = _weights(q, k, mask, scale, causal)
    return np.matmul(weights, v, out=out), sums


def _plain(q: Any, k: Any, v: Any) -> bool:
    """Whether there is nothing to broadcast, and at most two leading dimensions."""
    return q.ndim <= 4 and q.shape[:-2] == k.shape[:-2] == v.shape[:-2]


def _four(array: Any) -> Any:
    """(N, H, rows, columns), the last dimension contiguous."""
    if array is None:
        return None
    if array.ndim < 4:  # a mask's dimensions count from the end
        array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    return array


def _ordered(shape: Any, like: Any) -> Any:
    """An array with its dimensions in memory as another's."""
    if like.flags.c_contiguous:
        return memory.empty(shape, like.dtype)
    order = sorted(range(like.ndim), key=lambda d: -like.strides[d])
    fresh = memory.empty(tuple(shape[d] for d in order), like.dtype)
    return fresh.transpose(sorted(range(like.ndim), key=order.__getitem__))


def _weights(q: Any, k: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any]:
    """The softmax (*, L, S), and the maximum and one over the sum of its rows."""
    t = q.dtype.type
    scores = np.matmul(q * t(scale), k.swapaxes(-1, -2))
    if causal:
        mask = causal_mask(q.shape[-2], k.shape[-2])
    if mask is not None:
        scores = np.where(mask, scores, t(-np.inf)) if mask.dtype == bool else scores + mask
    sums = np.zeros((*scores.shape[:-1], 2), scores.dtype)
    if scores.shape[-1]:
        top = scores.max(-1)
        np.copyto(sums[..., 0], top, where=~np.isneginf(top))
        scores = np.exp(scores - sums[..., :1])
        total = scores.sum(-1)
        np.divide(1, total, out=sums[..., 1], where=total != 0)
        scores *= sums[..., 1:]
    return scores, sums


def attend_backward(
    g: Any, q: Any, k: Any, v: Any, mask: Any, sums: Any, scale: float, causal: bool,
    needs: tuple[bool, bool, bool, bool],
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Gradients for q, k, v and an added mask."""
    plain = _plain(q, k, v)
    fused = plain and q.shape[-1] == v.shape[-1]
    into = [_gradient(a, fused) if plain else None for a in (q, k, v)]
    if plain and not needs[3] and any(needs):
        g4, q4, k4, v4 = (_four(_dense(a)) for a in (g, q, k, v))
        found = (_four(into[0]), _four(into[1]), _four(into[2]))
        if generated.backward(g4, q4, k4, v4, _four(mask), sums, scale, causal, found):
            return into[0], into[1], into[2], None
    soft = _weights(q, k, mask, scale, causal)[0]
    grad_v = np.matmul(soft.swapaxes(-1, -2), g, out=into[2]) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, grad_v, None
    slope = softmax_backward(np.matmul(g, v.swapaxes(-1, -2)), soft, -1)
    grad_mask = slope if needs[3] else None
    slope = slope * q.dtype.type(scale)
    grad_q = np.matmul(slope, k, out=into[0]) if needs[0] else None
    grad_k = np.matmul(slope.swapaxes(-1, -2), q, out=into[1]) if needs[1] else None
    return grad_q, grad_k, grad_v, grad_mask


def _dense(array: Any) -> Any:
    """The array with a contiguous last dimension: one number repeated is written out."""
    return array if array.strides[-1] == array.itemsize else np.ascontiguousarray(array)


def _gradient(array: Any, fused: bool) -> Any:
    """Where a gradient is written: heads side by side where PyTorch's fused form has them so."""
    if array.ndim < 4 or not fused:
        return np.empty(array.shape, array.dtype)
    N, H, rows, width = array.shape
    return memory.empty((N, rows, H, width), array.dtype).transpose(0, 2, 1, 3)
