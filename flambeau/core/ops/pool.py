"""Pooling over windows as operations: maximum, average, unpooling, fractional and adaptive forms.

The maximum remembers the number of the winning tap per window (a byte) rather than an index; its
gradient spreads by tap, the gradient of that gathers by tap. Averages are linear: forward and
backward are each other's gradients. The sums are in ``core.kernels.pool`` and ``adaptive_pool``;
public names with PyTorch's argument forms are in ``pooling``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import adaptive_pool, pool
from flambeau.core.kernels.windows import channels_last
from flambeau.core.ops.windowing import Ints, batched, refuse_dtype

__all__ = [
    "adaptive_average",
    "adaptive_maximum",
    "average_pool",
    "fractional_maximum",
    "max_pool",
    "max_pool_indices",
    "max_pool_values",
    "max_unpooled",
]


def _only(g: Any) -> Any:
    """The gradient of the one differentiable output."""
    return g[0] if isinstance(g, (tuple, list)) else g


def _like(result: np.ndarray, ndim: int) -> np.ndarray:
    return result if result.ndim == ndim else result[0]


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
            raise fail(RuntimeError, op, f"pad must be non-negative, but got padding={list(padding)}.")
        if p > ((k - 1) * d + 1) // 2:
            raise fail(
                RuntimeError,
                op,
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}.",
            )
    size = input.shape[-len(kernel) :]
    out = pool.output_sizes(size, kernel, stride, padding, dilation, ceil_mode)
    if min(out) < 1:
        given = "x".join(map(str, input.shape[-len(kernel) - 1 :]))
        raise fail(
            RuntimeError,
            op,
            f"Given input size: ({given}). Calculated output size: "
            f"({'x'.join(map(str, (input.shape[-len(kernel) - 1], *out)))}). Output size is too small: kernel_size="
            f"{list(kernel)} does not fit. Use a smaller kernel, or pool fewer times.",
        )
    return out


def _max_prepared(
    input: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> tuple[Any, Ints]:
    op = f"max_pool{len(kernel)}d"
    array = batched(op, input, len(kernel))
    out = _pool_shape(op, input, kernel, stride, padding, dilation, ceil_mode)
    refuse_dtype(op, input.dtype, "f" if len(kernel) == 1 else "fiu")
    return array, out


def _max_infer(
    input: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Any:
    _, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode)
    shape = (*input.shape[: -len(kernel)], *out)
    return (shape, input.dtype), (shape, np.dtype(np.uint8))


def _label(prefix: str, suffix: str) -> Any:
    """A node name with the number of dimensions, read off the shape of the node's kernel."""

    def name(node: Any) -> str:
        params = node.params or ()
        count = next((len(p) for p in params if isinstance(p, tuple)), 2)
        return f"{prefix}{count}D{suffix}Backward0"

    return name


@primitive(
    outputs=("out", "taps"),
    differentiable=("out",),
    vjp=lambda g, input, taps, kernel, stride, padding, dilation: ops.max_pool_spread(
        _only(g),
        taps,
        input._array.shape,
        channels_last(input._array),
        kernel,
        stride,
        padding,
        dilation,
    ),
    infer=_max_infer,
    node=_label("MaxPool", "WithIndices"),
    method=False,
    function=False,
)
def max_pool(
    input, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
):
    """The maximum of every window, and the number of the tap that gave it.

    NaN wins over everything, padding (-inf) over nothing; the first of equal values is taken.

    Shape:
        (N, C, *S) or (C, *S); per axis ``(S + 2 padding - dilation (kernel - 1) - 1) / stride + 1``,
        rounded down, or up with ``ceil_mode`` as long as the window starts inside.
    """
    array, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode)
    best, taps = pool.max_with_taps(array, kernel, stride, padding, dilation, out)
    return _like(best, input.ndim), _like(taps, input.ndim)


@primitive(
    infer=lambda input, kernel, stride, padding, dilation, ceil_mode: _max_infer(
        input, kernel, stride, padding, dilation, ceil_mode
    )[0],
    method=False,
    function=False,
)
def max_pool_values(
    input, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
):
    """:func:`max_pool` where no gradient is wanted: half the passes."""
    array, out = _max_prepared(input, kernel, stride, padding, dilation, ceil_mode)
    return _like(pool.max_values(array, kernel, stride, padding, dilation, out), input.ndim)


@primitive(
    infer=lambda taps, size, kernel, stride, padding, dilation: (taps.shape, np.dtype(np.int64)),
    method=False,
    function=False,
)
def max_pool_indices(
    taps, size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
):
    """Tap numbers as positions in the flattened input plane, as PyTorch returns them."""
    array = taps if taps.ndim == len(size) + 2 else taps[None]
    return _like(pool.taps_to_indices(array, size, kernel, stride, padding, dilation), taps.ndim)


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
    return _like(result, grad.ndim)


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
def max_pool_gather(
    input, taps, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
):
    """What each window's winning tap sees in ``input``: the gradient of :func:`max_pool_spread`."""
    count = len(kernel)
    array = input if input.ndim == count + 2 else input[None]
    wide = taps if taps.ndim == count + 2 else taps[None]
    return _like(pool.taken_by_taps(array, wide, kernel, stride, padding, dilation), taps.ndim)


def _average_prepared(
    input: Any, kernel: Ints, stride: Ints, padding: Ints, ceil_mode: bool, divisor: int | None
) -> tuple[Any, Ints]:
    count = len(kernel)
    op = f"avg_pool{count}d"
    array = batched(op, input, count)
    if divisor == 0:
        raise fail(RuntimeError, op, "divisor must be not zero: leave divisor_override away, or give a positive one.")
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
    node=_label("AvgPool", ""),
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
    return _like(result, input.ndim)


@primitive(
    vjp=lambda g, shape, kernel, stride, padding, count_include_pad, divisor_override: (
        ops.average_pool_to(
            g, shape, kernel, stride, padding, count_include_pad, divisor_override
        )
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
    return _like(result, grad.ndim)


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
    return _like(result, input.ndim)


def _adaptive_prepared(op: str, input: Any, out: Ints) -> Any:
    count = len(out)
    if min(out) < 0:
        raise fail(RuntimeError, op, f"output_size must be non-negative, but got {list(out)}.")
    refuse_dtype(op, input.dtype, "f")
    return batched(op, input, count)


@primitive(
    vjp=lambda g, input, out_size: ops.adaptive_average_spread(
        g, input._array.shape, channels_last(input._array), len(out_size)
    ),
    infer=lambda input, out_size: ((*input.shape[: -len(out_size)], *out_size), input.dtype),
    node=_label("AdaptiveAvgPool", ""),
    method=False,
    function=False,
)
def adaptive_average(input, out_size: Ints):
    """The mean over bins ``[floor(i S / n), ceil((i + 1) S / n))`` for ``n = out_size`` per axis."""
    array = _adaptive_prepared(f"adaptive_avg_pool{len(out_size)}d", input, out_size)
    if 0 in out_size:
        return np.zeros((*input.shape[: -len(out_size)], *out_size), input.dtype)
    return _like(adaptive_pool.average(array, out_size), input.ndim)


@primitive(
    vjp=lambda g, shape, count: ops.adaptive_average(g, tuple(shape[-count:])),
    infer=lambda grad, size, last, count: (size, grad.dtype),
    method=False,
    function=False,
)
def adaptive_average_spread(grad, size: Ints, last: bool, count: int):
    """The gradient of :func:`adaptive_average`."""
    array = grad if grad.ndim == count + 2 else grad[None]
    if 0 in grad.shape:
        return np.zeros(size, grad.dtype)
    return _like(adaptive_pool.average_gradient(array, size[-count:], last), grad.ndim)


@primitive(
    outputs=("out", "indices"),
    differentiable=("out",),
    vjp=lambda g, input, indices, size: ops.plane_scatter(
        _only(g), indices, input._array.shape, len(size), channels_last(input._array)
    ),
    infer=lambda input, size: (
        ((*input.shape[: -len(size)], *size), input.dtype),
        ((*input.shape[: -len(size)], *size), np.dtype(np.int64)),
    ),
    node=_label("AdaptiveMaxPool", ""),
    method=False,
    function=False,
)
def adaptive_maximum(input, size: Ints):
    """The maximum over the bins of :func:`adaptive_average`, and its flat index in the plane."""
    array = _adaptive_prepared(f"adaptive_max_pool{len(size)}d", input, size)
    if 0 in size:
        shape = (*input.shape[: -len(size)], *size)
        return np.zeros(shape, input.dtype), np.zeros(shape, np.int64)
    values, indices = adaptive_pool.maximum(array, size)
    return _like(values, input.ndim), _like(indices, input.ndim)


@primitive(
    outputs=("out", "indices"),
    differentiable=("out",),
    vjp={
        "input": lambda g, input, indices, kernel: ops.plane_scatter(
            _only(g), indices, input._array.shape, len(kernel), False
        )
    },
    infer=lambda input, samples, kernel, size: (
        ((*input.shape[: -len(size)], *size), input.dtype),
        ((*input.shape[: -len(size)], *size), np.dtype(np.int64)),
    ),
    node=_label("FractionalMaxPool", ""),
    method=False,
    function=False,
)
def fractional_maximum(input, samples, kernel: Ints, size: Ints):
    """Maxima of windows at pseudo-random steps (B. Graham, 2014, arXiv:1412.6071), and their indices."""
    count = len(kernel)
    op = f"fractional_max_pool{count}d"
    refuse_dtype(op, input.dtype, "f")
    array = batched(op, input, count)
    for axis, (n, k, o) in enumerate(zip(array.shape[2:], kernel, size, strict=True)):
        if o + k - 1 > n:
            raise fail(
                RuntimeError,
                op,
                f"pool size {k} with output size {o} is too large relative to input size {n} in dimension "
                f"{axis - count}. Use a smaller kernel or output.",
            )
    columns = (1, 0) if count == 2 else (0, 1, 2)
    values, indices = adaptive_pool.fractional_maximum(array, kernel, size, samples, columns)
    return _like(values, input.ndim), _like(indices, input.ndim)


@primitive(
    vjp={
        "values": lambda g, indices, count: ops.plane_gather(g, indices, count),
    },
    infer=lambda values, indices, size, count, last: (size, values.dtype),
    method=False,
    function=False,
)
def plane_scatter(values, indices, size: Ints, count: int, last: bool):
    """Zeros of ``size`` with ``values`` added at flat positions of each plane of ``count`` axes."""
    lead = (1,) if values.ndim == count + 1 else ()
    result = pool.scatter_planes(
        values.reshape(*lead, *values.shape),
        indices.reshape(*lead, *indices.shape),
        size[-count:],
        True,
        last,
    )
    return result.reshape(size) if lead else result


@primitive(
    vjp={
        "input": lambda g, input_shape, indices, count: ops.plane_scatter(
            g, indices, input_shape, count, False
        )
    },
    infer=lambda input, indices, count: (indices.shape, input.dtype),
    method=False,
    function=False,
)
def plane_gather(input, indices, count: int):
    """``input``'s elements at flat positions of each plane."""
    lead = (1,) if input.ndim == count + 1 else ()
    result = pool.gather_planes(
        input.reshape(*lead, *input.shape), indices.reshape(*lead, *indices.shape)
    )
    return result.reshape(indices.shape)


@primitive(
    vjp={"input": lambda g, indices, size: ops.plane_gather(g, indices, len(size))},
    infer=lambda input, indices, size: ((*input.shape[: -len(size)], *size), input.dtype),
    node=_label("MaxUnpool", ""),
    method=False,
    function=False,
)
def max_unpooled(input, indices, size: Ints):
    """Zeros of ``size`` with ``input`` at the positions that max pooling took it from."""
    count = len(size)
    op = f"max_unpool{min(count, 2) if count < 3 else 3}d"
    if indices.dtype != np.int64:
        raise fail(RuntimeError, op, f"elements in indices should be type int64 but got: {indices.dtype}.")
    if indices.shape != input.shape:
        raise fail(
            RuntimeError,
            op,
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}.",
        )
    area = int(np.prod(size))
    if indices.size and (indices.min() < 0 or indices.max() >= area):
        wrong = indices[(indices < 0) | (indices >= area)].flat[0]
        raise fail(
            RuntimeError,
            op,
            f"Found an invalid max index: {wrong} (output volumes are of size {'x'.join(map(str, size))}). Give "
            "output_size= the size of the pooled input.",
        )
    lead = (1,) if input.ndim == count + 1 else ()
    result = pool.scatter_planes(
        input.reshape(*lead, *input.shape),
        indices.reshape(*lead, *indices.shape),
        size,
        False,
        not lead and channels_last(input),
    )
    return result[0] if lead else result
