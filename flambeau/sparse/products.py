"""``torch.sparse.mm``, ``addmm``, ``sampled_addmm``: products whose gradient for the sparse factor
is sparse.

(`torch.mm` gives that factor a dense gradient.) Stands on basis and kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.errors import fail
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, wrap
from flambeau.sparse import basis, kernels
from flambeau.sparse.data import COO, Compressed, SparseData
from flambeau.sparse.general import HANDLERS

__all__ = ["addmm", "hspmm", "mm", "sampled_addmm", "smm", "spmm", "sspaddmm"]

REDUCTIONS = {"mean": "mean", "amax": "amax", "amin": "amin", "max": "amax", "min": "amin"}


def _masked(g: Any, mat1: Any, mat2: Any) -> Any:
    """``g @ mat2.T`` at the places of `mat1`."""
    pattern = basis.tidy(mat1._array)
    return basis.fill(basis.sampled(g, mat2.mT, pattern), pattern)


def _other(g: Any, mat1: Any, mat2: Any) -> Any:
    if isinstance(mat2._array, SparseData):
        pattern = basis.tidy(mat2._array)
        return basis.fill(basis.sampled(mat1.mT, g, pattern), pattern)
    return ops.mm(mat1.mT, g)


def _node(node: Any) -> str:
    return (
        "SparseSparseMatmulBackward0"
        if node.params is not None and node.params[2]
        else "SparseAddmmBackward0"
    )


@primitive(
    name="_sparse_mm",
    function=False,
    method=False,
    sparse=True,
    node=_node,
    vjp={
        "mat1": lambda g, mat1, mat2, both: (
            _masked(g, mat1, mat2) if isinstance(mat1._array, SparseData) else ops.mm(g, mat2.mT)
        ),
        "mat2": lambda g, mat1, mat2, both: _other(g, mat1, mat2),
    },
)
def _sparse_mm(mat1, mat2, both: bool):
    """``mat1 @ mat2``; `both`: both are sparse."""
    return HANDLERS["mm"](mat1, mat2)


def mm(mat1: Tensor, mat2: Tensor, reduce: str | None = None) -> Tensor:
    """``mat1 @ mat2`` of a sparse matrix and a sparse or dense one; a sparse factor's gradient is
    sparse.

    Args:
        reduce: how the terms of a row are put together: "sum", "mean" (of the terms that are
            there), "amax" or "max", "amin" or "min" (compressed rows of floats only, as in
            PyTorch). Not given: the sum, of any factors.

    Shape: (n, k), (k, m) -> (n, m).
    Raises:
        RuntimeError: sizes or dtypes that do not agree; another reduction.
    """
    if reduce is not None:
        return _reduced(mat1, mat2, reduce)
    sparse = [isinstance(x._array, SparseData) for x in (mat1, mat2)]
    if not any(sparse):
        return ops.mm(mat1, mat2)  # type: ignore[no-any-return]
    return ops._sparse_mm(mat1, mat2, all(sparse))  # type: ignore[no-any-return]


def _reduced(mat1: Tensor, mat2: Tensor, reduce: str) -> Tensor:
    if reduce != "sum" and reduce not in REDUCTIONS:
        raise fail(
            RuntimeError,
            "sparse.mm",
            f"reduce argument must be either sum, mean, amax or amin, got {reduce}",
        )
    data = mat1._array
    if not isinstance(data, Compressed) or not data.by_row or data.blocked:
        raise fail(
            RuntimeError if isinstance(data, Compressed) else NotImplementedError,
            "sparse.mm",
            f"reduce={reduce!r} needs a CSR matrix on the left: use to_sparse_csr()",
        )
    if len(data.plain):
        refuse_dtype("sparse.mm", data.dtype, "f")
    if reduce == "sum":
        return ops._sparse_mm(mat1, mat2, False)  # type: ignore[no-any-return]
    rows, columns = data.main(), data.plain
    terms = basis.values(mat1).unsqueeze(1) * ops.index_select(mat2, 0, wrap(columns))
    zeros = wrap(np.zeros((data.shape[0], mat2.shape[1]), terms._array.dtype))
    index = wrap(np.broadcast_to(rows[:, None], terms.shape))
    return ops.scatter_reduce(zeros, 0, index, terms, REDUCTIONS[reduce], include_self=False)  # type: ignore[no-any-return]


def addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)`` with a sparse `mat1`, whose gradient is sparse."""
    product = mm(mat1, mat2)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else (mat if beta == 1 else mat * beta) + product  # type: ignore[no-any-return]


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """``input @ mat2``: another name of `torch.mm` for sparse factors."""
    return ops.mm(input, mat2)  # type: ignore[no-any-return]


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """``input @ mat`` of a sparse and a dense matrix as a sparse tensor."""
    return basis.convert(ops.mm(input, mat), COO.layout)


def hspmm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """``mat1 @ mat2`` as a hybrid tensor: rows sparse, columns dense."""
    return basis.convert(ops.mm(mat1, mat2), COO.layout, None, None, 1)


def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` with sparse `input` and `mat1`; sparse."""
    return input * beta + smm(mat1, mat2) * alpha  # type: ignore[no-any-return]


def _times(x: Any, factor: Any) -> Any:
    return x if factor == 1 else x * factor


def _masked_gradient(g: Any, input: Any) -> Any:
    """`g` at the places of `input`."""
    return basis.fill(basis.gather(g, input._array), input._array)


@primitive(
    name="_sparse_sampled_addmm",
    node="SparseSampledAddmm",
    function=False,
    method=False,
    sparse=True,
    vjp={
        "input": lambda g, beta: _times(g, beta),
        "mat1": lambda g, input, mat2, alpha: _times(
            ops.matmul(_masked_gradient(g, input), mat2.mT), alpha
        ),
        "mat2": lambda g, input, mat1, alpha: _times(
            ops.matmul(mat1.mT, _masked_gradient(g, input)), alpha
        ),
    },
)
def _sampled_addmm(input, mat1, mat2, beta: Any, alpha: Any):
    """``alpha * (mat1 @ mat2)`` at the places of `input`, plus ``beta * input``."""
    if input.ndim > 2:
        found = kernels.gather(np.matmul(mat1, mat2), input)
    else:
        found = kernels.sampled(mat1, mat2, input)
    found = found if alpha == 1 else found * found.dtype.type(alpha)
    if beta != 0:
        found = found + (input.values if beta == 1 else input.values * input.dtype.type(beta))
    return input.with_values(found)


def sampled_addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: Any = 1.0,
    alpha: Any = 1.0,
    out: Tensor | None = None,
) -> Tensor:
    """``alpha * (mat1 @ mat2)`` at the places of the sparse `input`, plus ``beta * input``.

    Shape: input (n, m), mat1 (n, k), mat2 (k, m).
    Raises:
        RuntimeError: a dense `input`, or sizes that do not agree.
    """
    data = input._array
    if not isinstance(data, SparseData):
        raise fail(
            RuntimeError,
            "sampled_addmm",
            "Expected input to be a sparse tensor (CSR); convert with to_sparse_csr()",
        )
    if input.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise fail(
            RuntimeError,
            "sampled_addmm",
            f"Expected self to be a floating-point or complex tensor, but got {input.dtype}: "
            "float32 or float64, real or complex",
        )
    for name, x in (("mat1", mat1), ("mat2", mat2)):
        if isinstance(x._array, SparseData):
            raise fail(
                RuntimeError,
                "sampled_addmm",
                f"Expected {name} to be a strided matrix, but got layout {x.layout}",
            )
    if mat1.shape[-1] != mat2.shape[-2]:
        raise fail(
            RuntimeError,
            "sampled_addmm",
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, mat1.shape))} and "
            f"{'x'.join(map(str, mat2.shape))})",
        )
    if data.shape != (*mat1.shape[:-1], mat2.shape[-1]):
        raise fail(
            RuntimeError,
            "sampled_addmm",
            f"self.shape {list(data.shape)} must be that of the product, "
            f"{[*mat1.shape[:-1], mat2.shape[-1]]}",
        )
    result = ops._sparse_sampled_addmm(basis.coalesce(input), mat1, mat2, beta, alpha)
    if out is not None:
        out._array = result._array
        return out
    return result
