"""Pooling under PyTorch's names and argument forms, over ``pool`` and ``adaptive``.

``max_pool2d(..., return_indices=True)``, strides that default to the kernel, output sizes with None
and unpooling sizes are resolved here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.ops import adaptive as _adaptive  # noqa: F401  (declared for use through ops)
from flambeau.core.ops import pool as _pool  # noqa: F401
from flambeau.core.ops.windowing import Ints, require_tensor, sizes
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor

__all__ = [
    "adaptive_average",
    "adaptive_max",
    "average",
    "fractional_max",
    "lp",
    "maximum",
    "unpool",
]


def _stride(op: str, stride: Any, kernel: Ints) -> Ints:
    """The windows' own size where none is given."""
    none = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    return kernel if none else sizes(op, "stride", stride, len(kernel))


def maximum(
    count: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Max pooling in ``count`` dimensions; with ``return_indices`` the pair (values, indices)."""
    op = f"max_pool{count}d"
    require_tensor(op, "input", input)
    kernel = sizes(op, "kernel_size", kernel_size, count)
    stride = _stride(op, stride, kernel)
    padding = sizes(op, "padding", padding, count)
    dilation = sizes(op, "dilation", dilation, count)
    options = (kernel, stride, padding, dilation)
    if not return_indices and not (grad_enabled() and input.requires_grad):
        return ops.max_pool_values(input, *options, bool(ceil_mode))
    values, taps = ops.max_pool(input, *options, bool(ceil_mode))
    if not return_indices:
        return values
    return values, ops.max_pool_indices(taps, tuple(input.shape[-count:]), *options)


def average(
    count: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Average pooling in ``count`` dimensions."""
    op = f"avg_pool{count}d"
    require_tensor(op, "input", input)
    kernel = sizes(op, "kernel_size", kernel_size, count)
    stride = _stride(op, stride, kernel)
    padding = sizes(op, "padding", padding, count)
    settings = kernel, stride, padding, bool(ceil_mode), bool(count_include_pad), divisor_override
    if out is None:
        return ops.average_pool(input, *settings)
    return ops.average_pool(input, *settings, out=out)


def _wanted(op: str, input: Tensor, output_size: Any, count: int) -> Ints:
    """The output size, None standing for the input's own.

    Raises:
        ValueError: a sequence of sizes for an input without that many spatial dimensions.
    """
    if count > 1 and isinstance(output_size, (tuple, list)) and input.ndim <= len(output_size):
        raise fail(
            ValueError,
            op,
            f"Input dimension should be at least {len(output_size) + 1}, but got input of size "
            f"{list(input.shape)} for output_size={tuple(output_size)}.",
        )
    if isinstance(output_size, (tuple, list)) and any(n is None for n in output_size):
        if len(output_size) != count:
            raise fail(
                RuntimeError,
                op,
                f"output_size must be {count} numbers or None, but got {list(output_size)}.",
            )
        own = input.shape[-count:]
        output_size = [
            n if given is None else given for given, n in zip(output_size, own, strict=True)
        ]
    return sizes(op, "output_size", output_size, count)


def adaptive_average(count: int, input: Tensor, output_size: Any) -> Tensor:
    """Average pooling to ``output_size``."""
    op = f"adaptive_avg_pool{count}d"
    require_tensor(op, "input", input)
    return ops.adaptive_average(input, _wanted(op, input, output_size, count))


def adaptive_max(count: int, input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Max pooling to ``output_size``."""
    op = f"adaptive_max_pool{count}d"
    require_tensor(op, "input", input)
    values, indices = ops.adaptive_maximum(input, _wanted(op, input, output_size, count))
    return (values, indices) if return_indices else values


def lp(
    count: int,
    input: Tensor,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of every window: ``(sum |x|^p)^(1/p)`` by way of the average of ``x^p``."""
    op = f"lp_pool{count}d"
    require_tensor(op, "input", input)
    area = 1
    for n in sizes(op, "kernel_size", kernel_size, count):
        area *= n
    mean = average(count, ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return ops.pow(ops.sign(mean) * ops.relu(ops.abs(mean)) * area, 1.0 / norm_type)


def fractional_max(
    count: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling with pseudo-random steps, to ``output_size`` or to a ratio of the input's size.

    Raises:
        ValueError: neither, or both, given.
    """
    op = f"fractional_max_pool{count}d"
    require_tensor(op, "input", input)
    if output_size is None and output_ratio is None:
        raise fail(ValueError, op, "requires specifying either an output_size or an output_ratio.")
    if output_size is None:
        ratios = (
            output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * count
        )
        if len(ratios) != count:
            raise fail(
                ValueError, op, f"output_ratio needs {count} numbers, but got {list(ratios)}."
            )
        own = input.shape[-count:]
        output_size = tuple(int(n * ratio) for n, ratio in zip(own, ratios, strict=True))
    for name, size in (("kernel_size", kernel_size), ("output_size", output_size)):
        if isinstance(size, (tuple, list)) and len(size) != count:
            raise fail(
                RuntimeError, op, f"{name} must be one int or {count} of them, but got {list(size)}"
            )
    if _random_samples is None:
        lead = (1, input.shape[0]) if input.ndim == count + 1 else tuple(input.shape[:2])
        _random_samples = ops.rand(*lead, count, dtype=input.dtype, device=input.device)
    values, indices = ops.fractional_maximum(
        input,
        _random_samples,
        sizes(op, "kernel_size", kernel_size, count),
        sizes(op, "output_size", output_size, count),
    )
    return (values, indices) if return_indices else values


def unpool(
    count: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """The partial inverse of max pooling: values back to where ``indices`` says, zeros elsewhere.

    Raises:
        ValueError: an ``output_size`` that this pooling cannot have come from.
    """
    op = f"max_unpool{count}d"
    require_tensor(op, "input", input)
    require_tensor(op, "indices", indices)
    kernel = sizes(op, "kernel_size", kernel_size, count)
    stride = kernel if stride is None else sizes(op, "stride", stride, count)
    padding = sizes(op, "padding", padding, count)
    own = input.shape[-count:]
    usual = tuple(
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(own, kernel, stride, padding, strict=True)
    )
    if output_size is None:
        return ops.max_unpooled(input, indices, usual)
    wanted = tuple(output_size)
    if len(wanted) == count + 2:
        wanted = wanted[2:]
    if len(wanted) != count:
        raise fail(
            ValueError,
            op,
            f"output_size should be a sequence containing {count} or {count + 2} elements, but it "
            "has a length of "
            f"'{len(tuple(output_size))}'.",
        )
    for axis, (n, size, s) in enumerate(zip(wanted, usual, stride, strict=True)):
        if not size - s < n < size + s:
            raise fail(
                ValueError,
                op,
                f"invalid output_size {list(wanted)}: dimension {axis} must be between {size - s} "
                f"and {size + s}.",
            )
    return ops.max_unpooled(input, indices, wanted)


def _published(name: str, count: int, function: Callable[..., Any], doc: str) -> None:
    """Make ``torch.<name>`` the native form of ``function`` in ``count`` dimensions."""

    def native(*args: Any, **kwargs: Any) -> Any:
        return function(count, *args, **kwargs)

    native.__name__ = native.__qualname__ = name
    native.__doc__ = doc
    composite()(native)


def _max_pool1d_with_indices(count: int, *args: Any, **kwargs: Any) -> Any:
    return maximum(count, *args, **kwargs, return_indices=True)


def _adaptive_max_with_indices(count: int, input: Tensor, output_size: Any) -> Any:
    return adaptive_max(count, input, output_size, True)


for _count in (1, 2, 3):
    _published(f"max_pool{_count}d", _count, maximum, f"Max pooling in {_count} dimensions.")
_published("avg_pool1d", 1, average, "Average pooling in one dimension.")
_published("adaptive_avg_pool1d", 1, adaptive_average, "Adaptive average pooling in one dimension.")
_published(
    "adaptive_max_pool1d", 1, _adaptive_max_with_indices, "Adaptive max pooling: (values, indices)."
)
_published(
    "max_pool1d_with_indices", 1, _max_pool1d_with_indices, "Max pooling: (values, indices)."
)
