"""`torch.linalg`: solves, factorizations, spectra and norms of (batches of) matrices.

Written by scripts/stubs.py; change what it was made from."""

from typing import Any

from flambeau.core.ops.linalg_checks import LinAlgError as LinAlgError
from flambeau.core.tensor import Tensor

def cholesky(input: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """The triangular L of ``A = L @ L.mH`` for positive-definite A (with `upper`:"""

def cholesky_ex(
    A: Tensor,
    *,
    upper: bool = False,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """The Cholesky factor, and `info`:"""

def cond(input: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number ``norm(A, p) * norm(inv(A), p)``; inf for singular matrices."""

def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The vector product along `dim`, whose size is 3."""

def det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of a square matrix."""

def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of the last two dimensions."""

def eig(A: Tensor, *, out: Any = None) -> Any:
    """Eigenvalues and eigenvectors (columns) of a square matrix; complex always."""

def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """Eigenvalues (ascending) and eigenvectors (columns) of a symmetric or hermitian ..."""

def eigvals(input: Tensor, *, out: Any = None) -> Tensor:
    """The eigenvalues of a square matrix; complex always."""

def eigvalsh(input: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues of a symmetric or hermitian matrix, ascending."""

def householder_product(input: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first n columns of the product of the reflectors that `geqrf` left in input ..."""

def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of a square matrix. To solve systems, `solve` is faster and more ..."""

def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """The inverse, and `info`: 0, or the place of the zero pivot of a singular matrix."""

def ldl_factor(input: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """L and D of a symmetric (hermitian) matrix, packed, and the pivots. Needs scipy ..."""

def ldl_factor_ex(
    A: Tensor,
    *,
    hermitian: bool = False,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """LAPACK's packed L and D of ``A = L @ D @ L.mH`` (or ``L.mT``), the pivots, and ..."""

def ldl_solve(
    LD: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    hermitian: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """X of ``A @ X = B`` from what `ldl_factor` gave. Needs scipy (extra `sci`)."""

def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: Any = None, out: Any = None) -> Any:
    """X that minimizes ``norm(A @ X - B)``; the squared residuals, A's rank, its ..."""

def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """P, L, U of ``A = P @ L @ U``: a permutation, a unit lower and an upper triangle."""

def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """L and U packed in one matrix, and the row swaps (counted from 1), for `lu_solve`."""

def lu_factor_ex(
    A: Tensor,
    *,
    pivot: bool = True,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """L and U packed in one matrix, the row swaps (counted from 1), and `info`:"""

def lu_solve(
    LU: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """X of ``A @ X = B`` (``X @ A = B``; with `adjoint` for A's conjugate transpose) ..."""

def matmul(input: Any, other: Any = None, *, out: Any = None, **names: Any) -> Any:
    """``input @ other``: vectors, matrices and broadcast batches of matrices."""

def matrix_exp(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The exponential of a square matrix, ``sum of A^k / k!``."""

def matrix_norm(
    input: Tensor,
    ord: Any = "fro",
    dim: Any = ...,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """A norm of matrices."""

def matrix_power(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """The n-th power of a square matrix by repeated squaring; of its inverse where n ..."""

def matrix_rank(
    input: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """How many singular values exceed ``max(atol, rtol * largest)``; rtol is by ..."""

def multi_dot(tensors: Any, *, out: Any = None) -> Tensor:
    """The product of a chain of matrices in the order that costs least; the first and ..."""

def norm(
    input: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    out: Any = None,
    dtype: Any = None,
) -> Tensor:
    """A vector or matrix norm, by the number of dimensions."""

def pinv(
    input: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The Moore-Penrose pseudo-inverse."""

def qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """Q and R of ``A = Q @ R``: orthonormal columns, an upper triangle."""

def slogdet(A: Tensor, *, out: Any = None) -> Any:
    """Sign and logarithm of the modulus of the determinant: ``det = sign * ..."""

def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """X of ``A @ X = B``; with ``left=False`` of ``X @ A = B``."""

def solve_ex(
    A: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """`solve` that reports singular matrices in `info` instead of raising."""

def solve_triangular(
    A: Tensor,
    B: Tensor,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """X of ``A @ X = B`` (or ``X @ A = B``) for triangular A, of which the other ..."""

def svd(A: Tensor, full_matrices: bool = True, *, driver: Any = None, out: Any = None) -> Any:
    """U, S, Vh of ``A = U @ diag(S) @ Vh``; S descending."""

def svdvals(A: Tensor, *, driver: Any = None, out: Any = None) -> Tensor:
    """The singular values, descending."""

def tensorinv(input: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse under `tensordot` over `ind` dimensions."""

def tensorsolve(input: Tensor, other: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """X of ``tensordot(input, X, X.ndim) = other``; `dims` of input are moved to its ..."""

def vander(x: Tensor, N: int | None = None) -> Tensor:
    """Powers 0 to N - 1 of every element, in rows."""

def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """``sum(conj(x) * y)`` over a dimension."""

def vector_norm(
    input: Tensor,
    ord: Any = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """``sum(abs(x)**ord)**(1/ord)`` over `dim` (all of them by default)."""
