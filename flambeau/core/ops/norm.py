"""Batch and instance normalisation as operations; the running statistics are kept here.

Layer and RMS normalisation are in ``norm_layer``, groups in ``norm_group``. The way back is one
kernel; asked for a graph, the rule recomputes in operations. The sums are in ``kernels.norm``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import norm as kernels
from flambeau.core.kernels.generate import channels
from flambeau.core.ops.windowing import refuse_mixed
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__ = ["stats_dtype"]

nd = np.ndarray


def _first(g: Any) -> Any:
    return g[0] if isinstance(g, (tuple, list)) else g


def _cast(array: Any, dtype: Any) -> Any:
    return array if array is None or array.dtype == dtype else array.astype(dtype)


@both
def _batch_rule(
    g: Any, input: Any, weight: Any, mean: Any, invstd: Any, training: bool, eps: float, needs: Any
) -> Any:
    g = _first(g)
    if g is None:
        return None, None, None
    if type(input) is nd:
        found = channels.backward(g, input, weight, mean, invstd, training, needs)
        if found is not None:
            return found
        dtype = g.dtype
        g, input, weight, mean, invstd = kernels.wide(g, input, weight, mean, invstd)
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
            grad = scale * (
                scaled
                - ops.mean(scaled, axes, True)
                - normal * ops.mean(scaled * normal, axes, True)
            )
        else:
            grad = scale * scaled
    return grad, slope, ops.sum(g, axes) if needs[2] else None


def stats_dtype(input: Any, *parameters: Any) -> Any:
    """What mean and deviation are kept in: the input's dtype; if 16-bit, the parameters'."""
    given = (each.dtype for each in parameters if each is not None)
    return next(given, input.dtype) if input.dtype.itemsize == 2 else input.dtype


def _batch_shapes(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    *rest: Any,
) -> Any:
    stats = (input.shape[1],)
    kind = stats_dtype(input, *(weight, bias, running_mean, running_var) if training else ())
    return (input.shape, input.dtype), (stats, kind), (stats, kind)


@primitive(
    outputs=("out", "mean", "invstd"),
    differentiable=("out",),
    name="_native_batch_norm",
    node="NativeBatchNorm",
    function=False,
    method=False,
    vjp={("input", "weight", "bias"): _batch_rule},
    infer=_batch_shapes,
)
def _native_batch_norm(
    input,
    weight=None,
    bias=None,
    running_mean=None,
    running_var=None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
):
    """Batch normalisation of (N, C, *): the result, and the mean and 1 / deviation it took."""
    if type(input) is nd:
        input = kernels.laid(input)
    kept = stats_dtype(input, weight, bias, running_mean, running_var)
    rounded = training and kept.itemsize == 2
    if (
        type(input) is nd
        and not rounded
        and _fits(input, training, weight, bias, running_mean, running_var)
    ):
        stats = None if training else (running_mean, running_var)
        running = (running_mean, running_var, momentum) if training else (None, None, 0.0)
        quick = channels.forward(input, weight, bias, stats, eps, running)
        if quick is not None:
            return quick[0], quick[1], quick[3]
    _check_channels(input, weight, bias, running_mean, running_var, training)
    dtype = input.dtype
    if not training:
        x, w, b = kernels.wide(input, weight, bias)
        w, b = _cast(w, x.dtype), _cast(b, x.dtype)
        stats = _cast(running_mean, x.dtype), _cast(running_var, x.dtype)
        out, mean, _, invstd = kernels.batch(x, w, b, eps, stats)
        return _cast(out, dtype), mean, invstd
    quick = channels.forward(input, None, None, None, eps) if rounded else None
    x, w, b = kernels.wide(input if quick is None else quick[1], weight, bias)
    w, b = _cast(w, x.dtype), _cast(b, x.dtype)
    count = input.size // input.shape[1] if input.shape[1] else 0
    if kept.itemsize > 2 and kept == x.dtype:
        out, mean, variance, invstd = kernels.batch(x, w, b, eps)
    else:
        mean, variance = kernels.batch_stats(x)[:2] if quick is None else quick[1:3]
        if kept.itemsize == 2 and kept != np.float16:  # bfloat16: the sum of squares is rounded
            total = (variance * x.dtype.type(count)).astype(kept)
            variance = (total / kept.type(count)).astype(x.dtype)
        invstd = 1 / np.sqrt(variance + x.dtype.type(eps))
        out = None
    for running, new in (
        (running_mean, mean),
        (running_var, variance if count < 2 else variance * x.dtype.type(count / (count - 1))),
    ):
        if running is not None:
            if running is running_var and count < 2:
                new = np.full_like(variance, np.nan)
            running[...] = (1 - momentum) * running + momentum * new.astype(
                running.dtype, copy=False
            )
    mean, invstd = _cast(mean, kept), _cast(invstd, kept)
    if out is None:
        middle, scale = kernels.wide(mean, invstd)
        if quick is not None:
            out = channels.normal(input, weight, bias, middle, scale)
        if out is None:
            out = kernels.channelwise(kernels.wide(input)[0], middle, scale, w, b)
    return _cast(out, dtype), mean, invstd


def _fits(input: Any, training: bool, *parameters: Any) -> bool:
    """Whether :func:`_check_channels` finds nothing, in one breath."""
    if input.ndim < 2:
        return False
    size = input.shape[1:2]
    for each in parameters:
        if each is not None and each.shape != size:
            return False
    return training or (parameters[2] is not None and parameters[3] is not None)


def _check_channels(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool
) -> None:
    """Sizes of everything that has one number for each channel.

    Raises:
        RuntimeError: one does not fit, or statistics are missing for evaluation.
    """
    refuse_dtype("batch_norm", input.dtype, "f")
    refuse_mixed("batch_norm", input, weight, bias, running_mean, running_var)
    if input.ndim < 2:
        raise fail(
            RuntimeError,
            "batch_norm",
            f"Expected 2 or more dimensions (N, C, *), but input has {input.ndim}.",
        )
    channels = input.shape[1]
    named = (
        ("weight", weight),
        ("bias", bias),
        ("running_mean", running_mean),
        ("running_var", running_var),
    )
    for name, value in named:
        if value is None:
            if name.startswith("running") and not training:
                raise fail(
                    RuntimeError,
                    "batch_norm",
                    f"{name} must be defined in evaluation mode: give running statistics, or "
                    "training=True.",
                )
        elif value.size != channels:
            raise fail(
                RuntimeError,
                "batch_norm",
                f"{name} should contain {channels} elements not {value.size}: input "
                f"{list(input.shape)} has {channels} "
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
    if isinstance(momentum, Tensor):
        momentum = float(momentum)
    if not input.numel():
        found = input.clone() if weight is None else input * weight[0]
        return found if bias is None else found + bias[0]
    return ops._native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]


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
    """:func:`batch_norm` with the batch's mean and 1 / deviation beside the result; in evaluation
    these are empty."""
    found = ops._native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )
    if not training:
        given = (weight, bias, running_mean, running_var)
        kept = of(stats_dtype(*(None if each is None else each._array for each in (input, *given))))
        found = (
            found[0],
            *(ops.zeros(0, dtype=kept, device=each.device) for each in found[1:]),
        )
    if out is not None:
        from flambeau.core.output import write_one

        return tuple(write_one("native_batch_norm", f, o) for f, o in zip(found, out, strict=True))
    return found


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
            RuntimeError,
            "instance_norm",
            "Expected running_mean and running_var to be defined when use_input_stats is false",
        )
    batch, channels = input.shape[0], input.shape[1]
    shape = tuple(input.shape)

    def repeated(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.repeat(batch)

    mean, variance = repeated(running_mean), repeated(running_var)
    flat = input.contiguous().reshape(1, batch * channels, *shape[2:])
    found = batch_norm(
        flat, repeated(weight), repeated(bias), mean, variance, use_input_stats, momentum, eps
    )
    if use_input_stats:
        for running, new in ((running_mean, mean), (running_var, variance)):
            if running is not None and new is not None and type(running._array) is nd:
                running._array[...] = new._array.reshape(batch, channels).mean(0)
    return found.reshape(shape)
