"""Pooling over windows as operations: maximum and average, with rules to any order.

The maximum remembers the number of the winning tap per window (a byte) rather than an index; its
gradient spreads by tap, the gradient of that gathers by tap. Averages are linear: forward and
backward are each other's gradients. The sums are in ``core.kernels.pool``; adaptive forms are in
``adaptive``, public names with PyTorch's argument forms in ``pooling``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import pool
from flambeau.core.kernels.windows import channels_last
from flambeau.core.ops.windowing import Ints, batched, dimensional, only, unbatched
from flambeau.core.taken import refuse_dtype

__all__ = ["average_pool", "max_pool", "max_pool_indices", "max_pool_values"]


def _pool_shape(
    op: str,
    input: Any,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    ceil_mode: bool,
) -> Ints:
    """Output sizes, after PyTorch's checks of the arguments."""
    for name, value in (("kernel size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(value) <= 0:
            raise fail(
                RuntimeError, op, f"{name} should be greater than zero, but got {list(value)}."
            )
    for p, k, d in zip(padding, kernel, dilation, strict=True):
        if p < 0:
            raise fail(
                RuntimeError, op, f"pad must be non-negative, but got padding={list(padding)}."
            )
        if p > ((k - 1) * d + 1) // 2:
            raise fail(
                RuntimeError,
                op,
                f"pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}.",
            )
    size = input.shape[-len(kernel) :]
    out = pool.output_sizes(size, kernel, stride, padding, dilation, ceil_mode)
    if min(out) < 1:
        given = "x".join(map(str, input.shape[-len(kernel) - 1 :]))
        raise fail(
            RuntimeError,
            op,
            f"Given input size: ({given}). Calculated output size: "
            f"({'x'.join(map(str, (input.shape[-len(kernel) - 1], *out)))}). Output size is too "
            "small: kernel_size="
            f"{list(kernel)} does not fit. Use a smaller kernel, or pool fewer times.",
        )
    return out


def _max_prepared(
    input: Any,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    ceil_mode: bool,
    places: bool,
) -> tuple[Any, Ints]:
    """The input with a batch axis, and the size of the result; `places`: they are asked for too."""
    op = f"max_pool{len(kernel)}d"
    array = batched(op, input, len(kernel))
    out = _pool_shape(op, input, kernel, stride, padding, dilation, ceil_mode)
    refuse_dtype(op, input.dtype, "fiu" if places or len(kernel) > 1 else "f")
    return array, out


def _max_infer(
    input: Any,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    ceil_mode: bool,
    places: bool = True,
) -> Any:
    _, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode, places)
    shape = (*input.shape[: -len(kernel)], *out)
    return (shape, input.dtype), (shape, np.dtype(np.uint8))


@primitive(
    outputs=("out", "taps"),
    differentiable=("out",),
    vjp=lambda g, input, taps, kernel, stride, padding, dilation: ops.max_pool_spread(
        only(g),
        taps,
        input._array.shape,
        channels_last(input._array),
        kernel,
        stride,
        padding,
        dilation,
    ),
    infer=_max_infer,
    node=dimensional("MaxPool", "WithIndices"),
    method=False,
    function=False,
)
def max_pool(input, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool):
    """The maximum of every window, and the number of the tap that gave it.

    NaN wins over everything, padding (-inf) over nothing; the first of equal values is taken.

    Shape:
        (N, C, *S) or (C, *S); per axis ``(S + 2 padding - dilation (kernel - 1) - 1) / stride +
        1``,
        rounded down, or up with ``ceil_mode`` as long as the window starts inside.
    """
    array, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode, True)
    best, taps = pool.max_with_taps(array, kernel, stride, padding, dilation, out)
    return unbatched(best, input.ndim), unbatched(taps, input.ndim)


@primitive(
    infer=lambda input, kernel, stride, padding, dilation, ceil_mode: _max_infer(
        input, kernel, stride, padding, dilation, ceil_mode, False
    )[0],
    method=False,
    function=False,
)
def max_pool_values(
    input, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
):
    """:func:`max_pool` where no gradient is wanted: half the passes."""
    array, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode, False)
    return unbatched(pool.max_values(array, kernel, stride, padding, dilation, out), input.ndim)


@primitive(
    infer=lambda taps, size, kernel, stride, padding, dilation: (taps.shape, np.dtype(np.int64)),
    method=False,
    function=False,
)
def max_pool_indices(taps, size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints):
    """Tap numbers as positions in the flattened input plane, as PyTorch returns them."""
    array = taps if taps.ndim == len(size) + 2 else taps[None]
    return unbatched(
        pool.taps_to_indices(array, size, kernel, stride, padding, dilation), taps.ndim
    )


@primitive(
    vjp={
        "grad": lambda g, taps, kernel, stride, padding, dilation: ops.max_pool_gather(
            g, taps, kernel, stride, padding, dilation
        )
    },
    infer=lambda grad, taps, size, last, kernel, stride, padding, dilation: (size, grad.dtype),
    method=False,
    function=False,
)
def max_pool_spread(
    grad,
    taps,
    size: Ints,
    last: bool,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
):
    """The gradient of :func:`max_pool`: every window's share goes to its winner."""
    count = len(kernel)
    array = grad if grad.ndim == count + 2 else grad[None]
    taps = taps if taps.ndim == count + 2 else taps[None]
    result = pool.spread_taps(array, taps, size[-count:], kernel, stride, padding, dilation, last)
    return unbatched(result, grad.ndim)


@primitive(
    vjp={
        "input": lambda g, input_shape, taps, kernel, stride, padding, dilation: (
            ops.max_pool_spread(g, taps, input_shape, False, kernel, stride, padding, dilation)
        )
    },
    infer=lambda input, taps, kernel, stride, padding, dilation: (taps.shape, input.dtype),
    method=False,
    function=False,
)
def max_pool_gather(input, taps, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints):
    """What each window's winning tap sees in ``input``: the gradient of :func:`max_pool_spread`."""
    count = len(kernel)
    array = input if input.ndim == count + 2 else input[None]
    wide = taps if taps.ndim == count + 2 else taps[None]
    return unbatched(pool.taken_by_taps(array, wide, kernel, stride, padding, dilation), taps.ndim)


def _average_prepared(
    input: Any, kernel: Ints, stride: Ints, padding: Ints, ceil_mode: bool, divisor: int | None
) -> tuple[Any, Ints]:
    count = len(kernel)
    op = f"avg_pool{count}d"
    array = batched(op, input, count)
    if divisor == 0:
        raise fail(
            RuntimeError,
            op,
            "divisor must be not zero: leave divisor_override away, or give a positive one.",
        )
    out = _pool_shape(op, input, kernel, stride, padding, (1,) * count, ceil_mode)
    wide_only = count == 3 and input.dtype.itemsize == 2
    refuse_dtype(op, input.dtype, "" if wide_only else "f", ("int64",))
    return array, out


@primitive(
    vjp=lambda g, input, kernel, stride, padding, count_include_pad, divisor_override: (
        ops.average_pool_spread(
            g,
            input._array.shape,
            channels_last(input._array),
            kernel,
            stride,
            padding,
            count_include_pad,
            divisor_override,
        )
    ),
    infer=lambda input, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override: (
        (
            *input.shape[: -len(kernel)],
            *_average_prepared(input, kernel, stride, padding, ceil_mode, divisor_override)[1],
        ),
        input.dtype,
    ),
    node=dimensional("AvgPool", ""),
    method=False,
    function=False,
)
def average_pool(
    input,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
):
    """The mean of every window; zeros of the padding count with ``count_include_pad``."""
    array, out = _average_prepared(input, kernel, stride, padding, ceil_mode, divisor_override)
    result = pool.average(array, kernel, stride, padding, out, count_include_pad, divisor_override)
    return unbatched(result, input.ndim)


@primitive(
    vjp=lambda g, shape, kernel, stride, padding, count_include_pad, divisor_override: (
        ops.average_pool_to(g, shape, kernel, stride, padding, count_include_pad, divisor_override)
    ),
    infer=lambda grad, size, *rest: (size, grad.dtype),
    method=False,
    function=False,
)
def average_pool_spread(
    grad,
    size: Ints,
    last: bool,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    count_include_pad: bool,
    divisor_override: int | None,
):
    """The gradient of :func:`average_pool`: every window's share, to each of its elements."""
    count = len(kernel)
    array = grad if grad.ndim == count + 2 else grad[None]
    result = pool.average_gradient(
        array, size[-count:], kernel, stride, padding, count_include_pad, divisor_override, last
    )
    return unbatched(result, grad.ndim)


@primitive(
    vjp=lambda g, shape, kernel, stride, padding, count_include_pad, divisor_override: (
        ops.average_pool_spread(
            g, shape, False, kernel, stride, padding, count_include_pad, divisor_override
        )
    ),
    infer=lambda input, out, *rest: (out, input.dtype),
    method=False,
    function=False,
)
def average_pool_to(
    input,
    out: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    count_include_pad: bool,
    divisor_override: int | None,
):
    """:func:`average_pool` to a known output shape: the gradient of its gradient."""
    count = len(kernel)
    array = input if input.ndim == count + 2 else input[None]
    result = pool.average(
        array, kernel, stride, padding, out[-count:], count_include_pad, divisor_override
    )
    return unbatched(result, input.ndim)
