"""The mask in the input's shape, and the input with what the mask rules out replaced by a neutral
value.

Stands on the public operations; reduce.py and normalize.py stand on this.
"""

from __future__ import annotations

import math
from typing import Any

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.layout import strided
from flambeau.core.tensor import Tensor

__all__ = ["axes", "filled", "full_mask", "highest", "lowest", "need_strided"]


def need_strided(op: str, input: Tensor) -> None:
    """Raises ValueError for sparse tensors."""
    if input.layout is not strided:
        raise fail(
            ValueError,
            op,
            f"masked {op} expects strided tensor (got {input.layout} tensor). Use .to_dense() "
            f"first.",
        )


def full_mask(op: str, input: Tensor, mask: Tensor) -> Tensor:
    """The mask as booleans of the input's shape.

    Raises:
        IndexError: the mask has more dimensions than the input; RuntimeError: it does not
            broadcast.
    """
    if mask.layout is not strided:
        mask = mask.to_dense()
    if mask.dim() > input.dim():
        raise fail(
            IndexError,
            op,
            f"expected broadcastable mask: it has {mask.dim()} dimensions, more than the "
            f"{input.dim()} of the input. "
            "Reduce the mask, or expand the input to it.",
        )
    if mask.dtype is not dtypes.bool:
        mask = mask.to(dtypes.bool)
    return mask if mask.shape == input.shape else mask.expand(input.shape)


def filled(op: str, input: Tensor, mask: Tensor | None, value: Any) -> Tensor:
    """``where(mask, input, value)``; `value` may be a function of the dtype. Without a mask the
    input itself.
    """
    need_strided(op, input)
    if mask is None:
        return input
    if callable(value):
        value = value(op, input.dtype)
    return ops.where(full_mask(op, input, mask), input, ops.scalar_tensor(value, dtype=input.dtype))


def lowest(op: str, dtype: Any) -> Any:
    """The neutral element of a maximum: -inf, or the least integer."""
    return _limit(op, dtype, -math.inf, "min")


def highest(op: str, dtype: Any) -> Any:
    """The neutral element of a minimum: inf, or the greatest integer."""
    return _limit(op, dtype, math.inf, "max")


def _limit(op: str, dtype: Any, infinite: float, end: str) -> Any:
    if dtype.is_floating_point or (dtype.is_complex and op == "logsumexp"):
        return infinite
    if dtype is dtypes.bool or dtype.is_complex:
        raise fail(
            TypeError if dtype.is_complex else NotImplementedError,
            op,
            f"no neutral element for {dtype} input. Convert it to a real number type.",
        )
    return getattr(dtypes.iinfo(dtype), end)


def axes(op: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions named by `dim` (None: all), ascending.

    Raises:
        IndexError: out of range; RuntimeError: one named twice.
    """
    if dim is None:
        return tuple(range(ndim))
    found = [wrap_dim(d, ndim) for d in ((dim,) if isinstance(dim, int) else dim)]
    for d in found:
        if found.count(d) > 1:
            raise fail(
                RuntimeError,
                op,
                f"dim={d} appears multiple times in the list of dims {dim}. Name each once.",
            )
    return tuple(sorted(found))
