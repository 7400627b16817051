"""Methods of sparse tensors: their indices and values, their dimensions, their layout, their
places as a mask.

Bound to Tensor by core.ops.sparse, which loads this room at first use. Stands on basis and build.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout as layouts
from flambeau.core.errors import fail
from flambeau.core.inplace import check_inplace
from flambeau.core.storage import touch
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.sparse import basis
from flambeau.sparse.build import emptied
from flambeau.sparse.data import COO, Compressed, SparseData

__all__ = [
    "_coalesced_",
    "_indices",
    "_nnz",
    "_values",
    "ccol_indices",
    "coalesce",
    "col_indices",
    "crow_indices",
    "dense_dim",
    "indices",
    "is_coalesced",
    "resize_as_sparse_",
    "row_indices",
    "sparse_dim",
    "sparse_mask",
    "sparse_resize_",
    "sparse_resize_and_clear_",
    "to_dense",
    "to_scipy",
    "to_sparse",
    "to_sparse_bsc",
    "to_sparse_bsr",
    "to_sparse_coo",
    "to_sparse_csc",
    "to_sparse_csr",
    "values",
]

NAMES = {
    layouts.strided: "Strided",
    layouts.sparse_coo: "Sparse",
    layouts.sparse_csr: "SparseCsr",
    layouts.sparse_csc: "SparseCsc",
    layouts.sparse_bsr: "SparseBsr",
    layouts.sparse_bsc: "SparseBsc",
}


def _coo(input: Tensor, name: str) -> COO:
    a = input._array
    if type(a) is not COO:
        raise fail(
            RuntimeError,
            name,
            f"{name} expected sparse coordinate tensor layout but got {NAMES[input.layout]}. "
            "Convert with to_sparse().",
        )
    return a


def coalesce(input: Tensor) -> Tensor:
    """The tensor with every place once, in order; values at one place are summed."""
    _coo(input, "coalesce")
    return basis.coalesce(input)


def is_coalesced(input: Tensor) -> bool:
    """Whether every place is named once and in order."""
    return _coo(input, "is_coalesced").is_coalesced


def _coalesced_(input: Tensor, coalesced: bool) -> Tensor:
    """Promise that the places are unique and in order."""
    _coo(input, "_coalesced_").is_coalesced = bool(coalesced)
    return input


def indices(input: Tensor) -> Tensor:
    """The coordinates (sparse_dim, nnz) of a coalesced tensor.

    Raises:
        RuntimeError: it is not coalesced, or in another layout.
    """
    a = _coo(input, "indices")
    if not a.is_coalesced:
        raise fail(
            RuntimeError,
            "indices",
            "Cannot get indices on an uncoalesced tensor, please call .coalesce() first",
        )
    return wrap(a.indices)


def values(input: Tensor) -> Tensor:
    """The values, in the graph.

    Raises:
        RuntimeError: a dense tensor, or coordinates that are not coalesced.
    """
    a = input._array
    if not isinstance(a, SparseData):
        raise fail(RuntimeError, "values", "values expected sparse tensor layout but got Strided")
    if type(a) is COO and not a.is_coalesced:
        raise fail(
            RuntimeError,
            "values",
            "Cannot get values on an uncoalesced tensor, please call .coalesce() first",
        )
    return basis.values(input)


def _indices(input: Tensor) -> Tensor:
    """The coordinates as they are kept."""
    return wrap(_coo(input, "_indices").indices)


def _values(input: Tensor) -> Tensor:
    """The values as they are kept, outside the graph."""
    return wrap(_coo(input, "_values").values)


def _nnz(input: Tensor) -> int:
    """How many values are kept.

    Raises:
        NotImplementedError: a dense tensor.
    """
    a = input._array
    if not isinstance(a, SparseData):
        raise fail(
            NotImplementedError,
            "_nnz",
            "Could not run '_nnz' on a strided tensor: it keeps all its elements",
        )
    return a.nnz


def _line(name: str, by_row: bool, part: str) -> Any:
    def read(input: Tensor) -> Tensor:
        a = input._array
        if not isinstance(a, Compressed) or a.by_row is not by_row:
            kind = "row" if by_row else "column"
            raise fail(
                RuntimeError,
                name,
                f"{name} expected sparse {kind} compressed tensor layout but got "
                f"{NAMES[input.layout]}",
            )
        return wrap(getattr(a, part))

    read.__name__ = read.__qualname__ = name
    read.__doc__ = (
        f"The {part} indices of a tensor compressed by {'rows' if by_row else 'columns'}."
    )
    return read


crow_indices = _line("crow_indices", True, "compressed")
col_indices = _line("col_indices", True, "plain")
ccol_indices = _line("ccol_indices", False, "compressed")
row_indices = _line("row_indices", False, "plain")


def sparse_dim(input: Tensor) -> int:
    """How many dimensions are sparse; 0 for a strided tensor."""
    a = input._array
    return a.sparse_dim if isinstance(a, SparseData) else 0


def dense_dim(input: Tensor) -> int:
    """How many dimensions each value has of its own; all of a strided tensor's."""
    a = input._array
    return a.dense_dim if isinstance(a, SparseData) else a.ndim  # type: ignore[no-any-return]


def to_dense(input: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The strided tensor. The gradient is sparse, or (with ``masked_grad=False``) dense."""
    found = input
    if isinstance(input._array, SparseData):
        found = basis.to_dense(input, masked_grad is not False)
    return found if dtype is None else found.to(dtype)  # type: ignore[no-any-return]


def to_sparse(
    input: Tensor,
    sparse_dim: Any = None,
    *,
    layout: Any = None,
    blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:
    """The tensor in a sparse layout (coordinates by default).

    Args:
        sparse_dim: how many dimensions are sparse (coordinates only); or the layout.
        layout: torch.sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc.
        blocksize: (rows, columns) of the blocks. dense_dim: how many trailing dimensions stay
            dense.

    Raises:
        RuntimeError: dimensions or blocks that do not fit.
    """
    if isinstance(sparse_dim, layouts.layout):
        layout, sparse_dim = sparse_dim, None
    ndim = input._array.ndim
    if sparse_dim is not None:
        if not 0 <= sparse_dim <= ndim or (ndim and not sparse_dim):
            raise fail(
                RuntimeError,
                "to_sparse",
                f"dense_to_sparse: sparse_dim argument must be in [{min(ndim, 1)},{ndim}] range, "
                f"but {sparse_dim} is given",
            )
        if isinstance(input._array, SparseData) and input._array.sparse_dim != sparse_dim:
            raise fail(
                RuntimeError,
                "to_sparse",
                f"the tensor is sparse already, with {input._array.sparse_dim} sparse dimensions",
            )
    layout = layouts.sparse_coo if layout is None else layout
    if blocksize is not None and layout not in (layouts.sparse_bsr, layouts.sparse_bsc):
        raise fail(
            RuntimeError,
            "to_sparse",
            f"conversion to {layout} with blocksize is not supported: only BSR and BSC have blocks",
        )
    return basis.convert(
        input, layout, None if blocksize is None else tuple(blocksize), dense_dim, sparse_dim
    )


def to_sparse_coo(input: Tensor) -> Tensor:
    """The tensor in coordinates."""
    return to_sparse(input)


def to_sparse_csr(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """The tensor in compressed rows."""
    return basis.convert(input, layouts.sparse_csr, None, dense_dim)


def to_sparse_csc(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """The tensor in compressed columns."""
    return basis.convert(input, layouts.sparse_csc, None, dense_dim)


def to_sparse_bsr(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    """The tensor in compressed rows of blocks."""
    return basis.convert(input, layouts.sparse_bsr, tuple(blocksize), dense_dim)


def to_sparse_bsc(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    """The tensor in compressed columns of blocks."""
    return basis.convert(input, layouts.sparse_bsc, tuple(blocksize), dense_dim)


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """What this tensor holds at the places of the sparse tensor `mask`.

    Raises:
        RuntimeError: another size, or a mask that is not sparse.
    """
    data = mask._array
    if not isinstance(data, SparseData):
        raise fail(RuntimeError, "sparse_mask", "the mask must be a sparse tensor")
    if data.shape != input._array.shape:
        raise fail(
            RuntimeError,
            "sparse_mask",
            f"operands have incompatible sizes; self has size {list(input.shape)} but mask has "
            f"size {list(data.shape)}",
        )
    if isinstance(input._array, SparseData):
        input = basis.coalesce(input)
    return basis.fill(basis.gather(input, data), data, "SparseMaskBackward0")


def _resized(
    input: Tensor, size: Any, sparse_dim: int, dense_dim: int, clear: bool, name: str
) -> Tensor:
    a = _coo(input, name)
    if edge_of(input) is not None:
        check_inplace(name, input, True)
    shape = tuple(size)
    if len(shape) != sparse_dim + dense_dim:
        raise fail(
            RuntimeError,
            name,
            f"number of dimensions must be sparse_dim ({sparse_dim}) + dense_dim ({dense_dim}), "
            f"but got {len(shape)}",
        )
    if clear or not a.nnz:
        input._array = basis.empty_coo(shape, a.dtype, sparse_dim)
    else:
        if sparse_dim != a.sparse_dim or dense_dim != a.dense_dim:
            raise fail(
                RuntimeError,
                name,
                "changing the number of sparse or dense dimensions of a non-empty sparse tensor is "
                "not supported",
            )
        if any(new < old for new, old in zip(shape, a.shape, strict=True)):
            raise fail(
                RuntimeError,
                name,
                f"shrinking the size of a non-empty sparse tensor ({list(a.shape)} to "
                f"{list(shape)}) is not supported",
            )
        values = a.values
        if shape[sparse_dim:] != a.shape[sparse_dim:]:
            values = np.zeros((a.nnz, *shape[sparse_dim:]), a.dtype)
            values[tuple(slice(n) for n in a.values.shape)] = a.values
        input._array = COO(a.indices, values, shape, a.is_coalesced)
    touch(input, name)
    return input


def sparse_resize_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Give a COO tensor another size, in place; with values it can only grow.

    Raises:
        RuntimeError: the values would not fit.
    """
    return _resized(input, size, sparse_dim, dense_dim, False, "sparse_resize_")


def sparse_resize_and_clear_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Drop all values and give the tensor another size, in place."""
    return _resized(input, size, sparse_dim, dense_dim, True, "sparse_resize_and_clear_")


def resize_as_sparse_(input: Tensor, other: Tensor) -> Tensor:
    """Give the tensor the size and layout of `other`: without values in coordinate form, with its
    places and any values in the compressed forms."""
    a, kind = other._array, input._array.dtype
    input._array = a.copy().astype(kind) if type(a) is Compressed else emptied(a, kind)
    touch(input, "resize_as_sparse_")
    return input


def to_scipy(input: Tensor, layout: Any = None) -> Any:
    """The tensor as a SciPy sparse array that shares the values' memory where it can.

    Args:
        layout: "coo", "csr", "csc" or "bsr"; by default the tensor's own (coordinates for a dense
            one).

    Raises:
        ImportError: SciPy is not installed. RuntimeError: a gradient is required, or dimensions
            that SciPy has not.
    """
    from flambeau.sparse.exchange import to_scipy as convert

    return convert(input, layout)
