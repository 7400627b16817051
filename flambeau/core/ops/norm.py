"""Normalisation as operations: batch, layer, group, instance, RMS; the running statistics are kept here.

The way back is one kernel; asked for a graph, the rule recomputes in operations. The sums are in ``kernels.norm``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import norm as kernels
from flambeau.core.ops.windowing import refuse_dtype
from flambeau.core.rules import both
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray


def _first(g: Any) -> Any:
    return g[0] if isinstance(g, (tuple, list)) else g


def _cast(array: Any, dtype: Any) -> Any:
    return array if array is None or array.dtype == dtype else array.astype(dtype)


@both
def _batch_rule(
    g: Any, input: Any, weight: Any, mean: Any, invstd: Any, training: bool, eps: float, needs: Any
) -> Any:  # fmt: skip
    g = _first(g)
    if g is None:
        return None, None, None
    if type(input) is nd:
        dtype = g.dtype
        g, input, weight = kernels.wide(g, input, weight)
        weight = _cast(weight, input.dtype)
        found = kernels.batch_backward(g, input, weight, mean, invstd, training, needs)
        return (_cast(found[0], dtype), *found[1:])
    axes = (0, *range(2, input.ndim))
    shape = (1, -1) + (1,) * (input.ndim - 2)
    if training:
        centred = input - ops.mean(input, axes, True)
        scale = ops.rsqrt(ops.mean(centred * centred, axes, True) + eps)
    else:
        centred = input - mean.detach().reshape(shape)
        scale = invstd.detach().reshape(shape)
    normal = centred * scale
    slope = ops.sum(g * normal, axes) if needs[1] else None
    grad = None
    if needs[0]:
        scaled = g if weight is None else g * weight.reshape(shape)
        if training:
            grad = scale * (scaled - ops.mean(scaled, axes, True) - normal * ops.mean(scaled * normal, axes, True))
        else:
            grad = scale * scaled
    return grad, slope, ops.sum(g, axes) if needs[2] else None


def _batch_shapes(input: Any, *rest: Any) -> Any:
    stats = (input.shape[1],)
    kind = np.dtype("f4") if input.dtype.itemsize == 2 else input.dtype
    return (input.shape, input.dtype), (stats, kind), (stats, kind)


@primitive(
    outputs=("out", "mean", "invstd"), differentiable=("out",), name="_native_batch_norm", node="NativeBatchNorm",
    function=False, method=False, vjp={("input", "weight", "bias"): _batch_rule}, infer=_batch_shapes,
)  # fmt: skip
def _native_batch_norm(
    input, weight=None, bias=None, running_mean=None, running_var=None, training: bool = True, momentum: float = 0.1,
    eps: float = 1e-5,
):  # fmt: skip
    """Batch normalisation of (N, C, *): the result, and the mean and 1 / deviation it took."""
    _check_channels(input, weight, bias, running_mean, running_var, training)
    dtype = input.dtype
    x, w, b = kernels.wide(input, weight, bias)
    w, b = _cast(w, x.dtype), _cast(b, x.dtype)
    if training:
        mean, variance, count = kernels.batch_stats(x)
        invstd = 1 / np.sqrt(variance + x.dtype.type(eps))
        for running, new in (
            (running_mean, mean),
            (running_var, variance if count < 2 else variance * x.dtype.type(count / (count - 1))),
        ):
            if running is not None:
                if running is running_var and count < 2:
                    new = np.full_like(variance, np.nan)
                running[...] = (1 - momentum) * running + momentum * new.astype(running.dtype, copy=False)
        return _cast(kernels.channelwise(x, mean, invstd, w, b), dtype), mean, invstd
    mean = _cast(running_mean, x.dtype)
    invstd = 1 / np.sqrt(_cast(running_var, x.dtype) + x.dtype.type(eps))
    return _cast(kernels.channelwise(x, mean, invstd, w, b), dtype), mean, invstd


def _check_channels(input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool) -> None:
    """Sizes of everything that has one number for each channel.

    Raises:
        RuntimeError: one does not fit, or statistics are missing for evaluation.
    """
    refuse_dtype("batch_norm", input.dtype, "f")
    if input.ndim < 2:
        raise fail(
            RuntimeError, "batch_norm", f"Expected 2 or more dimensions (N, C, *), but input has {input.ndim}."
        )
    channels = input.shape[1]
    named = (("weight", weight), ("bias", bias), ("running_mean", running_mean), ("running_var", running_var))
    for name, value in named:
        if value is None:
            if name.startswith("running") and not training:
                raise fail(
                    RuntimeError,
                    "batch_norm",
                    f"{name} must be defined in evaluation mode: give running statistics, or training=True.",
                )
        elif value.size != channels:
            raise fail(
                RuntimeError,
                "batch_norm",
                f"{name} should contain {channels} elements not {value.size}: input {list(input.shape)} has {channels} "
                "channels in dimension 1. Check num_features.",
            )


@composite()
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over (N, C, *), by channel.

    Training takes mean and variance of the batch and moves the running ones towards them.

    Reference: Ioffe, Szegedy, Batch normalization, 2015, arXiv:1502.03167.
    """
    if not input.numel():
        found = input.clone() if weight is None else input * weight[0]
        return found if bias is None else found + bias[0]
    return ops._native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite()
def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    *,
    out: Any = None,
) -> Any:
    """:func:`batch_norm` with the batch's mean and 1 / deviation beside the result; in evaluation these are empty."""
    found = ops._native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)
    if not training:
        found = (found[0], *(ops.zeros(0, dtype=each.dtype, device=each.device) for each in found[1:]))
    if out is not None:
        from flambeau.core.output import write_one

        return tuple(write_one("native_batch_norm", f, o) for f, o in zip(found, out, strict=True))
    return found


def _rows(input: Any, normalized_shape: Any) -> tuple[int, int]:
    width = prod(normalized_shape)
    return prod(input.shape[: input.ndim - len(normalized_shape)]), width


@both
def _layer_rule(
    g: Any, input: Any, weight: Any, mean: Any, rstd: Any, normalized_shape: Any, eps: float, needs: Any
) -> Any:
    g = _first(g)
    if g is None:
        return None, None, None
    count = len(normalized_shape)
    if type(input) is nd:
        dtype, shape = g.dtype, input.shape
        g, input, weight, mean, rstd = kernels.wide(g, input, weight, mean, rstd)
        rows = _rows(input, normalized_shape)
        flat = None if weight is None else _cast(weight, input.dtype).reshape(-1)
        found = kernels.layer_backward(
            g.reshape(rows), input.reshape(rows), flat, mean.reshape(-1, 1), rstd.reshape(-1, 1), needs
        )
        grad = None if found[0] is None else _cast(found[0].reshape(shape), dtype)
        return grad, *(None if each is None else each.reshape(normalized_shape) for each in found[1:])
    axes = tuple(range(input.ndim - count, input.ndim))
    lead = tuple(range(input.ndim - count))
    centred = input - ops.mean(input, axes, True)
    scale = ops.rsqrt(ops.mean(centred * centred, axes, True) + eps)
    normal = centred * scale
    scaled = g if weight is None else g * weight
    grad = None
    if needs[0]:
        grad = scale * (scaled - ops.mean(scaled, axes, True) - normal * ops.mean(scaled * normal, axes, True))
    slope = shift = None
    if needs[1]:
        slope = ops.sum(g * normal, lead) if lead else g * normal
    if needs[2]:
        shift = ops.sum(g, lead) if lead else g
    return grad, slope, shift


def _layer_shapes(input: Any, normalized_shape: Any, *rest: Any) -> Any:
    stats = input.shape[: input.ndim - len(normalized_shape)] + (1,) * len(normalized_shape)
    return (input.shape, input.dtype), (stats, input.dtype), (stats, input.dtype)


@primitive(
    outputs=("out", "mean", "rstd"), differentiable=("out",), name="_native_layer_norm", node="NativeLayerNorm",
    function=False, method=False, vjp={("input", "weight", "bias"): _layer_rule}, infer=_layer_shapes,
)  # fmt: skip
def _native_layer_norm(input, normalized_shape: Any, weight=None, bias=None, eps: float = 1e-5):
    """Layer normalisation: the result, and mean and 1 / deviation of every row."""
    _check_normalized("layer_norm", input, normalized_shape, weight, bias)
    dtype, shape = input.dtype, input.shape
    x, w, b = kernels.wide(input, weight, bias)
    w = None if w is None else _cast(w, x.dtype).reshape(-1)
    b = None if b is None else _cast(b, x.dtype).reshape(-1)
    found, mean, rstd = kernels.layer(x.reshape(_rows(x, normalized_shape)), w, b, eps)
    stats = shape[: len(shape) - len(normalized_shape)] + (1,) * len(normalized_shape)
    return tuple(_cast(each, dtype) for each in (found.reshape(shape), mean.reshape(stats), rstd.reshape(stats)))


def _check_normalized(op: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> None:
    """Whether the input ends in `normalized_shape`.

    Raises:
        RuntimeError: it does not, or weight or bias have another shape.
    """
    refuse_dtype(op, input.dtype, "f")
    if len(normalized_shape) < 1:
        raise fail(
            RuntimeError, op, "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element."
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != tuple(normalized_shape):
            raise fail(
                RuntimeError,
                op,
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(value.shape)} and "
                f"normalized_shape = {list(normalized_shape)}",
            )
    if tuple(input.shape[-len(normalized_shape) :]) != tuple(normalized_shape):
        raise fail(
            RuntimeError,
            op,
            f"Given normalized_shape={list(normalized_shape)}, expected input with shape "
            f"[*, {', '.join(map(str, normalized_shape))}], but got input of size {list(input.shape)}",
        )


@composite()
def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over the trailing dimensions.

    Reference: Ba, Kiros, Hinton, Layer normalization, 2016, arXiv:1607.06450.
    """
    return ops._native_layer_norm(input, _sizes(normalized_shape), weight, bias, eps)[0]


def _sizes(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


@composite()
def native_layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, eps: float, *, out: Any = None
) -> Any:
    """:func:`layer_norm` with the mean and 1 / deviation of every row beside the result."""
    return ops._native_layer_norm(input, _sizes(normalized_shape), weight, bias, eps)


@composite()
def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Batch normalisation of every sample of (N, C, *) by itself: N C channels of one sample.

    Raises:
        RuntimeError: no statistics to take.

    Reference: Ulyanov et al., Instance normalization, 2016, arXiv:1607.08022.
    """
    if not use_input_stats and (running_mean is None or running_var is None):
        raise fail(
            RuntimeError, "instance_norm", "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    batch, channels = input.shape[0], input.shape[1]
    shape = tuple(input.shape)

    def repeated(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.repeat(batch)

    mean, variance = repeated(running_mean), repeated(running_var)
    flat = input.contiguous().reshape(1, batch * channels, *shape[2:])
    found = batch_norm(flat, repeated(weight), repeated(bias), mean, variance, use_input_stats, momentum, eps)
    if use_input_stats:
        for running, new in ((running_mean, mean), (running_var, variance)):
            if running is not None and new is not None and type(running._array) is nd:
                running._array[...] = new._array.reshape(batch, channels).mean(0)
    return found.reshape(shape)


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
        dtype = g.dtype
        g, input, weight, mean, rstd = kernels.wide(g, input, weight, mean, rstd)
        x, gradient = input.reshape(batch, channels, length), g.reshape(batch, channels, length)
        slope = shift = grad = None
        rows = (batch * num_groups, width)
        if needs[2]:
            shift = np.add.reduce(gradient, (0, 2))
        if needs[1]:
            normal = (input.reshape(rows) - mean.reshape(-1, 1)) * rstd.reshape(-1, 1)
            slope = np.einsum("ncl,ncl->c", gradient, normal.reshape(x.shape))
        if needs[0]:
            scaled = gradient if weight is None else gradient * _cast(weight, x.dtype)[:, None]
            grad = kernels.layer_backward(
                scaled.reshape(rows), input.reshape(rows), None, mean.reshape(-1, 1), rstd.reshape(-1, 1), (True, False, False)
            )[0]
            grad = _cast(grad.reshape(shape), dtype)
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
        grad = scale * (scaled - ops.mean(scaled, -1, True) - normal * ops.mean(scaled * normal, -1, True))
        grad = grad.reshape(shape)
    return grad, slope, ops.sum(g.reshape(flat), (0, 2)) if needs[2] else None


def _group_with_stats(
    g: Any, input: Any, weight: Any, mean: Any, rstd: Any, num_groups: int, eps: float, needs: Any
) -> Any:
    """The rule where the mean or 1 / deviation was used too: a step of each, for arrays and Tensors."""
    if g[0] is None:
        grad, slope, shift = 0 * input, None, None
    else:
        grad, slope, shift = _group_rule((g[0], None, None), input, weight, mean, rstd, num_groups, eps, needs)
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
            grad = grad - (centred * (scale * g[2].reshape(stats)) * share).reshape(tuple(input.shape))
    return grad, slope, shift


def _check_groups(input: Any, num_groups: int, weight: Any, bias: Any) -> None:
    """Channels that divide into groups, one number of weight and bias each.

    Raises:
        RuntimeError: they do not.
    """
    shape = list(input.shape)
    if num_groups <= 0:
        raise fail(RuntimeError, "group_norm", f"Expected num groups to be greater than 0, got {num_groups}")
    if input.shape[1] % num_groups:
        raise fail(
            RuntimeError,
            "group_norm",
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {shape} and "
            f"num_groups={num_groups}",
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != (shape[1],):
            raise fail(
                RuntimeError,
                "group_norm",
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{list(value.shape)} and input of shape {shape}",
            )


def _group_shapes(input: Any, num_groups: int, *rest: Any) -> Any:
    stats = (input.shape[0], num_groups)
    return (input.shape, input.dtype), (stats, input.dtype), (stats, input.dtype)


@primitive(
    outputs=("out", "mean", "rstd"), name="_native_group_norm", node="NativeGroupNorm",
    function=False, method=False, vjp={("input", "weight", "bias"): _group_rule}, infer=_group_shapes,
)  # fmt: skip
def _native_group_norm(input, num_groups: int, weight=None, bias=None, eps: float = 1e-5):
    """Group normalisation of (N, C, *): the result, and mean and 1 / deviation of every group."""
    refuse_dtype("group_norm", input.dtype, "f")
    _check_groups(input, num_groups, weight, bias)
    dtype, shape = input.dtype, input.shape
    x, w, b = kernels.wide(input, weight, bias)
    batch, channels = shape[:2]
    rows = (batch * num_groups, channels // num_groups * prod(shape[2:]))
    found, mean, rstd = kernels.layer(x.reshape(rows), None, None, eps)
    found = found.reshape(batch, channels, -1) if x.size else found.reshape(batch, channels, 0)
    if w is not None:
        found *= _cast(w, x.dtype)[:, None]
    if b is not None:
        found += _cast(b, x.dtype)[:, None]
    stats = (batch, num_groups)
    return tuple(_cast(each, dtype) for each in (found.reshape(shape), mean.reshape(stats), rstd.reshape(stats)))


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


@composite()
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``input / sqrt(mean(input^2) + eps) * weight`` over the trailing dimensions; eps is the dtype's by default.

    Reference: Zhang, Sennrich, Root mean square layer normalization, 2019, arXiv:1910.07467.
    """
    sizes = _sizes(normalized_shape)
    _check_rms(input, sizes, weight)
    wide = input.float() if input.dtype.itemsize == 2 else input
    if eps is None:
        from flambeau.core.dtypes import finfo

        eps = finfo(wide.dtype.to_real()).eps
    dims = tuple(range(-len(sizes), 0))
    found = wide * ops.rsqrt((wide * wide).mean(dims, keepdim=True) + eps)
    if weight is not None:
        found = found * weight
    return found if found.dtype == input.dtype else found.to(input.dtype)


def _check_rms(input: Tensor, sizes: tuple[int, ...], weight: Tensor | None) -> None:
    if not sizes:
        raise fail(
            RuntimeError, "rms_norm", "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element."
        )
    if weight is not None and tuple(weight.shape) != sizes:
        raise fail(
            RuntimeError,
            "rms_norm",
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape {list(weight.shape)} and "
            f"normalized_shape = {list(sizes)}",
        )
    if tuple(input.shape[-len(sizes) :]) != sizes:
        raise fail(
            RuntimeError,
            "rms_norm",
            f"Given normalized_shape={list(sizes)}, expected input with shape [*, {', '.join(map(str, sizes))}], but got "
            f"input of size {list(input.shape)}",
        )
