"""Cholesky, inverse, determinant, linear systems (general and triangular): the operations with
their rules.

Rules are written for complex matrices as they stand (`holomorphic=False`): mH is the conjugate
transpose. LU and LDL stand in `linalg_lu`, decompositions with orthogonal factors in
`linalg_spectral`. Stands on kernels.factor and kernels.expm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import factor, lapack
from flambeau.core.kernels.expm import expm
from flambeau.core.ops.linalg_checks import (
    need_floating,
    need_matrix,
    need_square,
    refuse,
    singular,
)
from flambeau.core.output import write_one
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def written(name: str, result: Tensor, out: Any) -> Tensor:
    """The result, in `out` where one is given."""
    return result if out is None else write_one(name, result, out)


def _cholesky_rule(g: Any, L: Any, upper: Any) -> Any:
    grad = g[0]
    if grad is None:
        return None
    if upper:
        L, grad = L.mH, grad.mH
    half = (L.mH @ grad).tril()
    half = 0.5 * (half + half.tril(-1).mH)
    found = ops.linalg_solve_triangular(L.mH, half, upper=True)
    return ops.linalg_solve_triangular(L, found, upper=False, left=False)


@primitive(
    name="linalg_cholesky_ex",
    outputs=("L", "info"),
    differentiable=("L",),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _cholesky_rule},
    infer=lambda A, *_: ((A.shape, A.dtype), (A.shape[:-2], np.dtype("i4"))),
)
def linalg_cholesky_ex(A, *, upper: bool = False, check_errors: bool = False):
    """The Cholesky factor, and `info`: 0, or the order of the first leading minor that is not
    positive-definite.
    """
    need_square("linalg.cholesky", A)
    need_floating("linalg.cholesky", A, "cholesky_cpu")
    found, info = factor.cholesky(A, upper)
    if check_errors:
        refuse("linalg.cholesky_ex", info, NOT_POSITIVE)
    return found, info


NOT_POSITIVE = (
    "The factorization could not be completed because the input is not positive-definite (the "
    "leading minor of order {0} is not "
    "positive-definite). Add a small multiple of the identity, or check that the matrix is "
    "symmetric."
)


def verdict(name: str, info: Tensor, words: str) -> None:
    """Raise LinAlgError where `info` says a matrix failed; meta tensors are believed."""
    if isinstance(info._array, np.ndarray):
        refuse(name, info._array, words)


@composite(name="linalg_cholesky", function=False)
def linalg_cholesky(input: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """The triangular L of ``A = L @ L.mH`` for positive-definite A (with `upper`: ``A = U.mH @
    U``).

    Shape: (*, n, n) -> (*, n, n).
    Raises:
        LinAlgError: a matrix that is not positive-definite.
    """
    found, info = ops.linalg_cholesky_ex(input, upper=upper)
    verdict("linalg.cholesky", info, NOT_POSITIVE)
    return written("linalg_cholesky", found, out)


@primitive(
    name="linalg_inv_ex",
    outputs=("inverse", "info"),
    differentiable=("inverse",),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": lambda g, inverse: None if g[0] is None else -(inverse.mH @ (g[0] @ inverse.mH))},
    infer=lambda A, *_: ((A.shape, A.dtype), (A.shape[:-2], np.dtype("i4"))),
)
def linalg_inv_ex(A, *, check_errors: bool = False):
    """The inverse, and `info`: 0, or the place of the zero pivot of a singular matrix."""
    need_square("linalg.inv", A)
    need_floating("linalg.inv", A)
    found, info = factor.invert(A)
    if check_errors:
        refuse("linalg.inv_ex", info, SINGULAR)
    return found, info


SINGULAR = (
    "The diagonal element {0} is zero, the inversion could not be completed because the input "
    "matrix is singular."
)


@composite(name="linalg_inv", function=False)
def linalg_inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of a square matrix. To solve systems, `solve` is faster and more accurate.

    Raises:
        LinAlgError: a singular matrix.
    """
    found, info = ops.linalg_inv_ex(A)
    verdict("linalg.inv", info, SINGULAR)
    return written("linalg_inv", found, out)


def _det_rule(g: Any, A: Any, out: Any) -> Any:
    a, d = A._array, out._array
    if (
        not isinstance(a, np.ndarray)
        or (np.abs(d) > np.finfo(d.dtype).tiny).all()
        and np.isfinite(d).all()
    ):
        inverse, info = ops.linalg_inv_ex(A)
        if not isinstance(a, np.ndarray) or not info._array.any():
            return (g * out.conj()).unsqueeze(-1).unsqueeze(-1) * inverse.mH
    return g.unsqueeze(-1).unsqueeze(-1) * _cofactors(A).conj()


def _cofactors(A: Tensor) -> Tensor:
    """The matrix of cofactors, also where A is singular: from the singular values, each left out
    of the product once.
    """
    u, s, vh = ops.linalg_svd(A)
    n = A.shape[-1]
    grid = s.unsqueeze(-2).expand((*s.shape, n))
    others = ops.where(ops.eye(n, dtype=ops_bool(), device=A.device), ops.ones_like(grid), grid)
    product = _product(others)
    turn = (ops.linalg_det(u) * ops.linalg_det(vh)).unsqueeze(-1).unsqueeze(-1)
    return turn * ((u.conj() * product.unsqueeze(-2)) @ vh.conj())


def ops_bool() -> Any:
    """The dtype of masks."""
    from flambeau.core.dtypes import bool as boolean

    return boolean


def _product(x: Tensor) -> Tensor:
    found = x.select(-1, 0)
    for k in range(1, x.shape[-1]):
        found = found * x.select(-1, k)
    return found


@primitive(
    name="_linalg_det",
    node="LinalgDet",
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _det_rule},
    infer=lambda A: (A.shape[:-2], A.dtype),
)
def _linalg_det(A):
    """The determinant."""
    need_square("linalg.det", A)
    need_floating("linalg.det", A, "lu_cpu")
    return lapack.det(A)


@composite(name="linalg_det", function=False)
def linalg_det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of a square matrix.

    Shape: (*, n, n) -> (*).
    """
    return ops._linalg_det(A, out=out)


def _slogdet_rule(g: Any, A: Any, sign: Any) -> Any:
    turn, size = g
    if A.is_complex():
        weight = None
        if turn is not None:
            weight = -1j * (turn.conj() * sign).imag
        if size is not None:
            weight = size if weight is None else size + weight
    else:
        weight = size
    if weight is None:
        return None
    eye = ops.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    inverse = ops._linalg_solve_ex(A.mH, eye.expand(A.shape))[0]
    return weight.unsqueeze(-1).unsqueeze(-1) * inverse


def _slogdet_shapes(A: Any) -> Any:
    real = np.dtype(f"f{A.dtype.itemsize // 2}") if A.dtype.kind == "c" else A.dtype
    return (A.shape[:-2], A.dtype), (A.shape[:-2], real)


@primitive(
    name="linalg_slogdet",
    outputs=("sign", "logabsdet"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _slogdet_rule},
    infer=_slogdet_shapes,
)
def linalg_slogdet(A):
    """Sign and logarithm of the modulus of the determinant: ``det = sign * exp(logabsdet)``."""
    need_square("linalg.slogdet", A)
    need_floating("linalg.slogdet", A)
    sign, size = lapack.slogdet(A)
    return np.asarray(sign, A.dtype), np.asarray(size)


def is_vector(a: Any, b: Any) -> bool:
    """Whether `b` is a batch of vectors in ``a @ x = b``, as NumPy once decided it."""
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and tuple(b.shape) == tuple(a.shape[:-1]))


def check_system(name: str, a: Any, b: Any, left: bool) -> None:
    """Matrix and right-hand side of a linear system.

    Raises:
        RuntimeError: shapes that do not fit, two dtypes.
    """
    if a.dtype != b.dtype:
        raise fail(
            RuntimeError,
            name,
            f"Expected A and B to have the same dtype, but found A of type {of(a.dtype).legacy} "
            "and B of type "
            f"{of(b.dtype).legacy} instead",
        )
    if a.shape[-1] != b.shape[-2 if left else -1]:
        raise fail(
            RuntimeError,
            name,
            f"Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a.shape[-2]}x{a.shape[-1]} and "
            f"{b.shape[-2]}x{b.shape[-1]})",
        )


def _solve_rule(g: Any, A: Any, B: Any, result: Any, left: Any, needs: Any) -> Any:
    grad = g[0]
    if grad is None:
        return None, None
    vector = is_vector(A, B)
    back = (
        ops._linalg_solve_ex(A.mH, grad, left=left)[0] if not vector else _solve_columns(A.mH, grad)
    )
    if not needs[0]:
        return None, back
    if vector:
        to_a = -(back.unsqueeze(-1) @ result.unsqueeze(-1).mH)
    else:
        to_a = -(back @ result.mH) if left else -(result.mH @ back)
    return to_a, back if needs[1] else None


def _solve_columns(A: Tensor, b: Tensor) -> Tensor:
    return ops._linalg_solve_ex(A, b.unsqueeze(-1))[0].squeeze(-1)


def _solve_shapes(A: Any, B: Any, left: bool, *_: Any) -> Any:
    batch = np.broadcast_shapes(A.shape[:-2], () if is_vector(A, B) else B.shape[:-2])
    shape = (*batch, A.shape[-1]) if is_vector(A, B) else (*batch, *B.shape[-2:])
    return (shape, A.dtype), (A.shape[:-2], np.dtype("i4"))


@primitive(
    name="_linalg_solve_ex",
    node="LinalgSolveEx",
    outputs=("result", "info"),
    differentiable=("result",),
    method=False,
    function=False,
    holomorphic=False,
    result_name="linalg_solve_ex",
    vjp={("A", "B"): _solve_rule},
    infer=_solve_shapes,
)
def _linalg_solve_ex(A, B, *, left: bool = True, check_errors: bool = False):
    """X of ``A @ X = B`` (or ``X @ A = B``), and `info`: 0, or the place of a zero pivot."""
    need_square("linalg.solve", A)
    need_floating("linalg.solve", A, "lu_cpu")
    vector = is_vector(A, B)
    if vector and not left:
        raise fail(
            RuntimeError,
            "linalg.solve",
            "Vector broadcasting of the left hand side is not supported for left=False.",
        )
    right = B[..., None] if vector else B
    check_system("linalg.solve", A, right, left)
    if left:
        found, info = factor.solve(A, right)
    else:
        found, info = factor.solve(A.swapaxes(-1, -2), right.swapaxes(-1, -2))
        found = np.ascontiguousarray(found.swapaxes(-1, -2))
    if check_errors:
        refuse("torch.linalg.solve_ex", info, singular)
    return (factor.columns(found[..., 0]) if vector else found), info


@composite(name="linalg_solve_ex", function=False)
def linalg_solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """`solve` that reports singular matrices in `info` instead of raising."""
    return ops._linalg_solve_ex(A, B, left=left, check_errors=check_errors, out=out)


@composite(name="linalg_solve", function=False)
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """X of ``A @ X = B``; with ``left=False`` of ``X @ A = B``.

    Shape: (*, n, n), (*, n, k) or (*, n) -> as B.
    Raises:
        LinAlgError: a singular matrix.
    """
    found, info = ops._linalg_solve_ex(A, B, left=left)
    verdict("torch.linalg.solve", info, singular)
    return written("linalg_solve", found, out)


def _triangular_rule(
    g: Any, A: Any, out: Any, upper: Any, left: Any, unitriangular: Any, needs: Any
) -> Any:
    back = ops.linalg_solve_triangular(
        A.mH, g, upper=not upper, left=left, unitriangular=unitriangular
    )
    if not needs[0]:
        return None, back
    to_a = -(back @ out.mH) if left else -(out.mH @ back)
    offset = int(bool(unitriangular))
    to_a = to_a.triu(offset) if upper else to_a.tril(-offset)
    return to_a, back if needs[1] else None


def _triangular_shapes(A: Any, B: Any, *_: Any) -> Any:
    return (*np.broadcast_shapes(A.shape[:-2], B.shape[:-2]), *B.shape[-2:]), A.dtype


@primitive(
    name="linalg_solve_triangular",
    method=False,
    function=False,
    holomorphic=False,
    vjp={("A", "B"): _triangular_rule},
    infer=_triangular_shapes,
)
def linalg_solve_triangular(A, B, *, upper: bool, left: bool = True, unitriangular: bool = False):
    """X of ``A @ X = B`` (or ``X @ A = B``) for triangular A, of which the other triangle is not
    read.

    Args:
        upper: which triangle.
        unitriangular: the diagonal is taken for ones.

    Shape: (*, n, n), (*, n, k) -> (*, n, k).
    """
    need_square("linalg.solve_triangular", A)
    need_matrix("linalg.solve_triangular", B, "B")
    need_floating("linalg.solve_triangular", A, "!triangular_solve")
    check_system("linalg.solve_triangular", A, B, left)
    if left:
        return factor.columns(factor.triangular(A, B, upper, unitriangular))
    found = factor.triangular(A.swapaxes(-1, -2), B.swapaxes(-1, -2), not upper, unitriangular)
    return np.ascontiguousarray(found).swapaxes(-1, -2)


@primitive(
    name="linalg_matrix_exp",
    node="LinalgMatrixExp",
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": lambda g, A: _exp_rule(g, A)},
    infer=lambda A: (A.shape, A.dtype),
)
def linalg_matrix_exp(A):
    """The exponential of a square matrix, ``sum of A^k / k!``.

    Reference: P. Bader, S. Blanes, F. Casas, Computing the Matrix Exponential with an Optimized
        Taylor Polynomial Approximation, Mathematics 7(12), 2019.
    """
    need_square("linalg.matrix_exp", A)
    kind = of(A.dtype)
    if kind.category in ("int", "bool"):
        need_floating("linalg.matrix_exp", A)
    if kind.itemsize == 2:
        return expm(A.astype("f4")).astype(A.dtype)
    return expm(A)


def _exp_rule(g: Any, A: Any) -> Any:
    """The gradient is the corner of the exponential of ``[[A, g], [0, A]]``, transposed."""
    n, h = A.shape[-1], A.mH
    top = ops.cat([h, g.expand(h.shape)], -1)
    bottom = ops.cat([ops.zeros_like(h), h], -1)
    return ops.linalg_matrix_exp(ops.cat([top, bottom], -2)).narrow(-2, 0, n).narrow(-1, n, n)
