"""Convolution and transposed convolution in one to three dimensions, as operations with rules.

Convolution is linear in its input and in its weight, so its gradients are again such sums: three
operations (the convolution, its input gradient, its weight gradient) differentiate into each other,
to any order and with every option. The sums themselves are in ``core.kernels.conv``; ``conv2d`` and
its kin are in ``convolving``.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import conv as direct
from flambeau.core.kernels import conv_transpose as turned
from flambeau.core.kernels.conv_complex import by_three, gradient_by_three
from flambeau.core.kernels.windows import channels_last, output_size
from flambeau.core.ops.windowing import Ints, sizes
from flambeau.core.rules import both
from flambeau.core.tensor import Tensor

__all__ = ["convolution", "convolution_backward", "convolved"]


def _pairs(padding: Ints) -> list[tuple[int, int]]:
    return [(p, p) for p in padding]


@both
def _convolution_rule(
    g: Any,
    input: Any,
    weight: Any,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
    needs: tuple[bool, bool, bool],
) -> tuple[Any, ...]:
    options = (stride, padding, dilation, transposed, output_padding, groups)
    bare = type(g) is np.ndarray
    x, w = (input, weight) if bare else (input._array, weight._array)
    size, kernel = x.shape[2:], w.shape[2:]
    weight_last = channels_last(w)
    last = weight_last or channels_last(x)
    lies = last if prod(kernel) > 1 else weight_last
    by_input, by_weight, by_bias = _bodies() if bare else _operations()
    return (
        by_input(g, weight, size, last, *options) if needs[0] else None,
        by_weight(g, input, kernel, lies, *options) if needs[1] else None,
        by_bias(g) if needs[2] else None,
    )


def _operations() -> tuple[Any, ...]:
    """What makes the gradients of a convolution in input, weight and bias."""
    return (
        ops.convolution_input_gradient,
        ops.convolution_weight_gradient,
        ops.convolution_bias_gradient,
    )


@cache
def _bodies() -> tuple[Any, ...]:
    """The same for bare arrays."""
    return tuple(each.operation.body for each in _operations())


def _output_shape(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    _check(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    size, kernel = input.shape[2:], weight.shape[2:]
    if transposed:
        out = turned.output_sizes(size, kernel, stride, padding, output_padding, dilation)
        return (input.shape[0], weight.shape[1] * groups, *out), input.dtype
    out = tuple(
        output_size(n, k, s, p, p, d)
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return (input.shape[0], weight.shape[0], *out), input.dtype


@primitive(
    vjp={("input", "weight", "bias"): _convolution_rule},
    infer=_output_shape,
    method=False,
    function=False,
    node="Convolution",
)
def convolved(
    input,
    weight,
    bias=None,
    stride: Ints = (),
    padding: Ints = (),
    dilation: Ints = (),
    transposed: bool = False,
    output_padding: Ints = (),
    groups: int = 1,
):
    """Convolution in one to three dimensions, or its transpose; all sizes are tuples.

    ``out[n, k, o] = b[k] + sum input[n, c, o * stride - padding + t * dilation] weight[k, c, t]``
    over the group's channels c and the taps t.

    Args:
        input: (N, C, *S).
        weight: (K, C / groups, *kernel); transposed: (C, K / groups, *kernel).
        bias: (K) or None.

    Shape:
        Per axis ``(S + 2 padding - dilation (kernel - 1) - 1) // stride + 1``; transposed
        ``(S - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1``.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
    """
    _check(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    if input.dtype.kind == "c":
        options = (stride, padding, dilation, transposed, output_padding, groups)
        body = ops.convolved.operation.body
        return by_three(lambda x, w, b: body(x, w, b, *options), input, weight, bias)
    if transposed:
        return turned.convolve(
            input, weight, bias, stride, padding, dilation, output_padding, groups
        )
    return direct.convolve(input, weight, bias, stride, _pairs(padding), dilation, groups)


def _weight_of_input_gradient(
    g, grad, weight_shape, stride, padding, dilation, transposed, output_padding, groups
):
    options = (stride, padding, dilation, transposed, output_padding, groups)
    return ops.convolution_weight_gradient(grad, g, weight_shape[2:], False, *options)


def _input_gradient_shape(grad, weight, size, last, stride, padding, dilation, transposed, *rest):
    channels = weight.shape[0] if transposed else weight.shape[1] * rest[-1]
    return (grad.shape[0], channels, *size), grad.dtype


@primitive(
    vjp={
        "grad": lambda g, weight, stride, padding, dilation, transposed, output_padding, groups: (
            ops.convolved(
                g, weight, None, stride, padding, dilation, transposed, output_padding, groups
            )
        ),
        "weight": _weight_of_input_gradient,
    },
    infer=_input_gradient_shape,
    method=False,
    function=False,
    node="ConvolutionInputGradient",
)
def convolution_input_gradient(
    grad,
    weight,
    size: Ints,
    last: bool,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
):
    """The gradient of :func:`convolved` in its input, of spatial ``size``."""
    if grad.dtype.kind == "c":
        options = (size, last, stride, padding, dilation, transposed, output_padding, groups)
        body = ops.convolution_input_gradient.operation.body
        return gradient_by_three(lambda g, w: body(g, w, *options), grad, weight)
    if transposed:
        return turned.input_gradient(grad, weight, size, stride, padding, dilation, groups, last)
    return direct.input_gradient(
        grad, weight, size, stride, _pairs(padding), dilation, groups, last
    )


def _input_of_weight_gradient(
    g, grad, input_shape, stride, padding, dilation, transposed, output_padding, groups
):
    options = (stride, padding, dilation, transposed, output_padding, groups)
    return ops.convolution_input_gradient(grad, g, input_shape[2:], False, *options)


def _weight_gradient_shape(grad, input, kernel, last, stride, padding, dilation, transposed, *rest):
    first, second = (input, grad) if transposed else (grad, input)
    return (first.shape[1], second.shape[1] // rest[-1], *kernel), grad.dtype


@primitive(
    vjp={
        "grad": lambda g, input, stride, padding, dilation, transposed, output_padding, groups: (
            ops.convolved(
                input, g, None, stride, padding, dilation, transposed, output_padding, groups
            )
        ),
        "input": _input_of_weight_gradient,
    },
    infer=_weight_gradient_shape,
    method=False,
    function=False,
    node="ConvolutionWeightGradient",
)
def convolution_weight_gradient(
    grad,
    input,
    kernel: Ints,
    last: bool,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
):
    """The gradient of :func:`convolved` in its weight, of spatial size ``kernel``."""
    if grad.dtype.kind == "c":
        options = (kernel, last, stride, padding, dilation, transposed, output_padding, groups)
        body = ops.convolution_weight_gradient.operation.body
        return gradient_by_three(lambda g, x: body(g, x, *options), grad, input)
    if transposed:
        return turned.weight_gradient(grad, input, kernel, stride, padding, dilation, groups, last)
    return direct.weight_gradient(
        grad, input, kernel, stride, _pairs(padding), dilation, groups, last
    )


@primitive(
    vjp=lambda g, shape: ops.expand(ops.reshape(g, (-1, *(1,) * (len(shape) - 2))), shape),
    infer=lambda grad: ((grad.shape[1],), grad.dtype),
    method=False,
    function=False,
    node="ConvolutionBiasGradient",
)
def convolution_bias_gradient(grad):
    """The gradient of :func:`convolved` in its bias: the sum over all but the channels."""
    return direct.bias_gradient(grad)


def _four(op: str, count: int, *values: Any) -> tuple[Ints, Ints, Ints, Ints]:
    names = ("stride", "padding", "dilation", "output_padding")
    found = [sizes(op, name, value, count) for name, value in zip(names, values, strict=True)]
    return found[0], found[1], found[2], found[3]


@composite(alias=("_convolution",))
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    *flags: bool,
) -> Tensor:
    """:func:`convolved` with sizes in any form; PyTorch's back end ``flags`` mean nothing here."""
    given = _four("convolution", input.ndim - 2, stride, padding, dilation, output_padding)
    return ops.convolved(input, weight, bias, *given[:3], bool(transposed), given[3], groups)


@composite()
def convolution_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    output_mask: Any,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients of :func:`convolution` in input, weight and bias, those that ``output_mask``
    wants.
    """
    given = _four("convolution_backward", input.ndim - 2, stride, padding, dilation, output_padding)
    needs = tuple(output_mask)
    return _convolution_rule(
        grad_output, input, weight, *given[:3], bool(transposed), given[3], groups, needs
    )


def _check(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> None:
    """PyTorch's conditions, in its order; cheap when they hold."""
    count = input.ndim - 2
    shape, wanted = input.shape, weight.shape
    name = f"conv{'_transpose' if transposed else ''}{count}d"
    if groups <= 0:
        raise fail(
            RuntimeError, name, f"non-positive groups is not supported, got groups={groups}."
        )
    if min(padding) < 0:
        raise fail(RuntimeError, name, f"negative padding is not supported, got padding={padding}.")
    if min(output_padding) < 0:
        raise fail(
            RuntimeError, name, f"negative output_padding is not supported, got {output_padding}."
        )
    if min(stride) <= 0:
        raise fail(
            RuntimeError, name, f"non-positive stride is not supported, got stride={stride}."
        )
    if min(dilation) <= 0:
        raise fail(
            RuntimeError, name, f"dilation should be greater than zero, got dilation={dilation}."
        )
    if len(wanted) != count + 2:
        raise fail(
            RuntimeError,
            name,
            f"Expected {count + 2}-dimensional weight for {count + 2}-dimensional input "
            f"{list(shape)}, but got "
            f"weight of size {list(wanted)}.",
        )
    if wanted[0] < groups or wanted[0] % groups:
        raise fail(
            RuntimeError,
            name,
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            "but got weight "
            f"of size {list(wanted)}.",
        )
    channels = wanted[0] if transposed else wanted[1] * groups
    if shape[1] != channels:
        whose = (
            "out_channels of the layer before"
            if shape[1] > channels
            else "the order of dimensions (N, C, ...)"
        )
        raise fail(
            RuntimeError,
            name,
            f"Given {'transposed=1, ' if transposed else ''}groups={groups}, weight of size "
            f"{list(wanted)}, expected "
            f"input{list(shape)} to have {channels} channels, but got {shape[1]} channels "
            "instead. Check in_channels, "
            f"or {whose}.",
        )
    features = wanted[1] * groups if transposed else wanted[0]
    if bias is not None and bias.shape != (features,):
        raise fail(
            RuntimeError,
            name,
            f"Given weight of size {list(wanted)}, expected bias to be 1-dimensional with "
            f"{features} elements, but "
            f"got bias of size {list(bias.shape)} instead.",
        )
    _check_dtypes(name, input, weight, bias, transposed, dilation)
    if 0 in wanted[2:]:
        raise fail(
            RuntimeError,
            name,
            f"kernel size should be greater than zero, but got {list(wanted[2:])}.",
        )
    if transposed:
        _check_transposed(name, shape, wanted, stride, padding, dilation, output_padding)
        return
    for n, p, k, d in zip(shape[2:], padding, wanted[2:], dilation, strict=True):
        if n + 2 * p < d * (k - 1) + 1:
            padded = " x ".join(str(n + 2 * p) for n, p in zip(shape[2:], padding, strict=True))
            spans = zip(wanted[2:], dilation, strict=True)
            kernel = " x ".join(str(d * (k - 1) + 1) for k, d in spans)
            raise fail(
                RuntimeError,
                name,
                f"Calculated padded input size per channel: ({padded}). Kernel size: ({kernel}). "
                "Kernel size can't be "
                f"greater than actual input size. Input is {list(shape)}, weight {list(wanted)}: "
                "pad more, or pool less.",
            )


def _check_dtypes(
    name: str, input: Any, weight: Any, bias: Any, transposed: bool, dilation: Ints
) -> None:
    dtype = input.dtype
    for label, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != dtype:
            raise fail(
                RuntimeError,
                name,
                f"Input type ({of(dtype)}) and {label} type ({of(other.dtype)}) should be the "
                "same. Convert one with "
                f".to(dtype), or the module with .{of(dtype).legacy.lower()}().",
            )
    if dtype.kind == "b" or (
        dtype.kind in "iu" and dtype.name != "int64" and (transposed or max(dilation) > 1)
    ):
        raise fail(
            NotImplementedError,
            name,
            f"\"{name}\" not implemented for '{of(dtype).legacy}'. Convert input and weight with "
            ".float() first.",
        )


def _check_transposed(
    name: str,
    shape: Ints,
    wanted: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    output_padding: Ints,
) -> None:
    for e, s, d in zip(output_padding, stride, dilation, strict=True):
        if e >= s and e >= d:
            raise fail(
                RuntimeError,
                name,
                "output padding must be smaller than either stride or dilation, but got "
                "output_padding="
                f"{output_padding}, stride={stride}, dilation={dilation}.",
            )
    out = turned.output_sizes(shape[2:], wanted[2:], stride, padding, output_padding, dilation)
    if min(out) < 1:
        raise fail(
            RuntimeError,
            name,
            f"Given input size per channel: {list(shape[2:])}. Calculated output size per "
            f"channel: {list(out)}. "
            f"Output size is too small: padding={padding} cuts away more than there is.",
        )
