"""The older names: torch.det, inverse, cholesky, qr, svd, lu, triangular_solve, svd_lowrank, lobpcg
and their kin.

Each is a thin function over its successor in `torch.linalg`. Stands on the linalg areas.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from flambeau.core.batch.array import Batched
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.forward import forward
from flambeau.core.kernels import factor
from flambeau.core.layout import sparse_csr
from flambeau.core.node import labelled
from flambeau.core.ops.linalg_checks import need_floating, need_square, refuse
from flambeau.core.ops.linalg_solve import check_system, written
from flambeau.core.provenance import stack_level
from flambeau.core.return_types import structseq
from flambeau.core.tensor import Tensor

__all__: list[str] = []

_SAID: set[str] = set()


def deprecated(name: str, instead: str, more: str = "") -> None:
    """Warn of an older name, once a process as PyTorch does."""
    if name not in _SAID:
        _SAID.add(name)
        words = (
            f"torch.{name} is deprecated in favor of {instead} and will be removed in a future "
            f"PyTorch release.{more}"
        )
        warnings.warn(words, UserWarning, stacklevel=stack_level())


@composite(method=True)
def det(input: Tensor) -> Tensor:
    """`torch.linalg.det`."""
    return ops._linalg_det(input)


@composite(method=True)
def slogdet(input: Tensor, *, out: Any = None) -> Any:
    """`torch.linalg.slogdet`."""
    found = structseq("slogdet", ("sign", "logabsdet"))(ops.linalg_slogdet(input))
    return (
        found
        if out is None
        else type(found)([written("slogdet", r, o) for r, o in zip(found, out, strict=True)])
    )


@composite(method=True)
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where it is negative, -inf where it is 0."""
    need_square("logdet", input)
    need_floating("logdet", input._array)
    sign, size = ops.linalg_slogdet(input)
    if input.is_complex():
        return ops.log(sign) + size
    return ops.where(sign == -1, ops.full_like(size, math.nan), size)


@composite(method=True)
def inverse(input: Tensor, *, out: Any = None) -> Tensor:
    """`torch.linalg.inv`."""
    return ops.linalg_inv(input, out=out)


@composite(method=True)
def matrix_exp(input: Tensor) -> Tensor:
    """`torch.linalg.matrix_exp`."""
    return ops.linalg_matrix_exp(input)


@composite(method=True)
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`torch.linalg.pinv` with `rcond` for the relative tolerance."""
    return ops.linalg_pinv(input, rcond)


@composite(method=True)
def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """`torch.linalg.cholesky`."""
    deprecated(
        "cholesky",
        "torch.linalg.cholesky",
        "\nL = torch.linalg.cholesky(A), and for upper=True U = torch.linalg.cholesky(A).mH",
    )
    found, info = ops.linalg_cholesky_ex(input, upper=upper)
    from flambeau.core.ops.linalg_solve import NOT_POSITIVE, verdict

    verdict("cholesky", info, NOT_POSITIVE)
    return written("cholesky", labelled(found, "CholeskyBackward0"), out)


def _from_factor(input: Any, L: Any, upper: bool) -> Any:
    """Two triangular systems, on arrays."""
    lower = factor.adjoint(L) if upper else L
    half = factor.triangular(lower, input, False, False)
    return factor.columns(factor.triangular(factor.adjoint(lower), half, True, False))


def _cholesky_solve_rule(g: Any, L: Any, out: Any, upper: Any, needs: Any) -> Any:
    """The gradient of the factor is not masked to its triangle, as in PyTorch."""
    back = ops.cholesky_solve(g, L, upper)
    if not needs[1]:
        return back, None
    both = back @ out.mH
    both = both + both.mH
    return (back if needs[0] else None), (-(L @ both) if upper else -(both @ L))


@primitive(
    holomorphic=False,
    vjp={("input", "L"): _cholesky_solve_rule},
    infer=lambda input, L, *_: (
        (*np.broadcast_shapes(input.shape[:-2], L.shape[:-2]), *input.shape[-2:]),
        input.dtype,
    ),
)
def cholesky_solve(input, L, upper: bool = False):
    """X of ``A @ X = input`` from A's Cholesky factor."""
    for label, x in (("b", input), ("u", L)):
        if x.ndim < 2:
            raise fail(
                RuntimeError,
                "cholesky_solve",
                f"{label} should have at least 2 dimensions, but has {x.ndim} dimensions instead",
            )
    need_square("cholesky_solve", L)
    need_floating("cholesky_solve", L, "cholesky_solve_cpu")
    if L.shape[-1] != input.shape[-2]:
        raise fail(
            RuntimeError,
            "cholesky_solve",
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L.shape[-1]} by "
            f"{L.shape[-1]} but each b matrix is {input.shape[-2]} by {input.shape[-1]}",
        )
    if L.dtype != input.dtype:
        raise fail(
            RuntimeError,
            "cholesky_solve",
            f"Expected b and u to have the same dtype, but found {of(input.dtype)} and "
            f"{of(L.dtype)}",
        )
    return _from_factor(input, L, upper)


def _cholesky_inverse_tangent(t: Any, L: Any, out: Any, upper: Any) -> Any:
    """PyTorch's, whose factors stand in this order."""
    half = -(out @ (t.mH if upper else t) @ out @ (L if upper else L.mH))
    return half + half.mH


@forward(_cholesky_inverse_tangent)
def _cholesky_inverse_rule(g: Any, L: Any, out: Any, upper: Any) -> Any:
    """The gradient of the factor is not masked to its triangle, as in PyTorch."""
    both = out @ (g + g.mH) @ out
    return -(L @ both) if upper else -(both @ L)


@primitive(
    holomorphic=False,
    vjp=_cholesky_inverse_rule,
    infer=lambda L, *_: (L.shape, L.dtype),
)
def cholesky_inverse(L, upper: bool = False):
    """The inverse of A from its Cholesky factor.

    Raises:
        LinAlgError: the factor has a zero on its diagonal.
    """
    need_square("cholesky_inverse", L)
    need_floating("cholesky_inverse", L, "!cholesky_inverse_out_cpu")
    zero = np.diagonal(L, 0, -2, -1) == 0
    refuse(
        "cholesky_inverse",
        np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if L.size else np.zeros(0, "i4"),
        "The diagonal element {} is zero, the inversion could not be completed because the input "
        "matrix is singular.",
    )
    return _from_factor(np.eye(L.shape[-1], dtype=L.dtype), L, upper)


@composite(method=True)
def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """`torch.linalg.qr`, reduced (`some`) or complete."""
    deprecated(
        "qr", "torch.linalg.qr", "\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    found = structseq("qr", ("Q", "R"))(ops.linalg_qr(input, "reduced" if some else "complete"))
    return (
        found
        if out is None
        else type(found)([written("qr", r, o) for r, o in zip(found, out, strict=True)])
    )


@composite(method=True)
def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """U, S, V of ``input = U @ diag(S) @ V.mH``; zeros for U and V without `compute_uv`."""
    kind = structseq("svd", ("U", "S", "V"))
    if compute_uv:
        U, S, Vh = ops.linalg_svd(input, not some)
        found = kind((U, S, Vh.mH))
    else:
        m, n = input.shape[-2:]
        batch = input.shape[:-2]
        zeros = [ops.zeros((*batch, k, k), dtype=input.dtype, device=input.device) for k in (m, n)]
        found = kind((zeros[0], ops.linalg_svdvals(input), zeros[1]))
    return (
        found
        if out is None
        else kind([written("svd", r, o) for r, o in zip(found, out, strict=True)])
    )


@composite(method=True)
def lu(input: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The packed LU factorization and its pivots (and, with `get_infos`, whether it succeeded)."""
    deprecated("lu", "torch.linalg.lu_factor / torch.linalg.lu_factor_ex")
    LU, pivots, info = ops.linalg_lu_factor_ex(input, pivot=pivot)
    if not get_infos and isinstance(info._array, (np.ndarray, Batched)) and info._array.any():
        k = int(info.reshape(-1)[info.reshape(-1) != 0][0])
        raise fail(
            RuntimeError,
            "lu",
            f"U[{k},{k}] is zero and using it on lu_solve would result in a division by zero.",
        )
    found = (
        structseq("_lu_with_info", ("LU", "pivots", "info"))((LU, pivots, info))
        if get_infos
        else (LU, pivots)
    )
    return (
        found
        if out is None
        else tuple(written("lu", r, o) for r, o in zip(found, out, strict=True))
    )


@composite(method=True)
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """`torch.linalg.lu_solve` with its arguments in the older order."""
    deprecated("lu_solve", "torch.linalg.lu_solve", "\nX = torch.linalg.lu_solve(LU, pivots, B)")
    return ops.linalg_lu_solve(LU_data, LU_pivots, input, out=out)


def _triangular_back(g: Any, A: Any, upper: Any, transpose: Any, unitriangular: Any) -> Any:
    return ops._triangular_solution(g, A.conj(), upper, not transpose, unitriangular)


def _coefficient_tangent(
    t: Any, A: Any, out: Any, upper: Any, transpose: Any, unitriangular: Any
) -> Any:
    """PyTorch's, for which A's whole tangent counts, as it stands."""
    return -ops._triangular_solution(t @ out, A, upper, transpose, unitriangular)


@forward(_coefficient_tangent)
def _coefficient_rule(
    g: Any, A: Any, out: Any, upper: Any, transpose: Any, unitriangular: Any
) -> Any:
    found = -(_triangular_back(g, A, upper, transpose, unitriangular) @ out.mH)
    if transpose:
        found = found.mT
    offset = int(bool(unitriangular))
    return found.triu(offset) if upper else found.tril(-offset)


@primitive(
    name="_triangular_solution",
    node="TriangularSolve",
    method=False,
    function=False,
    holomorphic=False,
    vjp={"input": _triangular_back, "A": _coefficient_rule},
    infer=lambda input, A, *_: (
        (*np.broadcast_shapes(input.shape[:-2], A.shape[:-2]), *input.shape[-2:]),
        A.dtype,
    ),
)
def _triangular_solution(input, A, upper: bool, transpose: bool, unitriangular: bool):
    """X of ``A @ X = input``, or of ``A.mT @ X = input``."""
    need_square("triangular_solve", A)
    need_floating("triangular_solve", A, "triangular_solve")
    check_system("triangular_solve", A, input, True)
    matrix = A.swapaxes(-1, -2) if transpose else A
    return factor.columns(factor.triangular(matrix, input, upper != transpose, unitriangular))


def _sparse_solved(input: Tensor, A: Tensor, *options: bool) -> Any:
    """The solution for A in rows; PyTorch gives no copy of that A."""
    found = ops._triangular_solution(input, A.to_dense(), *options)
    kind = structseq("triangular_solve", ("solution", "cloned_coefficient"))
    return kind((found, ops.empty(0, dtype=A.dtype)))


@composite(method=True)
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Any = None,
) -> Any:
    """X of ``A @ X = input`` for triangular A (its transpose with `transpose`), and a copy of A."""
    for label, x in (("b", input), ("A", A)):
        if x.dim() < 2:
            raise fail(
                RuntimeError,
                "torch.triangular_solve",
                f"Expected {label} to have at least 2 dimensions, but it has {x.dim()} dimensions "
                "instead",
            )
    deprecated(
        "triangular_solve",
        "torch.linalg.solve_triangular",
        "\nX = torch.linalg.solve_triangular(A, B, upper=upper)",
    )
    if A.layout is sparse_csr:
        return _sparse_solved(input, A, upper, transpose, unitriangular)
    found = ops._triangular_solution(input, A, upper, transpose, unitriangular)
    kind = structseq("triangular_solve", ("solution", "cloned_coefficient"))
    copied = A.expand((*found.shape[:-2], *A.shape[-2:])).mT.contiguous().mT.clone()
    pair = kind((found, labelled(copied, "TriangularSolveBackward0")))
    return (
        pair
        if out is None
        else kind([written("triangular_solve", r, o) for r, o in zip(pair, out, strict=True)])
    )


def _range(A: Tensor, q: int, niter: int, M: Tensor | None) -> Tensor:
    """Orthonormal columns that span most of A's range. Reference: N. Halko et al., 2009
    (arXiv:0909.4061), algorithm 4.4.
    """

    def onto(x: Tensor) -> Tensor:
        return A @ x if M is None else A @ x - M @ x

    def back(x: Tensor) -> Tensor:
        return A.mH @ x if M is None else A.mH @ x - M.mH @ x

    Q = ops.linalg_qr(onto(ops.randn(A.shape[-1], q, dtype=A.dtype, device=A.device)))[0]
    for _ in range(niter):
        Q = ops.linalg_qr(back(Q))[0]
        Q = ops.linalg_qr(onto(Q))[0]
    return Q


@composite()
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> Any:
    """U, S, V of an approximation of A (of ``A - M``) of rank q, from q random directions.

    Reference: N. Halko, P. Martinsson, J. Tropp, Finding structure with randomness, 2009
        (arXiv:0909.4061).
    """
    m, n = A.shape[-2:]
    if M is not None:
        M = M.broadcast_to(A.shape)
    if m < n:
        A, M = A.mH, None if M is None else M.mH
    Q = _range(A, 6 if q is None else q, 2 if niter is None else niter, M)
    B = Q.mH @ A if M is None else Q.mH @ A - Q.mH @ M
    U, S, Vh = ops.linalg_svd(B, False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if m < n else (U, S, V)


@composite()
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """The q principal components: `svd_lowrank` of A with its columns' means taken away
    (`center`).
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not center:
        return svd_lowrank(A, q, niter)
    return svd_lowrank(A - A.mean(dim=-2, keepdim=True), q, niter)


@composite()
def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Any = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> Any:
    """The k extreme eigenvalues and eigenvectors of ``A x = lambda B x`` for symmetric A and
    positive-definite B.

    Note:
        The eigenvalues are those an iteration converges to, computed by `eigh` at once: `niter`,
        `tol`, `iK` and the parameters of orthogonalization have nothing to steer, and `tracker` is
        not called.
    """
    size = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    if size < 3 * k:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={size}) is smaller "
            f"than 3 x the number of requested eigenpairs (={k})"
        )
    if A.layout is not ops.zeros(1).layout:
        A = A.to_dense()
    if B is None:
        values, vectors = ops.linalg_eigh(A)
    else:
        L = ops.linalg_cholesky(B.to_dense() if B.layout is not ops.zeros(1).layout else B)
        inner = ops.linalg_solve_triangular(
            L, ops.linalg_solve_triangular(L, A, upper=False).mH, upper=False
        )
        values, vectors = ops.linalg_eigh(inner)
        vectors = ops.linalg_solve_triangular(L.mH, vectors, upper=True)
    if largest is None or largest:
        return values.narrow(-1, size - k, k).flip(-1), vectors.narrow(-1, size - k, k).flip(-1)
    return values.narrow(-1, 0, k), vectors.narrow(-1, 0, k)


@composite()
def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """The product of a chain of matrices in the cheapest order. `torch.linalg.multi_dot` is its
    newer form.
    """
    deprecated("chain_matmul", "torch.linalg.multi_dot")
    for k, each in enumerate(matrices):
        if each.dim() != 2:
            raise fail(
                RuntimeError,
                "chain_matmul",
                f"Tensor {k} has {each.dim()} dimensions: expected matrices.",
            )
    if len(matrices) == 1:
        return matrices[0]
    found = ops.linalg_multi_dot(matrices)
    return found if out is None else written("chain_matmul", found, out)
