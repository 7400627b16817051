"""Normalisation over batches, channels, groups and trailing dimensions, on ndarrays, with
gradients.

Every kernel sees its input as (rows, ...) or (N, C, L) and returns what the way back needs: mean
and 1 / deviation.
Half precision is computed in float32. No running statistics here: ``core.ops.norm`` keeps those.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.folds import fold_add
from flambeau.core.kernels.generate import channels
from flambeau.core.kernels.generate import layer as rows
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import channels_last

__all__ = [
    "IN_TURN",
    "batch",
    "batch_backward",
    "batch_stats",
    "channelwise",
    "laid",
    "layer",
    "layer_backward",
    "layer_sums_in_turn",
    "rms",
    "rms_backward",
    "wide",
]

_sum = fold_add


def wide(*arrays: Any) -> tuple[Any, ...]:
    """The arrays in a dtype that is summed in: float32 for half precision."""
    return tuple(recast(a, "f4") if a is not None and a.dtype.itemsize == 2 else a for a in arrays)


def per_channel(values: Any, ndim: int) -> Any:
    """(C) shaped to broadcast against (N, C, *)."""
    return values.reshape((1, -1) + (1,) * (ndim - 2))


def _axes(ndim: int) -> tuple[int, ...]:
    return (0, *range(2, ndim))


def batch_stats(x: Any) -> tuple[Any, Any, int]:
    """Mean and biased variance of every channel of (N, C, *), and how many numbers each took."""
    count = x.size // x.shape[1] if x.shape[1] else 0
    axes = _axes(x.ndim)
    scale = x.dtype.type(1.0 / max(count, 1))
    mean = _sum(x, axes) * scale
    centred = x - per_channel(mean, x.ndim)
    if centred.ndim == 2:
        variance = np.einsum("nc,nc->c", centred, centred) * scale
    else:
        flat = centred.reshape(x.shape[0], x.shape[1], prod(x.shape[2:]))
        variance = np.einsum("ncl,ncl->c", flat, flat) * scale
    return mean, variance, count


def laid(x: Any) -> Any:
    """The array row-major, or with its channels last: so lies what is made of it."""
    return x if x.flags.c_contiguous or channels_last(x) else np.ascontiguousarray(x)


def batch(x: Any, weight: Any, bias: Any, eps: float, stats: Any = None) -> tuple[Any, ...]:
    """(N, C, *) normalised by channel: the result, mean, biased variance and 1 / deviation, the
    first two taken from `stats` where they are given.
    """
    generated = channels.forward(x, weight, bias, stats, eps)
    if generated is not None:
        return generated  # type: ignore[no-any-return]
    mean, variance = stats or batch_stats(x)[:2]
    invstd = 1 / np.sqrt(variance + x.dtype.type(eps))
    return channelwise(x, mean, invstd, weight, bias), mean, variance, invstd


def channelwise(x: Any, mean: Any, invstd: Any, weight: Any, bias: Any) -> Any:
    """``(x - mean) * invstd * weight + bias`` with one number for each channel of (N, C, *)."""
    scale = invstd if weight is None else invstd * weight
    shift = -mean * scale
    if bias is not None:
        shift += bias
    found = x * per_channel(scale, x.ndim)
    found += per_channel(shift, x.ndim)
    return found


def batch_backward(
    g: Any, x: Any, weight: Any, mean: Any, invstd: Any, train: bool, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    """The gradients of batch normalisation for input, weight and bias.

    Reference: Ioffe, Szegedy, Batch normalization, 2015, arXiv:1502.03167.
    """
    x = laid(x)
    generated = channels.backward(g, x, weight, mean, invstd, train, needs)
    if generated is not None:
        return generated  # type: ignore[no-any-return]
    ndim, axes = x.ndim, _axes(x.ndim)
    count = x.size // max(x.shape[1], 1)
    total = _sum(g, axes) if (needs[0] and train) or needs[2] else None
    dot = None
    centred = None
    if (needs[0] and train) or needs[1]:
        centred = x - per_channel(mean, ndim)
        if ndim == 2:
            dot = np.einsum("nc,nc->c", g, centred)
        else:
            flat = (x.shape[0], x.shape[1], prod(x.shape[2:]))
            dot = np.einsum("ncl,ncl->c", g.reshape(flat), centred.reshape(flat))
    grad = None
    if needs[0]:
        scale = invstd if weight is None else invstd * weight
        if train:
            share = g.dtype.type(1.0 / max(count, 1))
            grad = centred
            grad *= per_channel(dot * invstd * invstd * -share, ndim)
            grad += g
            grad -= per_channel(total * share, ndim)
            grad *= per_channel(scale, ndim)
        else:
            grad = g * per_channel(scale, ndim)
    return grad, dot * invstd if needs[1] else None, total if needs[2] else None


def layer(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """Rows (M, D) normalised: the result, the mean and 1 / deviation of every row as (M, 1)."""
    generated = rows.normalized(x, weight, bias, eps)
    if generated is not None:
        return generated  # type: ignore[no-any-return]
    share = x.dtype.type(1.0 / max(x.shape[1], 1))
    mean = _sum(x, 1, None, None, True) * share
    found = x - mean
    rstd = np.einsum("md,md->m", found, found)[:, None] * share
    rstd += x.dtype.type(eps)
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    found *= rstd
    if weight is not None:
        found *= weight
    if bias is not None:
        found += bias
    return found, mean, rstd


def rms(x: Any, weight: Any, eps: float) -> tuple[Any, Any]:
    """Rows (M, D) over their root mean square: the result, and 1 / root of every row as (M, 1)."""
    generated = rows.normalized(x, weight, None, eps, False)
    if generated is not None:
        return generated[0], generated[2]
    share = x.dtype.type(1.0 / max(x.shape[1], 1))
    rstd = np.einsum("md,md->m", x, x)[:, None] * share
    rstd += x.dtype.type(eps)
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    found = x * rstd
    return (found if weight is None else found * weight), rstd


def rms_backward(
    g: Any, x: Any, weight: Any, rstd: Any, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    """The gradients of :func:`rms` for input and weight."""
    generated = rows.normalized_backward(g, x, weight, None, rstd, (*needs, False))
    if generated is not None:
        return generated[:2]  # type: ignore[no-any-return]
    normal = x * rstd
    slope = np.einsum("md,md->d", g, normal) if needs[1] else None
    if not needs[0]:
        return None, slope
    scaled = g if weight is None else g * weight
    share = x.dtype.type(1.0 / max(x.shape[1], 1))
    normal *= np.einsum("md,md->m", scaled, normal)[:, None] * share
    grad = scaled - normal
    grad *= rstd
    return grad, slope


IN_TURN = 256
"""Rows that PyTorch's sum of 16-bit floats is followed for; of more, its threads each keep one."""


def layer_sums_in_turn(
    g: Any, x: Any, mean: Any, rstd: Any, dtype: Any, needs: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The gradients of :func:`layer` for 16-bit weight and bias, rounded at every row, of float32
    arrays.
    """
    slope = _in_turn(g * ((x - mean) * rstd), dtype) if needs[1] else None
    return slope, _in_turn(g, dtype) if needs[2] else None


def _in_turn(rows: Any, dtype: Any) -> Any:
    total = np.zeros(rows.shape[1:], "f4")
    for row in rows:
        total = (total + row).astype(dtype).astype("f4")
    return total.astype(dtype)


def layer_backward(
    g: Any, x: Any, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    """The gradients of :func:`layer` for input, weight and bias."""
    generated = rows.normalized_backward(g, x, weight, mean, rstd, needs)
    if generated is not None:
        return generated  # type: ignore[no-any-return]
    grad = slope = None
    if needs[0] or needs[1]:
        normal = x - mean
        normal *= rstd
        if needs[1]:
            slope = np.einsum("md,md->d", g, normal)
        if needs[0]:
            share = x.dtype.type(1.0 / max(x.shape[1], 1))
            scaled = g if weight is None else g * weight
            dot = np.einsum("md,md->m", scaled, normal)[:, None] * share
            normal *= dot
            grad = scaled - normal
            grad -= _sum(scaled, 1, None, None, True) * share
            grad *= rstd
    return grad, slope, _sum(g, 0) if needs[2] else None
