"""SciPy's sparse arrays and sparse tensors, one from the other; memory is shared where dtypes
allow.

SciPy is asked for only here (extra `sci`). Stands on build.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout as layouts
from flambeau.core.errors import fail, missing_extra
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.sparse.convert import convert
from flambeau.sparse.data import COO, Compressed, SparseData

__all__ = ["from_scipy", "to_scipy"]


def from_scipy(matrix: Any) -> Tensor:
    """A sparse tensor from a SciPy sparse matrix or array: COO, CSR, CSC and BSR keep their form,
    others become COO.

    Raises:
        TypeError: not one of SciPy's sparse types.
    """
    name = getattr(matrix, "format", None)
    if name is None or not hasattr(matrix, "nnz"):
        raise fail(
            TypeError,
            "from_scipy",
            f"argument 'matrix' must be a SciPy sparse array, not {type(matrix).__name__}",
        )
    shape = tuple(int(n) for n in matrix.shape)
    if name in ("csr", "csc", "bsr"):
        if not matrix.has_sorted_indices:
            matrix = matrix.sorted_indices()
        layout = getattr(layouts, f"sparse_{name}")
        return wrap(Compressed(matrix.indptr, matrix.indices, matrix.data, shape, layout))
    matrix = matrix.tocoo()
    places = matrix.coords if hasattr(matrix, "coords") else (matrix.row, matrix.col)
    indices = np.stack([np.asarray(p, np.int64) for p in places])
    return wrap(COO(indices, matrix.data, shape, False))


def to_scipy(input: Tensor, layout: Any = None) -> Any:
    """The SciPy form of a tensor."""
    try:
        import scipy.sparse as scipy
    except ImportError:
        raise missing_extra("to_scipy", "scipy", "sci") from None
    if edge_of(input) is not None:
        raise fail(
            RuntimeError,
            "to_scipy",
            "the tensor requires grad: SciPy cannot record it. Use .detach().to_scipy().",
        )
    a = input._array
    if not isinstance(a, SparseData):
        a = convert(a, layouts.sparse_coo)
    if a.dense_dim or (type(a) is Compressed and a.batch):
        raise fail(
            RuntimeError,
            "to_scipy",
            "SciPy has no batches and no dense dimensions: convert with to_dense().numpy().",
        )
    own = {layouts.sparse_csr: "csr", layouts.sparse_csc: "csc", layouts.sparse_bsr: "bsr"}.get(
        a.layout, "coo"
    )
    if type(a) is COO:
        found = scipy.coo_array((a.values, tuple(a.indices)), shape=a.shape)
    elif own == "coo":
        return to_scipy(wrap(a.to_coo()), layout)
    else:
        found = getattr(scipy, f"{own}_array")((a.values, a.plain, a.compressed), shape=a.shape)
    name = own if layout is None else str(layout).rpartition("_")[2]
    return found if name == own else found.asformat(name)
