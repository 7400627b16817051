"""The singular value decomposition of wide real matrices, with PyTorch's signs and null space.

LAPACK takes a wide matrix through its LQ decomposition where NumPy calls it, and a real one to
bidiagonal form at once where PyTorch does. Both are right; the vectors' signs and the basis of the
null space tell them apart. Arrays in, arrays out; in double precision. Stands on NumPy.

Reference: G. Golub, C. Van Loan, Matrix Computations, 4th edition, 2013, section 5.4.8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_wide", "wide_svd"]

_ROWS = 64
"""Beyond as many rows the loop over them costs more than the same signs are worth."""


def is_wide(a: Any) -> bool:
    """Whether NumPy would go through the LQ decomposition (and PyTorch would not)."""
    m, n = a.shape[-2:]
    return bool(a.dtype.kind == "f" and 1 < m <= _ROWS and n > m and n >= m * 11 // 6)


def wide_svd(a: Any, full: bool) -> tuple[Any, Any, Any]:
    """U, S, Vh of a batch of matrices with more columns than rows; S descending."""
    d, m = a.dtype, a.shape[-2]
    left, middle, right = _bidiagonal(a.astype("f8"))
    turned = _upper(middle)
    u, s, vh = np.linalg.svd(middle)
    u = left @ (turned.swapaxes(-1, -2) @ u)
    right = right.swapaxes(-1, -2)
    vh = vh @ right[..., :m, :]
    if full:
        vh = np.concatenate([vh, right[..., m:, :]], -2)
    return u.astype(d), s.astype(d), vh.astype(d)


def _reflector(x: Any) -> tuple[Any, Any, Any]:
    """v (whose first element is 1), tau and beta with ``(1 - tau v v^T) x = beta e1``."""
    first, rest = x[..., :1], x[..., 1:]
    size = np.sqrt((x * x).sum(-1, keepdims=True))
    still = (rest == 0).all(-1, keepdims=True)
    beta = np.where(still, first, np.where(first < 0, size, -size))
    tau = np.where(still, 0, (beta - first) / np.where(still, 1, beta))
    v = np.concatenate([np.ones_like(first), rest / np.where(still, 1, first - beta)], -1)
    return v, tau, beta[..., 0]


def _bidiagonal(a: Any) -> tuple[Any, Any, Any]:
    """Q, B, P with ``a = Q [B 0] P^T``, B lower bidiagonal; `a` is used up."""
    batch, (m, n) = a.shape[:-2], a.shape[-2:]
    left = np.broadcast_to(np.eye(m), (*batch, m, m)).copy()
    right = np.broadcast_to(np.eye(n), (*batch, n, n)).copy()
    middle = np.zeros((*batch, m, m))
    for k in range(m):
        v, tau, middle[..., k, k] = _reflector(a[..., k, k:])
        _reflect(a[..., k + 1 :, k:], v, tau)
        _reflect(right[..., :, k:], v, tau)
        if k + 1 < m:
            v, tau, middle[..., k + 1, k] = _reflector(a[..., k + 1 :, k])
            _reflect(a[..., k + 1 :, k + 1 :].swapaxes(-1, -2), v, tau)
            _reflect(left[..., :, k + 1 :], v, tau)
    return left, middle, right


def _reflect(a: Any, v: Any, tau: Any) -> None:
    """``a (1 - tau v v^T)``, in place."""
    a -= tau[..., None] * (a @ v[..., None]) * v[..., None, :]


def _upper(b: Any) -> Any:
    """Turn a lower bidiagonal batch into an upper one, in place; the rotation that did it."""
    m = b.shape[-1]
    turned = np.broadcast_to(np.eye(m), b.shape).copy()
    for k in range(m - 1):
        f, g = b[..., k, k], b[..., k + 1, k]
        size = np.hypot(f, g)
        still = size == 0
        size = np.where(still, 1, size)
        cosine = np.where(still, 1, np.abs(f) / size)
        sine = np.where(still, 0, g * np.where(f < 0, -1, 1) / size)
        rotation = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)
        for each in (b, turned):
            each[..., k : k + 2, :] = rotation @ each[..., k : k + 2, :]
        b[..., k + 1, k] = 0  # exactly: what is left of rounding would turn a sign
    return turned
