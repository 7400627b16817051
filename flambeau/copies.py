"""Functions of ``torch`` that are a method written as a function: in place, or what a compressed
sparse tensor keeps as a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.layout import strided
from flambeau.core.tensor import Tensor

__all__ = [
    "addmv_",
    "as_strided_",
    "ccol_indices_copy",
    "col_indices_copy",
    "crow_indices_copy",
    "indices_copy",
    "row_indices_copy",
    "values_copy",
]


def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``input.addmv_(mat, vec)``: beta * input + alpha * (mat @ vec), in place."""
    return input.addmv_(mat, vec, beta=beta, alpha=alpha)


def as_strided_(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """``input.as_strided_(size, stride)``: the tensor looks at its memory in another way."""
    return input.as_strided_(size, stride, storage_offset)


def _copied(part: str) -> Callable[[Tensor], Tensor]:
    def copied(input: Tensor) -> Tensor:
        layout = str(input.layout)
        if input.layout is strided:
            raise fail(RuntimeError, f"{part}_copy", "expected a sparse tensor, got a strided one.")
        if layout == "torch.sparse_coo":
            raise fail(
                NotImplementedError,
                f"{part}_copy",
                f"of compressed sparse tensors alone: take .{part}().clone() of a COO one.",
            )
        found: Tensor = getattr(input, part)().clone()
        return found

    copied.__name__ = copied.__qualname__ = f"{part}_copy"
    copied.__doc__ = f"A copy of ``input.{part}()``, of a compressed sparse tensor."
    return copied


ccol_indices_copy = _copied("ccol_indices")
col_indices_copy = _copied("col_indices")
crow_indices_copy = _copied("crow_indices")
indices_copy = _copied("indices")
row_indices_copy = _copied("row_indices")
values_copy = _copied("values")
