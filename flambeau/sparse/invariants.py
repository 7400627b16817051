"""What must hold of indices, and the switch that has it looked at. Off by default: the checks read
every index.

Stands on data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.sparse.data import COO, Compressed

__all__ = [
    "asked",
    "check_compressed",
    "check_coo",
    "check_shapes",
    "check_sparse_tensor_invariants",
]

_enabled = False


def asked(argument: bool | None) -> bool:
    """Whether to check: the argument, else the switch."""
    return _enabled if argument is None else bool(argument)


class check_sparse_tensor_invariants:
    """Check the indices of every sparse tensor that is made: as a context manager, a decorator, or
    for good.

    Args:
        enable: False switches the checks off for the block.
    """

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.before: list[bool] = []

    @staticmethod
    def is_enabled() -> bool:
        """Whether the checks are on."""
        return _enabled

    @staticmethod
    def enable() -> None:
        """Switch the checks on."""
        global _enabled
        _enabled = True

    @staticmethod
    def disable() -> None:
        """Switch the checks off."""
        global _enabled
        _enabled = False

    def __enter__(self) -> None:
        global _enabled
        self.before.append(_enabled)
        _enabled = self.state

    def __exit__(self, *exc: object) -> None:
        global _enabled
        _enabled = self.before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.state):
                return function(*args, **kwargs)

        return checked


def check_coo(op: str, a: COO) -> None:
    """Indices within the size, and unique and in order where that was promised.

    Raises:
        RuntimeError: they are not.
    """
    for k in range(a.sparse_dim if a.nnz else 0):
        low, high = int(a.indices[k].min()), int(a.indices[k].max())
        if low < 0:
            raise fail(RuntimeError, op, f"found negative index {low} for dim {k}")
        if high >= a.shape[k]:
            raise fail(
                RuntimeError,
                op,
                f"size is inconsistent with indices: for dim {k}, size is {a.shape[k]} but found "
                f"index {high}",
            )
    keys = a.keys()
    if a.is_coalesced and np.any(keys[1:] <= keys[:-1]):
        raise fail(
            RuntimeError,
            op,
            "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor",
        )


def _names(a: Compressed) -> tuple[str, str, str, str]:
    rows = ("crow_indices", "col_indices", "rows", "ncols")
    return rows if a.by_row else ("ccol_indices", "row_indices", "columns", "nrows")


def check_shapes(op: str, a: Compressed) -> None:
    """Numbers of dimensions and lengths that agree.

    Raises:
        RuntimeError: they do not.
    """
    compressed, plain, lines, _ = _names(a)
    for name, indices in ((compressed, a.compressed), (plain, a.plain)):
        if not indices.ndim:
            raise fail(RuntimeError, op, f"{name} must have dimensionality >= 1 but got 0")
        if indices.dtype.kind != "i" or indices.dtype.itemsize < 4:
            raise fail(RuntimeError, op, f"{name} must be int32 or int64, but got {indices.dtype}")
    if a.compressed.dtype != a.plain.dtype:
        raise fail(
            RuntimeError,
            op,
            f"{compressed} and {plain} must have the same dtype, but got {a.compressed.dtype} and "
            f"{a.plain.dtype}",
        )
    if a.plain.ndim != a.compressed.ndim:
        raise fail(
            RuntimeError,
            op,
            f"number of dimensions of {compressed} and {plain} must be the same, got "
            f"{a.compressed.ndim} and {a.plain.ndim}",
        )
    k = a.batch
    if a.values.ndim < k + 1 + 2 * a.blocked:
        raise fail(
            RuntimeError,
            op,
            f"values must have dimensionality >= {k + 1 + 2 * a.blocked} but got {a.values.ndim}",
        )
    if a.values.shape[k] != a.nnz:
        raise fail(
            RuntimeError,
            op,
            f"number of values must match the number of {plain}: {a.values.shape[k]} != {a.nnz}",
        )
    if len(a.shape) != k + 2 + a.dense_dim:
        raise fail(
            RuntimeError,
            op,
            f"tensor dimensionality must be sum of batch, base, and dense dimensionalities (={k} + "
            f"2 + {a.dense_dim}) but got {len(a.shape)}",
        )
    height, width = a.block
    count = a.shape[k] // height if a.by_row else a.shape[k + 1] // width
    if a.compressed.shape[-1] != count + 1:
        raise fail(
            RuntimeError,
            op,
            f"{compressed}.shape[-1] must be equal to the number of {lines} + 1 (={count + 1}), "
            f"but got {a.compressed.shape[-1]}",
        )


def check_compressed(op: str, a: Compressed) -> None:
    """Pointers that begin at 0, rise to nnz, and plain indices in range, sorted and distinct in
    each line.

    Raises:
        RuntimeError: a line is malformed.
    """
    compressed, plain, _, count = _names(a)
    pointers, others = a.compressed, a.plain
    k = a.batch
    height, width = a.block
    size = a.shape[k + 1] // width if a.by_row else a.shape[k] // height
    said = (
        (np.all(pointers[..., 0] == 0), f"`{compressed}[..., 0] == 0`"),
        (np.all(pointers[..., -1] == a.nnz), f"`{compressed}[..., -1] == nnz`"),
        (
            np.all(np.diff(pointers) >= 0),
            f"`0 <= {compressed}[..., 1:] - {compressed}[..., :-1] <= {count}`",
        ),
        (np.all((others >= 0) & (others < size)), f"`0 <= {plain} < {count}`"),
    )
    for holds, text in said:
        if not holds:
            raise fail(RuntimeError, op, f"{text} is not satisfied.")
    main = a.main()
    keys = main * max(size, 1) + others
    if np.any(np.diff(keys) <= 0):
        raise fail(
            RuntimeError,
            op,
            f"`{plain}[..., {compressed}[..., i - 1]:{compressed}[..., i]] for all i are sorted "
            "and distinct along the last dimension "
            "values` is not satisfied.",
        )
