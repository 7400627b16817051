"""QR, singular values, eigenvalues, the pseudo-inverse: the operations with their rules.

The factors' signs and phases are LAPACK's, as NumPy calls the same routines as PyTorch. Rules are
written for complex matrices as they stand. Formulas: M. Giles, An extended collection of matrix
derivative results, 2008; for QR of wide and tall matrices S. Walter and L. Lehmann, Algorithmic
differentiation of linear algebra functions, 2010 (arXiv:1001.1654).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import factor, lapack
from flambeau.core.kernels.bidiagonal import is_wide, wide_svd
from flambeau.core.ops.linalg_checks import LinAlgError, need_floating, need_matrix, need_square
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _real_type(d: Any) -> Any:
    return np.dtype(f"f{d.itemsize // 2}") if d.kind == "c" else d


def _skew(x: Tensor) -> Tensor:
    return x - x.mH


def _qr_rule(g: Any, Q: Any, R: Any, mode: Any) -> Any:
    gq, gr = g
    if mode == "r":
        raise fail(
            RuntimeError,
            "linalg.qr",
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
            "Please use linalg.qr(A, mode='reduced')",
        )
    m, n = Q.shape[-2], R.shape[-1]
    if mode == "complete" and m > n:
        raise fail(
            RuntimeError,
            "linalg.qr",
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols. "
            "Use mode='reduced'.",
        )
    if m < n:
        return _wide_qr(gq, gr, Q, R, m, n)
    # gA = (gQ + Q syminv(R gR^H - gQ^H Q)) R^-H, for what is skew and triangular in Q^H dQ and dR.
    inner = None
    if gr is not None:
        inner = R @ gr.mH
    if gq is not None:
        other = gq.mH @ Q
        inner = -other if inner is None else inner - other
    if inner is None:
        return None
    found = Q @ _mirror(inner)
    if gq is not None:
        found = gq + found
    return ops.linalg_solve_triangular(R.mH, found, upper=False, left=False)


def _mirror(x: Tensor) -> Tensor:
    """The hermitian matrix with the lower triangle of `x` (the diagonal's real part)."""
    strict = x.tril(-1)
    found = strict + strict.mH
    middle = ops.diagonal(x, 0, -2, -1)
    return found + ops.diag_embed(middle.real.to(x.dtype) if x.is_complex() else middle)


def _wide_qr(gq: Any, gr: Any, Q: Tensor, R: Tensor, m: int, n: int) -> Any:
    """A = [A1 A2], Q R1 = A1, R2 = Q^H A2."""
    first, rest = R.narrow(-1, 0, m), R.narrow(-1, m, n - m)
    second = None
    if gr is not None:
        gr2 = gr.narrow(-1, m, n - m)
        gr = gr.narrow(-1, 0, m)
        second = Q @ gr2
        add = Q @ (rest @ gr2.mH)
        gq = add if gq is None else gq + add
    found = _qr_rule((gq, gr), Q, first, "reduced")
    if found is None:
        return None
    if second is None:
        second = ops.zeros_like(Q @ rest)
    return ops.cat([found, second], -1)


def _qr_shapes(A: Any, mode: str = "reduced") -> Any:
    m, n = A.shape[-2:]
    k = min(m, n)
    batch = A.shape[:-2]
    q = (0,) if mode == "r" else (*batch, m, m if mode == "complete" else k)
    return (q, A.dtype), ((*batch, m if mode == "complete" else k, n), A.dtype)


@primitive(
    name="linalg_qr",
    outputs=("Q", "R"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _qr_rule},
    infer=_qr_shapes,
)
def linalg_qr(A, mode: str = "reduced"):
    """Q and R of ``A = Q @ R``: orthonormal columns, an upper triangle.

    Args:
        mode: "reduced" (the first min(m, n) columns), "complete" (all m), "r" (R alone, Q empty).
    """
    need_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise fail(
            RuntimeError,
            "linalg.qr",
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'",
        )
    need_floating("linalg.qr", A, "geqrf_cpu")
    if not A.size:
        (q, _), (r, _) = _qr_shapes(A, mode)
        eye = (
            np.broadcast_to(np.eye(*q[-2:], dtype=A.dtype), q).copy()
            if len(q) > 1
            else np.zeros(q, A.dtype)
        )
        return eye, np.zeros(r, A.dtype)
    if mode == "r":
        return np.zeros(0, A.dtype), factor.columns(np.linalg.qr(A, mode="r"))
    q, r = lapack.qr(A) if mode == "reduced" else np.linalg.qr(A, mode="complete")
    return factor.columns(q), factor.columns(r)


def _safe_difference(x: Tensor) -> Tensor:
    """``x_j - x_i`` with ones on the diagonal, where a quotient's numerator is not wanted."""
    gaps = x.unsqueeze(-2) - x.unsqueeze(-1)
    return gaps + ops.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def _off_diagonal(x: Tensor) -> Tensor:
    return x - ops.diag_embed(ops.diagonal(x, 0, -2, -1))


def _gauge(name: str, imaginary: Tensor, reference: Tensor) -> None:
    """The gradient must not depend on the phases of the vectors, which are arbitrary.

    Raises:
        RuntimeError: it does.
    """
    a = imaginary._array
    if isinstance(a, np.ndarray) and a.size:
        tolerance = 1e-2 if a.dtype.itemsize == 4 else 1e-3
        if not np.allclose(
            a,
            np.zeros_like(a),
            atol=tolerance * max(1.0, float(np.abs(reference._array).max(initial=0))),
        ):
            raise fail(
                RuntimeError,
                name,
                f"{name}_backward: The {'singular vectors' if 'svd' in name else 'eigenvectors'} "
                "in the complex case are specified up "
                "to multiplication by e^{i phi}. The specified loss function depends on this "
                "quantity, so it is ill-defined.",
            )


def _svd_rule(g: Any, U: Any, S: Any, Vh: Any, full_matrices: Any, A_shape: Any) -> Any:
    gu, gs, gv = g
    if gu is None and gs is None and gv is None:
        return None
    m, n = A_shape[-2:]
    k = S.shape[-1]
    if (gu is not None and U.shape[-1] > k) or (gv is not None and Vh.shape[-2] > k):
        gu = None if gu is None else gu.narrow(-1, 0, k)
        gv = None if gv is None else gv.narrow(-2, 0, k)
    if U.shape[-1] > k:
        U = U.narrow(-1, 0, k)
    if Vh.shape[-2] > k:
        Vh = Vh.narrow(-2, 0, k)
    if gu is None and gv is None:
        return (U * gs.unsqueeze(-2)) @ Vh
    row, column = S.unsqueeze(-2), S.unsqueeze(-1)
    gaps = ops.mul(row - column, row + column) + ops.eye(k, dtype=S.dtype, device=S.device)
    skew_u = _skew(U.mH @ gu) if gu is not None else None
    skew_v = _skew(Vh @ gv.mH) if gv is not None else None
    if U.is_complex():
        both = [ops.diagonal(x, 0, -2, -1).imag for x in (skew_u, skew_v) if x is not None]
        _gauge("svd", both[0] + both[1] if len(both) > 1 else both[0], gu if gu is not None else gv)
    inner: Any = None
    if skew_u is not None:
        inner = (skew_u / gaps) * row
    if skew_v is not None:
        part = (skew_v / gaps) * column
        inner = part if inner is None else inner + part
    inner = _off_diagonal(inner)
    if U.is_complex() and skew_u is not None:
        inner = inner + ops.diag_embed(ops.diagonal(skew_u, 0, -2, -1) / (2 * S))
    if gs is not None:
        inner = inner + ops.diag_embed(gs.to(inner.dtype))
    if m > k and gu is not None:
        found = U @ inner
        part = gu / row
        found = (found + part - U @ (U.mH @ part)) @ Vh
    elif n > k and gv is not None:
        part = gv / column
        found = U @ (inner @ Vh + part - (part @ Vh.mH) @ Vh)
    else:
        found = U @ (inner @ Vh)
    return found


def _svd_shapes(A: Any, full_matrices: bool = True, *_: Any) -> Any:
    m, n = A.shape[-2:]
    k, batch = min(m, n), A.shape[:-2]
    left, right = (m, n) if full_matrices else (k, k)
    return (
        ((*batch, m, left), A.dtype),
        ((*batch, k), _real_type(A.dtype)),
        ((*batch, right, n), A.dtype),
    )


@primitive(
    name="linalg_svd",
    outputs=("U", "S", "Vh"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _svd_rule},
    infer=_svd_shapes,
)
def linalg_svd(A, full_matrices: bool = True, *, driver: Any = None):
    """U, S, Vh of ``A = U @ diag(S) @ Vh``; S descending.

    Args:
        full_matrices: U and Vh square, else only min(m, n) vectors each.

    Raises:
        LinAlgError: no convergence, as with inf or nan in A.
    """
    need_matrix("linalg.svd", A)
    need_floating("linalg.svd", A, "linalg_svd_cpu")
    if driver is not None:
        raise fail(
            RuntimeError,
            "torch.linalg.svd",
            "keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.",
        )
    if not A.size:
        (u, _), (s, real), (v, _) = _svd_shapes(A, full_matrices)
        eyes = [
            np.broadcast_to(np.eye(*shape[-2:], dtype=A.dtype), shape).copy() for shape in (u, v)
        ]
        return factor.columns(eyes[0]), np.zeros(s, real), factor.columns(eyes[1])
    try:
        if is_wide(A):
            u, s, vh = wide_svd(A, full_matrices)
        else:
            u, s, vh = lapack.svd(A, full_matrices)
    except np.linalg.LinAlgError:
        raise fail(LinAlgError, "linalg.svd", _diverged(A)) from None
    if not np.isfinite(s).all():
        raise fail(LinAlgError, "linalg.svd", _diverged(A))
    return factor.columns(u), s, factor.columns(vh)


def _diverged(A: Any) -> str:
    if not np.isfinite(A).all():
        return (
            "The algorithm failed to converge because the input matrix contained non-finite values."
        )
    return (
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
        "many repeated singular values."
    )


@composite(name="linalg_svdvals", function=False)
def linalg_svdvals(A: Tensor, *, driver: Any = None, out: Any = None) -> Tensor:
    """The singular values, descending."""
    from flambeau.core.ops.linalg_solve import written

    if not isinstance(A, Tensor):
        raise fail(
            TypeError,
            "linalg_svdvals",
            f"argument 'A' (position 1) must be Tensor, not {type(A).__name__}",
        )
    return written("linalg_svdvals", ops.linalg_svd(A, False, driver=driver)[1], out)


def _eigh_rule(g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    gl, gv = g
    V = eigenvectors
    if gl is None and gv is None:
        return None
    if gv is None:
        return (V * gl.unsqueeze(-2)) @ V.mH
    inner = V.mH @ gv
    if V.is_complex():
        _gauge("linalg_eigh", ops.diagonal(inner, 0, -2, -1).imag, gv)
    inner = _off_diagonal(inner / _safe_difference(eigenvalues))
    if gl is not None:
        inner = inner + ops.diag_embed(gl.to(inner.dtype))
    return V @ (inner @ V.mH)


def _eigh_shapes(A: Any, *_: Any) -> Any:
    return (A.shape[:-1], _real_type(A.dtype)), (A.shape, A.dtype)


@primitive(
    name="linalg_eigh",
    outputs=("eigenvalues", "eigenvectors"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _eigh_rule},
    infer=_eigh_shapes,
)
def linalg_eigh(A, UPLO: str = "L"):
    """Eigenvalues (ascending) and eigenvectors (columns) of a symmetric or hermitian matrix.

    Args:
        UPLO: the triangle that is read, "L" or "U".
    """
    need_square("linalg.eigh", A)
    if UPLO not in ("L", "U", "l", "u"):
        raise fail(
            RuntimeError, "linalg.eigh", f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}"
        )
    need_floating("linalg.eigh", A, "!linalg_eigh_cpu")
    if not A.size:
        (w, real), (v, _) = _eigh_shapes(A)
        return np.zeros(w, real), np.zeros(v, A.dtype)
    try:
        w, v = lapack.eigh(A, UPLO.upper())
    except np.linalg.LinAlgError:
        raise fail(
            LinAlgError,
            "linalg.eigh",
            "The algorithm failed to converge because the input matrix is ill-conditioned or has "
            "too many repeated eigenvalues.",
        ) from None
    return w, factor.columns(v)


@composite(name="linalg_eigvalsh", function=False)
def linalg_eigvalsh(input: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues of a symmetric or hermitian matrix, ascending."""
    from flambeau.core.ops.linalg_solve import written

    return written("linalg_eigvalsh", ops.linalg_eigh(input, UPLO)[0], out)


def _eig_rule(g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    gl, gv = g
    V = eigenvectors
    if gl is None and gv is None:
        return None
    if gv is None:
        return ops._linalg_solve_ex(V.mH, gl.unsqueeze(-1) * V.mH)[0]
    inner = V.mH @ gv
    middle = ops.diagonal(inner, 0, -2, -1)
    _gauge("linalg_eig", middle.imag, gv)
    inner = inner - (V.mH @ V) * middle.real.to(V.dtype).unsqueeze(-2)
    inner = _off_diagonal(inner / _safe_difference(eigenvalues).conj())
    if gl is not None:
        inner = inner + ops.diag_embed(gl)
    return ops._linalg_solve_ex(V.mH, inner @ V.mH)[0]


def _eig_shapes(A: Any) -> Any:
    kind = np.result_type(A.dtype, np.complex64)
    return (A.shape[:-1], kind), (A.shape, kind)


@primitive(
    name="linalg_eig",
    outputs=("eigenvalues", "eigenvectors"),
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _eig_rule},
    infer=_eig_shapes,
)
def linalg_eig(A):
    """Eigenvalues and eigenvectors (columns) of a square matrix; complex always.

    Raises:
        RuntimeError: inf or nan in A.
    """
    need_square("linalg.eig", A)
    if of(A.dtype).category in ("int", "bool"):
        raise fail(
            RuntimeError, "linalg.eig", f"Unknown Complex ScalarType for {of(A.dtype).legacy}"
        )
    need_floating("linalg.eig", A, "linalg_eig_out_cpu")
    (w, kind), (v, _) = _eig_shapes(A)
    if not A.size:
        return np.zeros(w, kind), np.zeros(v, kind)
    if not np.isfinite(A).all():
        raise fail(
            RuntimeError, "torch.linalg.eig", "input tensor should not contain infs or NaNs."
        )
    values, vectors = np.linalg.eig(A)
    return values.astype(kind, copy=False), factor.columns(vectors.astype(kind, copy=False))


@composite(name="linalg_eigvals", function=False)
def linalg_eigvals(input: Tensor, *, out: Any = None) -> Tensor:
    """The eigenvalues of a square matrix; complex always."""
    from flambeau.core.ops.linalg_solve import written

    return written("linalg_eigvals", ops.linalg_eig(input)[0], out)


def _pinv_rule(g: Any, A: Any, out: Any) -> Any:
    """G. Golub and V. Pereyra, The differentiation of pseudo-inverses, 1973."""
    P = out
    gh, Ph = g.mH, P.mH
    if A.shape[-2] <= A.shape[-1]:
        K = gh @ P
        KPh = K @ Ph
        return -(P @ K).mH + KPh - (A @ P) @ KPh + (Ph @ P) @ (gh - K @ A)
    K = P @ gh
    PhK = Ph @ K
    return -(K @ P).mH + (gh - A @ K) @ P @ Ph + PhK - (PhK @ P) @ A


@primitive(
    name="_linalg_pinv",
    node="LinalgPinv",
    method=False,
    function=False,
    holomorphic=False,
    vjp={"A": _pinv_rule},
    infer=lambda A, *_: ((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype),
)
def _linalg_pinv(A, atol: Any, rtol: Any, hermitian: bool):
    """The pseudo-inverse, from the singular values above ``max(atol, rtol * largest)``."""
    if A.ndim < 2 or of(A.dtype).name not in ("float32", "float64", "complex64", "complex128"):
        raise fail(
            RuntimeError,
            "linalg.pinv",
            f"linalg.pinv({of(A.dtype).legacy}{{{list(A.shape)}}}): expected a tensor with 2 or "
            "more dimensions of float, double, "
            "cfloat or cdouble types",
        )
    m, n = A.shape[-2:]
    if not A.size:
        return np.zeros((*A.shape[:-2], n, m), A.dtype)
    if rtol is None:
        rtol = np.finfo(A.dtype).eps * max(m, n) if atol is None else 0.0
    atol = 0.0 if atol is None else atol
    if hermitian:
        need_square("linalg.pinv", A)
        s, u = lapack.eigh(A)
        size, vh = np.abs(s), factor.adjoint(u)
        top = size.max(-1, keepdims=True)
    else:
        u, s, vh = lapack.svd(A, False)
        size, top = s, s[..., :1]
    limit = np.maximum(np.asarray(atol)[..., None], np.asarray(rtol)[..., None] * top)
    with_limit = np.where(size > limit, 1 / s, 0).astype(s.dtype)
    return (factor.adjoint(vh) * with_limit[..., None, :]) @ factor.adjoint(u)


def _plain(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


@composite(name="linalg_pinv", function=False)
def linalg_pinv(
    input: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The Moore-Penrose pseudo-inverse.

    Args:
        atol, rtol: singular values up to ``max(atol, rtol * largest)`` count as zero; rtol is by
            default ``max(m, n) * eps``, or 0 where atol is given.
        hermitian: A is symmetric or hermitian; its lower triangle is read.

    Shape: (*, m, n) -> (*, n, m).
    """
    if isinstance(rcond, bool):
        rcond, hermitian = None, rcond
    return ops._linalg_pinv(
        input, _plain(atol), _plain(rtol if rcond is None else rcond), hermitian, out=out
    )
