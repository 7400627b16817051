"""Normalisation over trailing dimensions as operations: layer and RMS. Batches are in ``norm``.

The sums are in ``kernels.norm``; asked for a graph, the rule recomputes in operations.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import norm as kernels
from flambeau.core.kernels.generate import layer as generated
from flambeau.core.kernels.native.casts import recast
from flambeau.core.ops.norm import _cast, _first, stats_dtype
from flambeau.core.ops.windowing import refuse_mixed
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray


def _rows(input: Any, normalized_shape: Any) -> tuple[int, int]:
    width = prod(normalized_shape)
    return prod(input.shape[: input.ndim - len(normalized_shape)]), width


def _sums_in_turn(
    dtype: Any, g: Any, input: Any, mean: Any, rstd: Any, normalized_shape: Any, needs: Any
) -> tuple[Any, Any] | None:
    """The gradients of 16-bit weight and bias, of few rows."""
    rows = _rows(input, normalized_shape)
    if dtype.itemsize > 2 or rows[0] > kernels.IN_TURN or not (needs[1] or needs[2]):
        return None
    g, input, mean, rstd = kernels.wide(g, input, mean, rstd)
    stats = (mean.reshape(-1, 1), rstd.reshape(-1, 1))
    return kernels.layer_sums_in_turn(g.reshape(rows), input.reshape(rows), *stats, dtype, needs)


@both
def _layer_rule(
    g: Any,
    input: Any,
    weight: Any,
    mean: Any,
    rstd: Any,
    normalized_shape: Any,
    eps: float,
    needs: Any,
) -> Any:
    g = _first(g)
    if g is None:
        return None, None, None
    count = len(normalized_shape)
    if type(input) is nd:
        found = generated.normalized_backward(g, input, weight, mean, rstd, needs)
        if found is not None:
            sums = _sums_in_turn(g.dtype, g, input, mean, rstd, normalized_shape, needs)
            found = found if sums is None else (found[0], *sums)
            return found if count == 1 else _in_shape(found, normalized_shape)
        dtype, shape = g.dtype, input.shape
        g, input, weight, mean, rstd = kernels.wide(g, input, weight, mean, rstd)
        rows = _rows(input, normalized_shape)
        flat = None if weight is None else _cast(weight, input.dtype).reshape(-1)
        found = kernels.layer_backward(
            g.reshape(rows),
            input.reshape(rows),
            flat,
            mean.reshape(-1, 1),
            rstd.reshape(-1, 1),
            needs,
        )
        grad = None if found[0] is None else _cast(_shaped(found[0], shape), dtype)
        sums = _sums_in_turn(dtype, g, input, mean, rstd, normalized_shape, needs) or found[1:]
        return _in_shape((grad, *sums), normalized_shape)
    axes = tuple(range(input.ndim - count, input.ndim))
    lead = tuple(range(input.ndim - count))
    centred = input - ops.mean(input, axes, True)
    scale = ops.rsqrt(ops.mean(centred * centred, axes, True) + eps)
    normal = centred * scale
    scaled = g if weight is None else g * weight
    grad = None
    if needs[0]:
        grad = scale * (
            scaled - ops.mean(scaled, axes, True) - normal * ops.mean(scaled * normal, axes, True)
        )
    slope = shift = None
    if needs[1]:
        slope = ops.sum(g * normal, lead) if lead else g * normal
    if needs[2]:
        shift = ops.sum(g, lead) if lead else g
    return grad, slope, shift


def _in_shape(found: Any, normalized_shape: Any) -> Any:
    """The gradients with those of weight and bias in their shape."""
    shape = tuple(normalized_shape)
    return found[0], *(None if each is None else _shaped(each, shape) for each in found[1:])


def _shaped(array: Any, shape: tuple[int, ...]) -> Any:
    """The array itself where it has the shape: a leaf takes no view for its gradient."""
    return array if array.shape == shape else array.reshape(shape)


def _layer_shapes(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, *rest: Any
) -> Any:
    stats = input.shape[: input.ndim - len(normalized_shape)] + (1,) * len(normalized_shape)
    kind = stats_dtype(input, weight, bias)
    return (input.shape, input.dtype), (stats, kind), (stats, kind)


@primitive(
    outputs=("out", "mean", "rstd"),
    differentiable=("out",),
    name="_native_layer_norm",
    node="NativeLayerNorm",
    function=False,
    method=False,
    vjp={("input", "weight", "bias"): _layer_rule},
    infer=_layer_shapes,
)
def _native_layer_norm(input, normalized_shape: Any, weight=None, bias=None, eps: float = 1e-5):
    """Layer normalisation: the result, and mean and 1 / deviation of every row."""
    if _fits(input, normalized_shape, weight, bias):
        found = generated.normalized(input, weight, bias, eps, True, len(normalized_shape))
        if found is not None:
            out, mean, rstd = found
            kept = stats_dtype(input, weight, bias)
            return found if mean.dtype is kept else (out, recast(mean, kept), recast(rstd, kept))
    _check_normalized("layer_norm", input, normalized_shape, weight, bias)
    dtype, shape = input.dtype, input.shape
    x, w, b = kernels.wide(input, weight, bias)
    w = None if w is None else _cast(w, x.dtype).reshape(-1)
    b = None if b is None else _cast(b, x.dtype).reshape(-1)
    found, mean, rstd = kernels.layer(x.reshape(_rows(x, normalized_shape)), w, b, eps)
    stats = shape[: len(shape) - len(normalized_shape)] + (1,) * len(normalized_shape)
    kept = stats_dtype(input, weight, bias)
    mean, rstd = (_cast(each.reshape(stats), kept) for each in (mean, rstd))
    return _cast(_shaped(found, shape), dtype), mean, rstd


def _fits(input: Any, shape: Any, *parameters: Any) -> bool:
    """Whether :func:`_check_normalized` finds nothing, in one breath."""
    if type(input) is not nd or not shape or input.shape[-len(shape) :] != shape:
        return False
    return all(each is None or each.shape == shape for each in parameters)


def _check_normalized(op: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> None:
    """Whether the input ends in `normalized_shape`.

    Raises:
        RuntimeError: it does not, or weight or bias have another shape.
    """
    refuse_mixed(op, input, weight, bias)
    refuse_dtype(op, input.dtype, "f")
    if len(normalized_shape) < 1:
        raise fail(
            RuntimeError,
            op,
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
            "one element.",
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != tuple(normalized_shape):
            raise fail(
                RuntimeError,
                op,
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of "
                f"shape {list(value.shape)} and "
                f"normalized_shape = {list(normalized_shape)}",
            )
    if tuple(input.shape[-len(normalized_shape) :]) != tuple(normalized_shape):
        raise fail(
            RuntimeError,
            op,
            f"Given normalized_shape={list(normalized_shape)}, expected input with shape "
            f"[*, {', '.join(map(str, normalized_shape))}], but got input of size "
            f"{list(input.shape)}",
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
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    *,
    out: Any = None,
) -> Any:
    """:func:`layer_norm` with the mean and 1 / deviation of every row beside the result."""
    return ops._native_layer_norm(input, _sizes(normalized_shape), weight, bias, eps)


@composite()
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``input / sqrt(mean(input^2) + eps) * weight`` over the trailing dimensions; eps is the
    dtype's by default.

    Reference: Zhang, Sennrich, Root mean square layer normalization, 2019, arXiv:1910.07467.
    """
    sizes = _sizes(normalized_shape)
    _check_rms(input, sizes, weight)
    half = input.dtype.itemsize == 2
    if eps is None:
        from flambeau.core.dtypes import finfo, float32

        eps = finfo(float32 if half else input.dtype.to_real()).eps
    if input.dtype.is_floating_point and (weight is None or weight.dtype is input.dtype):
        return ops._rms_norm(input, sizes, weight, eps)[0]
    wide = input.float() if half else input
    dims = tuple(range(-len(sizes), 0))
    found = wide * ops.rsqrt((wide * wide).mean(dims, keepdim=True) + eps)
    if weight is not None:
        found = found * weight
    return found if found.dtype == input.dtype else found.to(input.dtype)


@both
def _rms_rule(
    g: Any, input: Any, weight: Any, rstd: Any, normalized_shape: Any, eps: float, needs: Any
) -> Any:
    g = _first(g)
    if g is None:
        return None, None
    count = len(normalized_shape)
    if type(input) is nd:
        found = generated.normalized_backward(g, input, weight, None, rstd, (*needs, False))
        if found is not None:
            return _in_shape(found[:2], normalized_shape)
        shape, rows, dtype = input.shape, _rows(input, normalized_shape), input.dtype
        g, input, weight, rstd = kernels.wide(g, input, weight, rstd)
        flat = None if weight is None else weight.reshape(-1)
        grad, slope = kernels.rms_backward(
            g.reshape(rows), input.reshape(rows), flat, rstd.reshape(-1, 1), needs
        )
        return (
            None if grad is None else _cast(_shaped(grad, shape), dtype),
            None if slope is None else _shaped(slope, tuple(normalized_shape)),
        )
    if input.dtype.itemsize == 2:  # in single precision, rounded once
        wide = [each if each is None else each.float() for each in (g, input, weight, rstd)]
        found = _rms_rule(*wide, normalized_shape, eps, needs)
        return tuple(each if each is None else each.to(input.dtype) for each in found)
    axes = tuple(range(input.ndim - count, input.ndim))
    lead = tuple(range(input.ndim - count))
    scale = ops.rsqrt(ops.mean(input * input, axes, True) + eps)
    normal = input * scale
    grad = slope = None
    if needs[0]:
        scaled = g if weight is None else g * weight
        grad = scale * (scaled - normal * ops.mean(scaled * normal, axes, True))
    if needs[1]:
        slope = ops.sum(g * normal, lead) if lead else g * normal
    return grad, slope


def _rms_shapes(input: Any, normalized_shape: Any, *rest: Any) -> Any:
    stats = input.shape[: input.ndim - len(normalized_shape)] + (1,) * len(normalized_shape)
    kind = np.dtype("f4") if input.dtype.itemsize == 2 else input.dtype
    return (input.shape, input.dtype), (stats, kind)


@primitive(
    outputs=("out", "rstd"),
    differentiable=("out",),
    name="_rms_norm",
    node=lambda node: "MulBackward0" if node.dtype[0].itemsize > 2 else "ToCopyBackward0",
    function=False,
    method=False,
    vjp={("input", "weight"): _rms_rule},
    infer=_rms_shapes,
)
def _rms_norm(input, normalized_shape: Any, weight=None, eps: float = 1e-5):
    """RMS normalisation: the result, and 1 / root mean square of every row."""
    if _fits(input, normalized_shape, weight):
        quick = generated.normalized(input, weight, None, eps, False, len(normalized_shape))
        if quick is not None:
            return quick[0], quick[2]
    rows = _rows(input, normalized_shape)
    x, w = kernels.wide(input, weight)
    found, rstd = kernels.rms(x.reshape(rows), None if w is None else w.reshape(-1), eps)
    count = len(normalized_shape)
    stats = input.shape[: input.ndim - count] + (1,) * count
    return _cast(_shaped(found, input.shape), input.dtype), rstd.reshape(stats)


def _check_rms(input: Tensor, sizes: tuple[int, ...], weight: Tensor | None) -> None:
    refuse_dtype("rms_norm", input._array.dtype, "fcW")
    if not sizes:
        raise fail(
            RuntimeError,
            "rms_norm",
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
            "one element.",
        )
    if weight is not None and tuple(weight.shape) != sizes:
        raise fail(
            RuntimeError,
            "rms_norm",
            "Expected weight to be of same shape as normalized_shape, but got weight of shape "
            f"{list(weight.shape)} and "
            f"normalized_shape = {list(sizes)}",
        )
    if tuple(input.shape[-len(sizes) :]) != sizes:
        raise fail(
            RuntimeError,
            "rms_norm",
            f"Given normalized_shape={list(sizes)}, expected input with shape [*, "
            f"{', '.join(map(str, sizes))}], but got "
            f"input of size {list(input.shape)}",
        )
