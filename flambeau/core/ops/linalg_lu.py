"""LU and LDL factorizations, their solves, and Householder products (geqrf, orgqr, ormqr).

LU is NumPy's own here (`kernels.factor`); LDL needs LAPACK's sytrf, through the extra `sci`. Stands
on kernels.factor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.batch.array import by_sample
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail, missing_extra
from flambeau.core.kernels import factor
from flambeau.core.ops.linalg_checks import need_floating, need_matrix, need_square, refuse
from flambeau.core.ops.linalg_solve import check_system, verdict, written
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _eye(like: Tensor, rows: int, columns: int | None = None) -> Tensor:
    return ops.eye(rows, rows if columns is None else columns, dtype=like.dtype, device=like.device)


def _split(LU: Tensor) -> tuple[Tensor, Tensor]:
    """L (unit lower, m x k) and U (upper, k x n) of a packed factorization."""
    m, n = LU.shape[-2:]
    k = min(m, n)
    lower = LU.narrow(-1, 0, k).tril(-1) + _eye(LU, m, k)
    return lower, LU.narrow(-2, 0, k).triu()


def _factors_gradient(gl: Any, gu: Any, L: Tensor, U: Tensor) -> Tensor:
    """The gradient of P.T @ A from those of L (strictly lower part) and U (upper part)."""
    m, k = L.shape[-2:]
    n = U.shape[-1]
    gl = gl.tril(-1) if gl is not None else None
    gu = gu.triu() if gu is not None else None
    l1, u1 = L.narrow(-2, 0, k), U.narrow(-1, 0, k)
    phi = None
    if gl is not None:
        phi = (L.mH @ gl).tril(-1)
    if gu is not None:
        upper = (gu @ U.mH).triu()
        phi = upper if phi is None else phi + upper
    if m == n:
        found = ops.linalg_solve_triangular(u1.mH, phi, upper=False, left=False)
        return ops.linalg_solve_triangular(l1.mH, found, upper=True, unitriangular=True)
    if m < n:
        rest = U.narrow(-1, k, n - k)
        inner = phi if gu is None else phi - gu.narrow(-1, k, n - k) @ rest.mH
        first = ops.linalg_solve_triangular(u1.mH, inner, upper=False, left=False)
        second = gu.narrow(-1, k, n - k) if gu is not None else ops.zeros_like(rest)
        return ops.linalg_solve_triangular(
            l1.mH, ops.cat([first, second], -1), upper=True, unitriangular=True
        )
    rest = L.narrow(-2, k, m - k)
    inner = phi if gl is None else phi - rest.mH @ gl.narrow(-2, k, m - k)
    first = ops.linalg_solve_triangular(l1.mH, inner, upper=True, unitriangular=True)
    second = gl.narrow(-2, k, m - k) if gl is not None else ops.zeros_like(rest)
    return ops.linalg_solve_triangular(u1.mH, ops.cat([first, second], -2), upper=False, left=False)


def _lu_factor_rule(g: Any, LU: Any, pivots: Any) -> Any:
    grad = g[0]
    if grad is None:
        return None
    L, U = _split(LU)
    k = L.shape[-1]
    inner = _factors_gradient(grad.narrow(-1, 0, k), grad.narrow(-2, 0, k), L, U)
    P = ops._pivots_matrix(pivots, LU.shape[-2], LU.dtype)
    return P @ inner


@composite(name="_pivots_matrix", function=False)
def _pivots_matrix(pivots: Tensor, rows: int, dtype: Any) -> Tensor:
    """The permutation P of ``A = P @ L @ U`` as a matrix."""
    from flambeau.core.tensor import wrap

    return wrap(_matrix_of(pivots._array, rows, dtype.numpy))


@by_sample
def _matrix_of(pivots: Any, rows: int, dtype: Any) -> Any:
    order = factor.permutation(pivots, rows)
    return (np.arange(rows)[:, None] == order[..., None, :]).astype(dtype)


def _lu_shapes(A: Any, *_: Any) -> Any:
    i4, k = np.dtype("i4"), min(A.shape[-2:])
    return (A.shape, A.dtype), ((*A.shape[:-2], k), i4), (A.shape[:-2], i4)


def _factored(A: Any) -> Any:
    """The packed factors, the swaps and `info`; without elements, of any dtype."""
    if A.size:
        return factor.lu(A)
    return tuple(np.zeros(shape, kind) for shape, kind in _lu_shapes(A))


@primitive(
    name="linalg_lu_factor_ex",
    outputs=("LU", "pivots", "info"),
    differentiable=("LU",),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _lu_factor_rule},
    infer=_lu_shapes,
)
def linalg_lu_factor_ex(A, *, pivot: bool = True, check_errors: bool = False):
    """L and U packed in one matrix, the row swaps (counted from 1), and `info`: 0, or the place of
    U's first zero.
    """
    if A.ndim < 2:
        raise fail(
            RuntimeError,
            "torch.lu_factor",
            f"Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead",
        )
    need_floating("linalg.lu_factor", A, "!lu_cpu")
    if not pivot:
        raise fail(
            RuntimeError, "linalg.lu_factor", "LU without pivoting is not implemented on the CPU"
        )
    found = _factored(A)
    if check_errors:
        refuse("torch.linalg.lu_factor_ex", found[2], _ZERO)
    return found


_ZERO = (
    "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you still "
    "want to perform the "
    "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)


@composite(name="linalg_lu_factor", function=False)
def linalg_lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """L and U packed in one matrix, and the row swaps (counted from 1), for `lu_solve`.

    Raises:
        RuntimeError: a zero on U's diagonal.
    """
    LU, pivots, info = ops.linalg_lu_factor_ex(A, pivot=pivot)
    if isinstance(info._array, np.ndarray) and info._array.any():
        raise fail(
            RuntimeError,
            "torch.linalg.lu_factor",
            _ZERO.format(int(info._array.reshape(-1)[(info._array.reshape(-1) != 0).argmax()])),
        )
    from flambeau.core.return_types import structseq

    kind = structseq("linalg_lu_factor", ("LU", "pivots"))
    if out is not None:
        return kind(
            (written("linalg_lu_factor", LU, out[0]), written("linalg_lu_factor", pivots, out[1]))
        )
    return kind((LU, pivots))


def _lu_rule(g: Any, P: Any, L: Any, U: Any) -> Any:
    _, gl, gu = g
    if gl is None and gu is None:
        return None
    return P @ _factors_gradient(gl, gu, L, U)


def _lu3_shapes(A: Any, *_: Any) -> Any:
    m, n = A.shape[-2:]
    k, batch = min(m, n), A.shape[:-2]
    return ((*batch, m, m), A.dtype), ((*batch, m, k), A.dtype), ((*batch, k, n), A.dtype)


@primitive(
    name="linalg_lu",
    outputs=("P", "L", "U"),
    differentiable=("L", "U"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _lu_rule},
    infer=_lu3_shapes,
)
def linalg_lu(A, *, pivot: bool = True):
    """P, L, U of ``A = P @ L @ U``: a permutation, a unit lower and an upper triangle."""
    if A.ndim < 2:
        raise fail(
            RuntimeError,
            "linalg.lu",
            f"Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead",
        )
    need_floating("linalg.lu", A, "!lu_cpu")
    if not pivot:
        raise fail(RuntimeError, "linalg.lu", "LU without pivoting is not implemented on the CPU")
    m, n = A.shape[-2:]
    k = min(m, n)
    packed, pivots, _ = _factored(A)
    return _matrix_of(pivots, m, A.dtype), _unit_lower(packed[..., :k]), np.triu(packed[..., :k, :])


def _unit_lower(a: Any) -> Any:
    found = np.tril(a, -1)
    i = np.arange(min(a.shape[-2:]))
    found[..., i, i] = 1
    return found


def _unpack_rule(g: Any, LU_data_shape: Any) -> Any:
    _, gl, gu = g
    m, n = LU_data_shape[-2:]
    k = min(m, n)
    found = None
    if gl is not None:
        found = gl.tril(-1)
        if n > k:
            found = ops.cat([found, ops.zeros((*LU_data_shape[:-1], n - k), dtype=gl.dtype)], -1)
    if gu is not None:
        upper = gu.triu()
        if m > k:
            upper = ops.cat([upper, ops.zeros((*LU_data_shape[:-2], m - k, n), dtype=gu.dtype)], -2)
        found = upper if found is None else found + upper
    return found


@primitive(
    name="lu_unpack",
    outputs=("P", "L", "U"),
    differentiable=("L", "U"),
    method=False,
    holomorphic=False,
    vjp={"LU_data": _unpack_rule},
)
def lu_unpack(LU_data, LU_pivots, unpack_data: bool = True, unpack_pivots: bool = True):
    """P, L, U from what `lu_factor` packed; empty tensors for what is not asked."""
    if unpack_pivots and LU_pivots.dtype != np.dtype("i4"):
        raise fail(
            RuntimeError,
            "torch.lu_unpack",
            "LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. This function "
            "takes what "
            "torch.linalg.lu_factor returned.",
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    if unpack_pivots:
        _check_range("torch.lu_unpack", LU_pivots, m)
    empty = np.zeros(0, LU_data.dtype)
    P = _matrix_of(LU_pivots, m, LU_data.dtype) if unpack_pivots else empty
    if not unpack_data:
        return P, empty, empty.copy()
    return P, _unit_lower(LU_data[..., :k]), np.triu(LU_data[..., :k, :])


def _check_range(name: str, pivots: Any, rows: int) -> None:
    if pivots.size and not (1 <= pivots.min() and pivots.max() <= rows):
        raise fail(
            RuntimeError,
            name,
            f"pivots given are from {pivots.min()} to {pivots.max()}: they should be all greater "
            f"or equal to 1 and smaller or equal to LU.size(-2), which is {rows}. Take them from "
            "torch.linalg.lu_factor.",
        )


def _lu_solve_rule(
    g: Any, LU: Any, pivots: Any, out: Any, left: Any, adjoint: Any, needs: Any
) -> Any:
    """Through A = P L U: the system's gradient, then that of the factors."""
    back = ops.linalg_lu_solve(LU, pivots, g, left=left, adjoint=not adjoint)
    if not needs[0]:
        return None, back
    L, U = _split(LU)
    P = ops._pivots_matrix(pivots, LU.shape[-2], LU.dtype)
    if left:
        to_a = -(out @ back.mH) if adjoint else -(back @ out.mH)
    else:
        to_a = -(back.mH @ out) if adjoint else -(out.mH @ back)
    inner = P.mT @ to_a
    to_l, to_u = (inner @ U.mH).tril(-1), (L.mH @ inner).triu()
    return to_l + to_u, back if needs[1] else None


def _lu_solve_shapes(LU: Any, pivots: Any, B: Any, *_: Any) -> Any:
    return (*np.broadcast_shapes(LU.shape[:-2], B.shape[:-2]), *B.shape[-2:]), B.dtype


@primitive(
    name="linalg_lu_solve",
    method=False,
    function=False,
    holomorphic=False,
    vjp={("LU", "B"): _lu_solve_rule},
    infer=_lu_solve_shapes,
)
def linalg_lu_solve(LU, pivots, B, *, left: bool = True, adjoint: bool = False):
    """X of ``A @ X = B`` (``X @ A = B``; with `adjoint` for A's conjugate transpose) from what
    `lu_factor` gave.
    """
    name = "linalg.lu_solve"
    need_square(name, LU, "LU")
    need_matrix(name, B, "B")
    need_floating(name, LU, "lu_solve")
    if pivots.dtype != np.dtype("i4"):
        raise fail(RuntimeError, name, "pivots should be a Tensor of scalar type torch.int32")
    if pivots.shape[-1:] != LU.shape[-1:]:
        raise fail(
            RuntimeError,
            name,
            "Number of pivots per batch should be same as the dimension of the matrix",
        )
    if pivots.shape[:-1] != LU.shape[:-2]:
        raise fail(
            RuntimeError,
            name,
            "Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead",
        )
    check_system(name, LU, B, left)
    _check_range(name, pivots, LU.shape[-1])
    if left:
        return factor.columns(factor.lu_solve(LU, pivots, B, adjoint))
    right = factor.adjoint(B)
    return np.ascontiguousarray(factor.adjoint(factor.lu_solve(LU, pivots, right, not adjoint)))


@primitive(
    name="linalg_ldl_factor_ex",
    outputs=("LD", "pivots", "info"),
    method=False,
    function=False,
    infer=lambda A, *_: (
        (A.shape, A.dtype),
        (A.shape[:-1], np.dtype("i4")),
        (A.shape[:-2], np.dtype("i4")),
    ),
)
def linalg_ldl_factor_ex(A, *, hermitian: bool = False, check_errors: bool = False):
    """LAPACK's packed L and D of ``A = L @ D @ L.mH`` (or ``L.mT``), the pivots, and `info`. Needs
    scipy (extra `sci`).
    """
    need_square("torch.linalg.ldl_factor_ex", A)
    need_floating("torch.linalg.ldl_factor_ex", A, "ldl_factor_kernel_cpu")
    run = _lapack("hetrf" if hermitian and A.dtype.kind == "c" else "sytrf", A)
    matrices, batch = factor.each(A)
    n = A.shape[-1]
    LD, pivots = np.empty_like(matrices), np.zeros((len(matrices), n), "i4")
    info = np.zeros(len(matrices), "i4")
    for k, matrix in enumerate(matrices):
        if n:
            packed, pivots[k], info[k] = run(matrix, lower=1)
            LD[k] = np.tril(packed)
    found = factor.columns(LD.reshape(A.shape)), pivots.reshape((*batch, n)), info.reshape(batch)
    if check_errors:
        refuse(
            "torch.linalg.ldl_factor_ex",
            found[2],
            "The factorization has been completed, but D[{0},{0}] is exactly zero",
        )
    return found


def _lapack(name: str, a: Any) -> Any:
    try:
        from scipy.linalg import get_lapack_funcs
    except ImportError:
        raise missing_extra("linalg.ldl_factor", "scipy", "sci") from None
    return get_lapack_funcs(name, dtype=a.dtype)


@composite(name="linalg_ldl_factor", function=False)
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """L and D of a symmetric (hermitian) matrix, packed, and the pivots. Needs scipy (extra `sci`).

    Raises:
        LinAlgError: D has a zero on its diagonal.
    """
    LD, pivots, info = ops.linalg_ldl_factor_ex(input, hermitian=hermitian)
    verdict(
        "torch.linalg.ldl_factor",
        info,
        "The factorization has been completed, but D[{0},{0}] is exactly zero",
    )
    from flambeau.core.return_types import structseq

    kind = structseq("linalg_ldl_factor", ("LD", "pivots"))
    if out is not None:
        return kind(
            (written("linalg_ldl_factor", LD, out[0]), written("linalg_ldl_factor", pivots, out[1]))
        )
    return kind((LD, pivots))


@primitive(name="linalg_ldl_solve", method=False, function=False, infer=_lu_solve_shapes)
def linalg_ldl_solve(LD, pivots, B, *, hermitian: bool = False):
    """X of ``A @ X = B`` from what `ldl_factor` gave. Needs scipy (extra `sci`)."""
    name = "torch.linalg.ldl_solve"
    need_square(name, LD, "LD")
    need_matrix(name, B, "B")
    if B.ndim < 2 or LD.shape[-1] != B.shape[-2]:
        raise fail(
            RuntimeError,
            name,
            "Incompatible shapes of A and B for the equation AX = B "
            f"({LD.shape[-2]}x{LD.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})",
        )
    if pivots.dtype.kind not in "iu":
        raise fail(
            RuntimeError, name, f"Expected pivots to be integers. Got {of(pivots.dtype).legacy}"
        )
    if LD.dtype != B.dtype:
        raise fail(
            RuntimeError,
            name,
            f"LD and B must have the same dtype, but got {of(LD.dtype).name} and "
            f"{of(B.dtype).name}",
        )
    run = _lapack("hetrs" if hermitian and LD.dtype.kind == "c" else "sytrs", LD)
    batch = np.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    n, k = B.shape[-2:]
    if not B.size or not LD.size:
        return np.zeros((*batch, n, k), B.dtype)
    left = np.broadcast_to(LD, (*batch, n, n)).reshape(-1, n, n)
    swaps = np.broadcast_to(pivots, (*batch, n)).reshape(-1, n)
    right = np.broadcast_to(B, (*batch, n, k)).reshape(-1, n, k)
    found = np.empty((len(right), n, k), B.dtype)
    for i in range(len(right)):
        found[i] = run(left[i], swaps[i], right[i], lower=1)[0]
    return factor.columns(found.reshape((*batch, n, k)))
