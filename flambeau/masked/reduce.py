"""Masked reductions: sum, prod, extrema, mean, median, norm, variance. Stands on mask.py and the
public operations.

Every function takes `dim` (an int, several, or None for all), `keepdim`, `dtype` of the result and
`mask` (bool, broadcastable to the input; True: the element counts). Where nothing counts, the
result is the operation's neutral element, or NaN where it has none.
"""

from __future__ import annotations

import math
from typing import Any

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.layout import strided
from flambeau.core.tensor import Tensor
from flambeau.masked.mask import axes, filled, full_mask, highest, lowest, need_strided
from flambeau.masked.sparse import mean as mean_of_rows
from flambeau.masked.sparse import reduce

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]

Dim = int | tuple[int, ...] | None


def _accumulated(dtype: Any) -> Any:
    """The dtype of a sum: integers and booleans add up in int64."""
    return dtype if dtype.is_floating_point or dtype.is_complex else dtypes.int64


def sum(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The sum of the elements that count; 0 where none does."""
    if input.layout is not strided:
        kind = dtype or _accumulated(input.dtype)
        return reduce("sum", input, dim, bool(keepdim), kind, mask, 0)
    kept = filled("sum", input, mask, 0)
    return ops.sum(
        kept, axes("sum", dim, input.dim()), bool(keepdim), dtype=dtype or _accumulated(input.dtype)
    )


def prod(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The product of the elements that count; 1 where none does."""
    if input.layout is not strided:
        kind = dtype or _accumulated(input.dtype)
        return reduce("prod", input, dim, bool(keepdim), kind, mask, 1)
    found = filled("prod", input, mask, 1).to(dtype or _accumulated(input.dtype))
    for d in reversed(axes("prod", dim, input.dim())):
        found = found.prod(d, keepdim=bool(keepdim))
    return found


def amax(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The greatest element that counts; the least value of the dtype where none does."""
    if input.layout is not strided:
        kind, least = dtype or input.dtype, lowest("amax", input.dtype)
        return reduce("amax", input, dim, bool(keepdim), kind, mask, least)
    kept = filled("amax", input, mask, lowest)
    return ops.amax(kept, axes("amax", dim, input.dim()), bool(keepdim)).to(dtype or input.dtype)


def amin(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The least element that counts; the greatest value of the dtype where none does."""
    if input.layout is not strided:
        kind, most = dtype or input.dtype, highest("amin", input.dtype)
        return reduce("amin", input, dim, bool(keepdim), kind, mask, most)
    kept = filled("amin", input, mask, highest)
    return ops.amin(kept, axes("amin", dim, input.dim()), bool(keepdim)).to(dtype or input.dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The position of the greatest element that counts (flattened when `dim` is None), in the
    input's dtype.
    """
    found = ops.argmax(filled("argmax", input, mask, lowest), dim, bool(keepdim))
    return found.to(dtype or input.dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The position of the least element that counts (flattened when `dim` is None), in the input's
    dtype.
    """
    found = ops.argmin(filled("argmin", input, mask, highest), dim, bool(keepdim))
    return found.to(dtype or input.dtype)


def _count(
    op: str, input: Tensor, dim: Dim, keepdim: bool, mask: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """How many elements count along `dim`, and the mask in the input's shape."""
    if mask is None:
        return sum(ops.ones(input.shape, dtype=dtypes.int64), dim, keepdim=keepdim), None
    whole = full_mask(op, input, mask)
    return sum(whole, dim, keepdim=keepdim), whole


def mean(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The mean of the elements that count; NaN where none does.

    Raises:
        ValueError: an integer dtype.
    """
    target = dtype or input.dtype
    if not (target.is_floating_point or target.is_complex):
        raise fail(
            ValueError,
            "mean",
            f"dtype {target}: a mean is floating point or complex. Give dtype=torch.float32.",
        )
    if input.layout is not strided:
        return mean_of_rows(input, dim, bool(keepdim), target, mask)
    count, whole = _count("mean", input, dim, bool(keepdim), mask)
    return sum(input, dim, keepdim=keepdim, dtype=target, mask=whole) / count


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The lower median of the elements that count; NaN where none does.

    Raises:
        ValueError: a row of integers in which none counts.
    """
    (along,) = axes("median", dim, input.dim())
    if input.is_floating_point():
        return ops.nanmedian(filled("median", input, mask, math.nan), along, keepdim).values
    found = ops.nanmedian(
        filled("median", input.to(dtypes.float32), mask, math.nan), along, keepdim
    ).values
    if found.isnan().any():
        raise fail(
            ValueError, "median", "expects no fully masked out rows if dtype is not floating point"
        )
    return found.to(dtype or input.dtype)


def logsumexp(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``log(sum(exp(x)))`` over the elements that count; -inf where none does."""
    kept = filled("logsumexp", input, mask, lowest)
    return ops.logsumexp(kept, axes("logsumexp", dim, input.dim()), keepdim).to(
        dtype or input.dtype
    )


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The vector norm of order `ord` of the elements that count; 0 where none does (inf for
    ``ord=-inf``).
    """
    kept = filled("norm", input, mask, math.inf if ord == -math.inf else 0)
    along = axes("norm", dim, input.dim())
    return ops.linalg_vector_norm(kept, ord, along, bool(keepdim), dtype=dtype or input.dtype)


def _variance(
    op: str,
    input: Tensor,
    dim: Dim,
    unbiased: bool | None,
    correction: float | None,
    keepdim: bool,
    dtype: Any,
    mask: Tensor | None,
) -> Tensor:
    """``sum |x - mean|^2 / max(0, N - correction)`` over the N elements that count."""
    need_strided(op, input)
    if unbiased is not None and correction is not None:
        raise fail(
            AssertionError, op, "unbiased and correction exclude each other. Give one of them."
        )
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    if dtype is None:
        dtype = input.dtype if input.is_floating_point() or input.is_complex() else dtypes.float32
    wide = dtype if dtype.is_floating_point or dtype.is_complex else dtypes.float32
    count, whole = _count(op, input, dim, True, mask)
    distance = input - sum(input, dim, keepdim=True, dtype=dtype, mask=whole) / count
    total = sum(distance * distance.conj(), dim, keepdim=keepdim, dtype=wide, mask=whole)
    if not keepdim:
        count = count.reshape(total.shape)
    if correction:
        count = (count.to(wide.to_real() if wide.is_complex else wide) - float(correction)).clamp(
            min=0
        )
    return (total / count).to(dtype)


def var(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance of the N elements that count, with ``N - correction`` degrees of freedom
    (default 1).
    """
    return _variance("var", input, dim, unbiased, correction, bool(keepdim), dtype, mask)


def std(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool | None = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The standard deviation of the N elements that count: the root of `var`."""
    return _variance("std", input, dim, unbiased, correction, bool(keepdim), dtype, mask).sqrt()
