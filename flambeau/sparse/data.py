"""What a sparse tensor's `_array` holds: the coordinate form and the four compressed ones, as
NumPy arrays.

A data object answers what the core asks of an array (dtype, shape, ndim, size, copy, astype,
``+``); arithmetic lives
in `kernels`, gradients in `basis`. The given index and value arrays are kept, not copied. Stands
on core.layout and core's kernels.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels.generate import slices
from flambeau.core.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr

__all__ = ["COO", "Compressed", "SparseData", "is_sparse"]

nd = np.ndarray


def is_sparse(value: Any) -> bool:
    """Whether an array is sparse data."""
    return isinstance(value, SparseData)


SHORT = 1 << 16
FEW = 1 << 11
"""Places that are sorted by their keys at once, in a third of the time."""


def in_order(indices: Any, shape: tuple[int, ...]) -> Any:
    """The stable order of places, the last dimension fastest.

    16-bit numbers are sorted by radix: one pass a dimension, 60000 places in 1.5 ms where
    comparing them takes 8.
    """
    if not indices.size or max(shape[: len(indices)]) > SHORT or indices.min() < 0:
        return np.lexsort(indices[::-1]) if len(indices) else np.arange(indices.shape[1])
    order = None
    for row in indices[::-1]:
        small = row.astype(np.uint16)
        order = (
            np.argsort(small, kind="stable")
            if order is None
            else order[np.argsort(small[order], kind="stable")]
        )
    return order


class SparseData:
    """The common part: a shape, values, and where they belong."""

    __slots__ = ("cache", "shape", "values")

    is_sparse_data = True
    __array_ufunc__ = None  # NumPy's functions refuse, so that operations come the long way
    layout: Any
    shape: tuple[int, ...]
    values: Any
    cache: dict[str, Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        return int(self.values.dtype.itemsize)

    @property
    def nnz(self) -> int:
        """How many values (or blocks) are kept; of a batch, in each member."""
        raise NotImplementedError

    @property
    def strides(self) -> tuple[int, ...]:
        """Zeros: a sparse tensor has no strides."""
        return (0,) * len(self.shape)

    def with_values(self, values: Any) -> Any:
        """The same places with other values."""
        raise NotImplementedError

    def places(self) -> tuple[Any, ...]:
        """An index array for every sparse dimension: where each value belongs."""
        raise NotImplementedError

    def to_coo(self) -> COO:
        """The coordinate form."""
        raise NotImplementedError

    def copy(self, order: str = "K") -> Any:
        raise NotImplementedError

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.copy()

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        values = self.values
        if values.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
            values = values.real
        with np.errstate(all="ignore"):
            return self.with_values(values.astype(dtype))

    def conj(self) -> Any:
        return self.with_values(self.values.conj())

    @property
    def real(self) -> Any:
        return self.with_values(self.values.real)

    def dense(self) -> np.ndarray[Any, Any]:
        """The strided array."""
        whole = self.to_coo().coalesced() if isinstance(self, COO) else self
        found = np.zeros(self.shape, self.dtype)
        if whole.values.size:
            places = whole.places()
            found[places] = whole.values if places else whole.values.sum(0)
        return found

    def __add__(self, other: Any) -> Any:
        from flambeau.sparse.kernels import plus

        return plus(self, other)

    __radd__ = __add__


class COO(SparseData):
    """Coordinates: ``indices`` (sparse_dim, nnz) and ``values`` (nnz, *dense)."""

    __slots__ = ("indices", "is_coalesced")

    layout = sparse_coo

    def __init__(
        self, indices: Any, values: Any, shape: tuple[int, ...], is_coalesced: bool = False
    ) -> None:
        self.indices = indices
        self.values = values
        self.shape = tuple(shape)
        self.is_coalesced = is_coalesced
        self.cache = {}

    @property
    def nnz(self) -> int:
        return int(self.values.shape[0])

    @property
    def sparse_dim(self) -> int:
        return int(self.indices.shape[0])

    @property
    def dense_dim(self) -> int:
        return int(self.values.ndim - 1)

    def with_values(self, values: Any) -> COO:
        found = COO(
            self.indices,
            values,
            self.shape[: self.sparse_dim] + values.shape[1:],
            self.is_coalesced,
        )
        found.cache = self.cache if values.ndim == self.values.ndim else {}
        return found

    def places(self) -> tuple[Any, ...]:
        return tuple(self.indices)

    def to_coo(self) -> COO:
        return self

    def copy(self, order: str = "K") -> COO:
        return COO(self.indices.copy(), self.values.copy(), self.shape, self.is_coalesced)

    def keys(self) -> Any:
        """One number for every place, in the order of the places."""
        shape = self.shape[: self.sparse_dim]
        if not shape:
            return np.zeros(self.nnz, np.int64)
        if len(shape) == 1:
            return self.indices[0]
        keys = self.indices[0] * shape[1]
        for k in range(1, len(shape)):
            keys = keys + self.indices[k]
            if k + 1 < len(shape):
                keys *= shape[k + 1]
        return keys

    def coalesced(self) -> COO:
        """Places in order, each once: what stood at one place is summed.

        The order and the runs are kept for data that share these indices.
        """
        if self.is_coalesced:
            return self
        order, starts, indices = self._order()
        return COO(indices, self._merge(self.values, order, starts), self.shape, True)

    def _order(self) -> tuple[Any, Any, Any]:
        found = self.cache.get("order")
        if found is None:
            keys = self.keys()
            if len(keys) < FEW and self.size < 1 << 62:
                order = keys.argsort(kind="stable")
            else:
                order = in_order(self.indices, self.shape)
            ranked = keys[order]
            first = np.ones(len(ranked), bool)
            np.not_equal(ranked[1:], ranked[:-1], out=first[1:])
            starts = first.nonzero()[0]
            indices = self.indices.take(order[starts], 1)  # each row contiguous
            found = self.cache["order"] = (
                order,
                None if len(starts) == len(order) else starts,
                indices,
            )
        return found  # type: ignore[no-any-return]

    @staticmethod
    def _merge(values: Any, order: Any, starts: Any) -> Any:
        if starts is not None and values.ndim > 1:
            number = np.zeros(len(order), np.int64)
            number[starts[1:]] = 1
            member = np.empty_like(number)
            member[order] = number.cumsum()
            found = np.zeros((len(starts), *values.shape[1:]), values.dtype)
            flat = found.reshape(len(starts), -1)
            if slices.add_rows(flat, member, values.reshape(len(order), -1)):
                return found
        ranked = values[order]
        if starts is None or not len(ranked):
            return ranked
        if ranked.dtype == bool:
            return np.logical_or.reduceat(ranked, starts, axis=0)
        if ranked.dtype.kind == "V" or ranked.dtype == np.float16:
            return np.add.reduceat(ranked.astype(np.float32), starts, axis=0).astype(ranked.dtype)
        return np.add.reduceat(ranked, starts, axis=0, dtype=ranked.dtype)

    def rows(self) -> tuple[Any, Any, Any]:
        """(row pointers, columns, order or None) of a matrix by rows; kept for the next product."""
        found = self.cache.get("rows")
        if found is None:
            row, column = self.indices
            order = None
            if not self.is_coalesced and np.any(row[1:] < row[:-1]):
                order = in_order(self.indices[:1], self.shape)
                column = column[order]
            pointers = np.zeros(self.shape[0] + 1, np.int64)
            np.cumsum(np.bincount(row, minlength=self.shape[0]), out=pointers[1:])
            found = self.cache["rows"] = pointers, np.ascontiguousarray(column), order
        return found  # type: ignore[no-any-return]


class Compressed(SparseData):
    """CSR, CSC, BSR, BSC.

    ``compressed`` pointers (*batch, n + 1), ``plain`` indices (*batch, nnz) and ``values``
    (*batch, nnz, *block, *dense).
    """

    __slots__ = ("compressed", "layout", "plain")

    def __init__(
        self, compressed: Any, plain: Any, values: Any, shape: tuple[int, ...], layout: Any
    ) -> None:
        self.compressed = compressed
        self.plain = plain
        self.values = values
        self.shape = tuple(shape)
        self.layout = layout
        self.cache = {}

    @property
    def nnz(self) -> int:
        return int(self.plain.shape[-1])

    @property
    def batch(self) -> int:
        """How many leading dimensions are batch."""
        return int(self.compressed.ndim - 1)

    @property
    def blocked(self) -> bool:
        return self.layout is sparse_bsr or self.layout is sparse_bsc

    @property
    def by_row(self) -> bool:
        return self.layout is sparse_csr or self.layout is sparse_bsr

    @property
    def block(self) -> tuple[int, int]:
        k = self.batch + 1
        return tuple(self.values.shape[k : k + 2]) if self.blocked else (1, 1)

    @property
    def sparse_dim(self) -> int:
        return 2

    @property
    def dense_dim(self) -> int:
        return int(self.values.ndim - self.batch - 1 - 2 * self.blocked)

    def with_values(self, values: Any) -> Compressed:
        found = Compressed(self.compressed, self.plain, values, self.shape, self.layout)
        found.cache = self.cache
        return found

    def copy(self, order: str = "K") -> Compressed:
        return Compressed(
            self.compressed.copy(), self.plain.copy(), self.values.copy(), self.shape, self.layout
        )

    def main(self) -> Any:
        """The index along the compressed dimension of every value: the pointers written out."""
        found = self.cache.get("main")
        if found is None:
            flat = self.compressed.reshape(-1, self.compressed.shape[-1])
            n = flat.shape[1] - 1
            found = np.empty((len(flat), self.nnz), np.int64)
            for k, pointers in enumerate(flat):
                found[k] = np.repeat(np.arange(n), np.diff(pointers))
            found = self.cache["main"] = found.reshape(self.plain.shape)
        return found

    def places(self) -> tuple[Any, ...]:
        main, plain = self.main(), self.plain
        row, column = (main, plain) if self.by_row else (plain, main)
        lead = np.ogrid[tuple(slice(n) for n in self.plain.shape[:-1])] if self.batch else []
        lead = [grid[..., None] for grid in lead]
        if self.blocked:
            height, width = self.block
            row = row[..., None, None] * height + np.arange(height)[:, None]
            column = column[..., None, None] * width + np.arange(width)
            lead = [grid[..., None, None] for grid in lead]
        return (*lead, row, column)

    def to_coo(self) -> COO:
        places = np.broadcast_arrays(*self.places())
        indices = np.stack([np.ascontiguousarray(p).reshape(-1) for p in places]).astype(np.int64)
        k = self.batch + 1 + 2 * self.blocked
        values = self.values.reshape(-1, *self.values.shape[k:])
        # Rows in order and, by the invariants, columns in order within each: nothing to sort.
        tidy = self.layout is sparse_csr
        return COO(indices, values, self.shape, tidy)

    def flipped(self) -> Compressed:
        """The sparse dimensions transposed: the same arrays under the other layout."""
        other = {
            sparse_csr: sparse_csc,
            sparse_csc: sparse_csr,
            sparse_bsr: sparse_bsc,
            sparse_bsc: sparse_bsr,
        }
        k = self.batch
        shape = (*self.shape[:k], self.shape[k + 1], self.shape[k], *self.shape[k + 2 :])
        values = self.values.swapaxes(k + 1, k + 2) if self.blocked else self.values
        return Compressed(self.compressed, self.plain, values, shape, other[self.layout])
