"""`make_tensor`: a random tensor of a given shape and dtype within bounds. Stands on core's random
operations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.dtypes import finfo, iinfo
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = ["make_tensor"]


def make_tensor(
    *shape: int | Sequence[int],
    dtype: dtypes.dtype,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of values drawn uniformly from ``[low, high)``.

    Args:
        low, high: by default [0, 2) for bool, [0, 10) for unsigned, [-9, 10) for signed integers,
            [-9, 9) for floating and complex dtypes; clamped to what the dtype holds.
        noncontiguous: leave gaps between the elements (of tensors with two and more).
        exclude_zero: replace zeros by the dtype's smallest positive normal number (1 for integers).

    Raises:
        ValueError: bounds that are NaN, crossed or outside the dtype; a gradient asked of integers;
            `noncontiguous` together with `memory_format`.
    """
    import flambeau

    sizes: Any = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    sizes = tuple(sizes)
    integral = not (dtype.is_floating_point or dtype.is_complex)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "make_tensor: the parameters `noncontiguous` and `memory_format` are mutually "
            "exclusive, "
            f"but got noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    if requires_grad and integral:
        raise ValueError(
            "make_tensor: `requires_grad=True` is not supported for boolean and integral dtypes, "
            f"but got dtype={dtype}"
        )
    noncontiguous = noncontiguous and math.prod(sizes) > 1
    if noncontiguous:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    if integral:
        least, most, usual = _integer_range(dtype)
        low, high = _bounds(dtype, low, high, least, most, *usual)
        result = flambeau.randint(
            math.ceil(low), math.ceil(high), sizes, device=device, dtype=dtype
        )
    else:
        info = finfo(dtype)
        low, high = _bounds(dtype, low, high, info.min, info.max, -9, 9)
        drawn = dtypes.float32 if dtype.category == "float8" else dtype
        result = flambeau.empty(sizes, device=device, dtype=drawn)
        _uniform(ops.view_as_real(result) if dtype.is_complex else result, low, high)
        result = result.to(dtype)
    if noncontiguous:
        result = result[..., 1::2]  # odd places: an offset that is ignored shows
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = 1 if integral else finfo(dtype).tiny
    return result.requires_grad_() if requires_grad else result  # type: ignore[no-any-return]


def _integer_range(dtype: dtypes.dtype) -> tuple[int, int, tuple[int, int]]:
    if dtype is dtypes.bool:
        return 0, 2, (0, 2)
    info = iinfo(dtype)
    return info.min, info.max + (dtype is not dtypes.int64), (-9, 10)


def _bounds(
    dtype: dtypes.dtype,
    low: float | None,
    high: float | None,
    least: float,
    most: float,
    usual_low: float,
    usual_high: float,
) -> tuple[float, float]:
    low = usual_low if low is None else low
    high = usual_high if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(
            f"make_tensor: `low` and `high` cannot be NaN, but got low={low} and high={high}"
        )
    if low == high and (dtype.is_floating_point or dtype.is_complex):
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is "
            "deprecated "
            "since 2.1 and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=stack_level(),
        )
    elif low >= high:
        raise ValueError(f"make_tensor: `low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= most:
        raise ValueError(
            f"make_tensor: the value interval specified by `low` and `high` is [{low}, {high}), "
            f"but {dtype} "
            f"only supports [{least}, {most})"
        )
    return min(max(low, least), most), min(max(high, least), most)


def _uniform(tensor: Tensor, low: float, high: float) -> None:
    """Fill from [low, high); halves where the width itself is no finite number of the dtype."""
    if high - low >= finfo(tensor.dtype).max:
        tensor.uniform_(low / 2, high / 2).mul_(2)
    else:
        tensor.uniform_(low, high)
