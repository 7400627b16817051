"""Masked operations that keep the input's shape: softmax and kin, normalize, running sums,
logaddexp. Stands on mask.py.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.declare import ops
from flambeau.core.tensor import Tensor
from flambeau.masked.mask import axes, filled, highest, lowest
from flambeau.masked.reduce import norm

__all__ = ["cumprod", "cumsum", "log_softmax", "logaddexp", "normalize", "softmax", "softmin"]


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``exp(x) / sum exp(x)`` over the elements that count; the others become 0 (NaN where none
    counts).
    """
    (along,) = axes("softmax", dim, input.dim())
    return ops.softmax(filled("softmax", input, mask, lowest), along, dtype=dtype or input.dtype)


def log_softmax(
    input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """``log(softmax(x))`` over the elements that count; the others become -inf."""
    (along,) = axes("log_softmax", dim, input.dim())
    return ops.log_softmax(
        filled("log_softmax", input, mask, lowest), along, dtype=dtype or input.dtype
    )


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``softmax(-x)`` over the elements that count; the others become 0."""
    (along,) = axes("softmin", dim, input.dim())
    return ops.softmax(-filled("softmin", input, mask, highest), along, dtype=dtype or input.dtype)


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``x / max(norm(x), eps)`` over the elements that count; the others become 0."""
    kept = filled("normalize", input, mask, 0)
    length = norm(input, ord, dim, keepdim=True, dtype=dtype or input.dtype, mask=mask)
    return kept / ops.maximum(length, length.new_full([], eps))


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running sum of the elements that count."""
    (along,) = axes("cumsum", dim, input.dim())
    target = dtype or input.dtype
    return ops.cumsum(filled("cumsum", input, mask, 0), along, dtype=target).to(target)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running product of the elements that count."""
    (along,) = axes("cumprod", dim, input.dim())
    target = dtype or input.dtype
    return ops.cumprod(filled("cumprod", input, mask, 1), along, dtype=target).to(target)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """``log(exp(x) + exp(y))``; an element that its mask rules out counts as -inf."""
    kept = filled("logaddexp", input, input_mask, lowest)
    return ops.logaddexp(kept, filled("logaddexp", other, other_mask, lowest)).to(
        dtype or input.dtype
    )
