"""Marks for NVIDIA's profiler: RuntimeError, as in a build without CUDA."""

from __future__ import annotations

from typing import NoReturn

from flambeau.cuda.refusal import opted_in

__all__ = ["mark", "range_pop", "range_push"]


def _refuse() -> NoReturn:
    raise RuntimeError(
        "cuda.nvtx: NVTX functions not installed. Are you sure you have a CUDA build? flambeau "
        "computes on the CPU; use torch.profiler.record_function instead."
    )


def range_push(msg: str) -> int:
    """Open a named range."""
    return 0 if opted_in() else _refuse()


def range_pop() -> int:
    """Close the innermost range."""
    return 0 if opted_in() else _refuse()


def mark(msg: str) -> None:
    """Mark a moment."""
    if not opted_in():
        _refuse()
