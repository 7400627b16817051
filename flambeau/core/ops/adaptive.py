"""Pooling to given sizes and back: adaptive bins, random bins, unpooling, as operations.

Maxima carry flat positions in the input plane; their gradients scatter there, the gradients of
those
gather. Windows with strides are in ``pool``; the sums are in ``core.kernels.adaptive_pool``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.forward import forward
from flambeau.core.kernels import adaptive_pool, pool
from flambeau.core.kernels.windows import channels_last
from flambeau.core.ops.windowing import (
    Ints,
    batched,
    dimensional,
    only,
    unbatched,
)
from flambeau.core.taken import refuse_dtype

__all__ = [
    "adaptive_average",
    "adaptive_maximum",
    "fractional_maximum",
    "max_unpooled",
    "plane_gather",
    "plane_scatter",
]


def _adaptive_prepared(op: str, input: Any, out: Ints, filled: int | None = None) -> Any:
    """The input with a batch axis; the first dimension of what is given may be empty."""
    count = len(out)
    if min(out) < 0:
        raise fail(RuntimeError, op, f"output_size must be non-negative, but got {list(out)}.")
    array = batched(op, input, count, input.ndim - 1 if filled is None else filled)
    if filled is None or input.size:
        refuse_dtype(op, input.dtype, "f")
    return array


_SIZED = dimensional("AdaptiveAvgPool", "")


def _average_name(node: Any) -> str:
    whole = len(node.params[-1]) > 1 and set(node.params[-1]) == {1}
    return "MeanBackward1" if whole else _SIZED(node)


@primitive(
    vjp=lambda g, input, out_size: ops.adaptive_average_spread(
        g, input._array.shape, channels_last(input._array), len(out_size)
    ),
    infer=lambda input, out_size: ((*input.shape[: -len(out_size)], *out_size), input.dtype),
    node=_average_name,
    method=False,
    function=False,
)
def adaptive_average(input, out_size: Ints):
    """The mean over bins ``[floor(i S / n), ceil((i + 1) S / n))`` for ``n = out_size`` per
    axis.
    """
    count = len(out_size)
    filled = count if count < 3 else None  # planes may lack channels, volumes may not
    array = _adaptive_prepared(f"adaptive_avg_pool{count}d", input, out_size, filled)
    if 0 in out_size or not array.size:
        return np.zeros((*input.shape[:-count], *out_size), input.dtype)
    return unbatched(adaptive_pool.average(array, out_size), input.ndim)


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
    return unbatched(adaptive_pool.average_gradient(array, size[-count:], last), grad.ndim)


@primitive(
    outputs=("out", "indices"),
    differentiable=("out",),
    vjp=lambda g, input, indices, size: ops.plane_scatter(
        only(g), indices, input._array.shape, len(size), channels_last(input._array)
    ),
    infer=lambda input, size: (
        ((*input.shape[: -len(size)], *size), input.dtype),
        ((*input.shape[: -len(size)], *size), np.dtype(np.int64)),
    ),
    node=dimensional("AdaptiveMaxPool", ""),
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
    return unbatched(values, input.ndim), unbatched(indices, input.ndim)


@primitive(
    outputs=("out", "indices"),
    differentiable=("out",),
    vjp={
        "input": lambda g, input, indices, kernel: ops.plane_scatter(
            only(g), indices, input._array.shape, len(kernel), False
        )
    },
    infer=lambda input, samples, kernel, size: (
        ((*input.shape[: -len(size)], *size), input.dtype),
        ((*input.shape[: -len(size)], *size), np.dtype(np.int64)),
    ),
    node=dimensional("FractionalMaxPool", ""),
    method=False,
    function=False,
)
def fractional_maximum(input, samples, kernel: Ints, size: Ints):
    """Maxima of windows at pseudo-random steps (B. Graham, 2014, arXiv:1412.6071), and their
    indices.
    """
    count = len(kernel)
    op = f"fractional_max_pool{count}d"
    refuse_dtype(op, input.dtype, "f")
    array = batched(op, input, count, input.ndim - 1)
    for axis, (n, k, o) in enumerate(zip(array.shape[2:], kernel, size, strict=True)):
        if o + k - 1 > n:
            raise fail(
                RuntimeError,
                op,
                f"pool size {k} with output size {o} is too large relative to input size {n} in "
                "dimension "
                f"{axis - count}. Use a smaller kernel or output.",
            )
    lead = array.shape[:2]
    if (
        (samples.shape[1:] != (lead[1], count))
        or samples.shape[0] < lead[0]
        or samples.dtype != input.dtype
    ):
        raise fail(
            RuntimeError,
            op,
            f"_random_samples must be {of(input.dtype)} of shape {[*lead, count]}, but is "
            f"{of(samples.dtype)} of shape {list(samples.shape)}",
        )
    if 0 in size:
        shape = (*input.shape[:-count], *size)
        return np.zeros(shape, input.dtype), np.zeros(shape, np.int64)
    columns = (1, 0) if count == 2 else (0, 1, 2)
    values, indices = adaptive_pool.fractional_maximum(array, kernel, size, samples, columns)
    return unbatched(values, input.ndim), unbatched(indices, input.ndim)


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
    vjp={
        "input": forward(lambda t, indices, size: ops.max_unpooled(t, indices, size))(
            lambda g, indices, size: ops.plane_gather(g, indices, len(size))
        )
    },
    infer=lambda input, indices, size: ((*input.shape[: -len(size)], *size), input.dtype),
    node=dimensional("MaxUnpool", ""),
    method=False,
    function=False,
)
def max_unpooled(input, indices, size: Ints):
    """Zeros of ``size`` with ``input`` at the positions that max pooling took it from."""
    count = len(size)
    op = f"max_unpool{min(count, 2) if count < 3 else 3}d"
    if input.size:
        refuse_dtype(op, input.dtype, "f")
    if indices.dtype != np.int64:
        raise fail(
            RuntimeError, op, f"elements in indices should be type int64 but got: {indices.dtype}."
        )
    if indices.shape != input.shape:
        raise fail(
            RuntimeError,
            op,
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}.",
        )
    area = int(np.prod(size))
    if indices.size and (indices.min() < 0 or indices.max() >= area):
        wrong = indices[(indices < 0) | (indices >= area)].flat[0]
        raise fail(
            RuntimeError,
            op,
            f"Found an invalid max index: {wrong} (output volumes are of size "
            f"{'x'.join(map(str, size))}). Give "
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
