"""Normalisation over groups of channels as an operation. Batches are in ``norm``.

The sums are in ``kernels.norm``; asked for a graph, the rule recomputes in operations.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import norm as kernels
from flambeau.core.kernels.generate import groups, groups_last
from flambeau.core.kernels.windows import channels_last, empty
from flambeau.core.ops.norm import _cast, stats_dtype
from flambeau.core.ops.norm_layer import _shaped
from flambeau.core.ops.windowing import refuse_mixed
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray


@both
def _group_rule(
    g: Any, input: Any, weight: Any, mean: Any, rstd: Any, num_groups: int, eps: float, needs: Any
) -> Any:
    if g[1] is not None or g[2] is not None:
        return _group_with_stats(g, input, weight, mean, rstd, num_groups, eps, needs)
    g = g[0]
    if g is None:
        return None, None, None
    batch, channels = input.shape[:2]
    shape = tuple(input.shape)
    length = prod(shape[2:])
    width = channels // num_groups * length
    if type(input) is nd:
        dtype, last = g.dtype, channels_last(input)
        stats = mean.reshape(batch, num_groups), rstd.reshape(batch, num_groups)
        if last:
            found = groups_last.backward(g, input, num_groups, weight, *stats, needs)
            if found is not None:
                return found
        x, gradient = input.reshape(batch, channels, length), g.reshape(batch, channels, length)
        found = groups.backward(gradient, x, num_groups, weight, *stats, needs)
        if found is not None:
            grad = None if found[0] is None else _lying(_shaped(found[0], shape), last)
            return grad, *found[1:]
        gradient, x, weight, mean, rstd = kernels.wide(gradient, x, weight, mean, rstd)
        input = x
        slope = shift = grad = None
        rows: tuple[int, ...] = (batch * num_groups, width)
        if needs[2]:
            shift = np.add.reduce(gradient, (0, 2))
        if needs[1]:
            normal = (input.reshape(rows) - mean.reshape(-1, 1)) * rstd.reshape(-1, 1)
            slope = np.einsum("ncl,ncl->c", gradient, normal.reshape(x.shape))
        if needs[0]:
            scaled = gradient if weight is None else gradient * _cast(weight, x.dtype)[:, None]
            grad = kernels.layer_backward(
                scaled.reshape(rows),
                input.reshape(rows),
                None,
                mean.reshape(-1, 1),
                rstd.reshape(-1, 1),
                (True, False, False),
            )[0]
            grad = _lying(_cast(grad.reshape(shape), dtype), last)
        return grad, slope, shift
    rows = (batch, num_groups, width)
    x = input.reshape(rows)
    centred = x - ops.mean(x, -1, True)
    scale = ops.rsqrt(ops.mean(centred * centred, -1, True) + eps)
    normal = centred * scale
    flat = (batch, channels, length)
    slope = ops.sum(g.reshape(flat) * normal.reshape(flat), (0, 2)) if needs[1] else None
    grad = None
    if needs[0]:
        scaled = g if weight is None else g.reshape(flat) * weight.reshape(1, -1, 1)
        scaled = scaled.reshape(rows)
        grad = scale * (
            scaled - ops.mean(scaled, -1, True) - normal * ops.mean(scaled * normal, -1, True)
        )
        grad = grad.reshape(shape)
    return grad, slope, ops.sum(g.reshape(flat), (0, 2)) if needs[2] else None


def _group_with_stats(
    g: Any, input: Any, weight: Any, mean: Any, rstd: Any, num_groups: int, eps: float, needs: Any
) -> Any:
    """The rule where the mean or 1 / deviation was used too: a step of each, for arrays and
    Tensors."""
    if g[0] is None:
        grad, slope, shift = 0 * input, None, None
    else:
        grad, slope, shift = _group_rule(
            (g[0], None, None), input, weight, mean, rstd, num_groups, eps, needs
        )
    width = input.shape[1] // num_groups * prod(input.shape[2:])
    x = input.reshape(input.shape[0], num_groups, width)
    share = 1.0 / max(width, 1)
    if needs[0]:
        stats = (input.shape[0], num_groups, 1)
        if g[1] is not None:
            grad = grad + (0 * x + g[1].reshape(stats) * share).reshape(tuple(input.shape))
        if g[2] is not None:
            centred = x - x.mean(2).reshape(stats)
            scale = ((centred * centred).mean(2).reshape(stats) + eps) ** -1.5
            grad = grad - (centred * (scale * g[2].reshape(stats)) * share).reshape(
                tuple(input.shape)
            )
    return grad, slope, shift


def _check_groups(input: Any, num_groups: int, weight: Any, bias: Any) -> None:
    """Channels that divide into groups, one number of weight and bias each.

    Raises:
        RuntimeError: they do not.
    """
    shape = list(input.shape)
    if num_groups <= 0:
        raise fail(
            RuntimeError,
            "group_norm",
            f"Expected num groups to be greater than 0, got {num_groups}",
        )
    if input.shape[1] % num_groups:
        raise fail(
            RuntimeError,
            "group_norm",
            "Expected number of channels in input to be divisible by num_groups, but got input "
            f"of shape {shape} and "
            f"num_groups={num_groups}",
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != (shape[1],):
            raise fail(
                RuntimeError,
                "group_norm",
                f"Expected {name} to be a vector of size equal to the number of channels in "
                f"input, but got {name} of shape "
                f"{list(value.shape)} and input of shape {shape}",
            )


def _group_shapes(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, *rest: Any
) -> Any:
    stats, kind = (input.shape[0], num_groups), stats_dtype(input, weight, bias)
    return (input.shape, input.dtype), (stats, kind), (stats, kind)


def _lying(array: Any, last: bool) -> Any:
    """The array, or a copy with the channels last."""
    if not last:
        return array
    found = empty(array.shape, array.dtype, True)
    found[...] = array
    return found


@primitive(
    outputs=("out", "mean", "rstd"),
    name="_native_group_norm",
    node="NativeGroupNorm",
    function=False,
    method=False,
    vjp={("input", "weight", "bias"): _group_rule},
    infer=_group_shapes,
)
def _native_group_norm(input, num_groups: int, weight=None, bias=None, eps: float = 1e-5):
    """Group normalisation of (N, C, *): the result, and mean and 1 / deviation of every group."""
    refuse_mixed("group_norm", input, weight, bias)
    refuse_dtype("group_norm", input.dtype, "f")
    _check_groups(input, num_groups, weight, bias)
    dtype, shape = input.dtype, input.shape
    kept = stats_dtype(input, weight, bias)
    batch, channels = shape[:2]
    length = prod(shape[2:])
    stats = (batch, num_groups)
    last = channels_last(input)
    if last:
        generated = groups_last.forward(input, num_groups, weight, bias, eps)
        if generated is not None:
            return generated[0], *(_cast(each, kept) for each in generated[1:])
    flat = input.reshape(batch, channels, length)
    generated = groups.forward(flat, num_groups, weight, bias, eps)
    if generated is not None:
        out, mean, rstd = generated
        return _lying(_shaped(out, shape), last), _cast(mean, kept), _cast(rstd, kept)
    x, w, b = kernels.wide(input, weight, bias)
    w, b = (None if each is None else _cast(each, x.dtype) for each in (w, b))
    rows = (batch * num_groups, channels // num_groups * length)
    found, mean, rstd = kernels.layer(x.reshape(rows), None, None, eps)
    found = found.reshape(batch, channels, -1) if x.size else found.reshape(batch, channels, 0)
    if w is not None:
        found *= w[:, None]
    if b is not None:
        found += b[:, None]
    mean, rstd = (_cast(each.reshape(stats), kept) for each in (mean, rstd))
    return _lying(_cast(found.reshape(shape), dtype), last), mean, rstd


@composite()
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Normalisation of every sample's groups of channels.

    Reference: Wu, He, Group normalization, 2018, arXiv:1803.08494.
    """
    return ops._native_group_norm(input, num_groups, weight, bias, eps)[0]


@composite()
def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> Any:
    """:func:`group_norm` with the mean and 1 / deviation of every group beside the result."""
    return ops._native_group_norm(input, group, weight, bias, eps)
