"""Factorizations NumPy does not offer, and LAPACK's conventions around those it does: Cholesky with
a verdict per matrix, triangular solves, LU, reflectors, the matrix exponential. All
batched; no Tensor here. Stands on NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels import lapack

__all__ = [
    "adjoint",
    "cholesky",
    "columns",
    "each",
    "geqrf",
    "invert",
    "lu",
    "lu_solve",
    "permutation",
    "solve",
    "triangular",
]

_BLOCK = 64


def columns(a: Any) -> Any:
    """The same matrices laid out by columns, as LAPACK leaves them."""
    return (
        a
        if a.ndim < 2 or a.size == 0
        else np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    )


def adjoint(a: Any) -> Any:
    """The conjugate transpose."""
    return a.swapaxes(-1, -2).conj() if a.dtype.kind == "c" else a.swapaxes(-1, -2)


def each(a: Any) -> tuple[Any, tuple[int, ...]]:
    """The batch as one leading dimension, and its shape."""
    batch = a.shape[:-2]
    return a.reshape((math.prod(batch), *a.shape[-2:])), batch


def cholesky(a: Any, upper: bool) -> tuple[Any, Any]:
    """The triangular factor of each matrix, and the order of the first minor that is not positive
    (0: none).

    Only the triangle that is named is read.
    """
    info = np.zeros(a.shape[:-2], "i4")
    if not a.size:
        return a.copy(), info
    if upper:
        a = adjoint(a)
    try:
        found = lapack.cholesky(a)
    except np.linalg.LinAlgError:
        matrices, batch = each(a)
        found = np.zeros_like(matrices)
        flat = info.reshape(-1)
        for k, matrix in enumerate(matrices):
            try:
                found[k] = lapack.cholesky(matrix)
            except np.linalg.LinAlgError:
                flat[k] = order = _failing_minor(matrix)
                found[k] = np.tril(matrix)
                if order > 1:
                    found[k, : order - 1, : order - 1] = lapack.cholesky(
                        matrix[: order - 1, : order - 1]
                    )
        found = found.reshape((*batch, *a.shape[-2:]))
    return (adjoint(found) if upper else columns(found)), info


def _failing_minor(matrix: Any) -> int:
    low, high = 1, matrix.shape[0]  # the smallest order whose minor fails lies between
    while low < high:
        middle = (low + high) // 2
        try:
            lapack.cholesky(matrix[:middle, :middle])
        except np.linalg.LinAlgError:
            high = middle
        else:
            low = middle + 1
    return low


def triangular(a: Any, b: Any, upper: bool, unit: bool) -> Any:
    """x of ``a @ x = b`` for triangular `a`; zeros on its diagonal give inf and nan, as LAPACK's
    trtrs unchecked.
    """
    n = a.shape[-1]
    if not n or not b.size:
        return np.zeros(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + b.shape[-2:], b.dtype)
    if n <= _BLOCK:
        return _small_triangular(a, b, upper, unit)
    h = n // 2
    if upper:
        low = triangular(a[..., h:, h:], b[..., h:, :], upper, unit)
        high = triangular(a[..., :h, :h], b[..., :h, :] - a[..., :h, h:] @ low, upper, unit)
        return np.concatenate((high, low), -2)
    high = triangular(a[..., :h, :h], b[..., :h, :], upper, unit)
    low = triangular(a[..., h:, h:], b[..., h:, :] - a[..., h:, :h] @ high, upper, unit)
    return np.concatenate((high, low), -2)


def _small_triangular(a: Any, b: Any, upper: bool, unit: bool) -> Any:
    n = a.shape[-1]
    k = np.arange(n)
    kept = (np.less_equal if upper else np.greater_equal).outer(k, k)
    t = np.where(kept, a, a.dtype.type(0))
    if unit:
        t[..., k, k] = 1
    elif not (t[..., k, k].all() and np.isfinite(t).all()):
        return _substitute(t, b, upper)
    return lapack.solve(t, b)


def _substitute(t: Any, b: Any, upper: bool) -> Any:
    n = t.shape[-1]
    x = np.array(np.broadcast_to(b, np.broadcast_shapes(t.shape[:-2], b.shape[:-2]) + b.shape[-2:]))
    for i in range(n - 1, -1, -1) if upper else range(n):
        x[..., i, :] /= t[..., i, i, None]
        rest = slice(0, i) if upper else slice(i + 1, n)
        x[..., rest, :] -= t[..., rest, i, None] * x[..., i : i + 1, :]
    return x


def lu(a: Any, pivot: bool = True) -> tuple[Any, Any, Any]:
    """L and U in one matrix, the row swaps counted from 1, and the first zero on U's diagonal (0:
    none).

    By columns with partial pivoting over the whole batch at once, in blocks whose trailing update
    is one product.
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    work, batch = each(np.array(a, order="C"))
    count = work.shape[0]
    pivots = np.broadcast_to(np.arange(1, k + 1, dtype="i4"), (count, k)).copy()
    rows = np.arange(count)
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        for j in range(start, stop):
            if pivot and m > j:
                c = work[:, j:, j]
                size = np.abs(c.real) + np.abs(c.imag) if c.dtype.kind == "c" else np.abs(c)
                p = size.argmax(1) + j if count else np.zeros(0, int)
                pivots[:, j] = p + 1
                if (p != j).any():
                    swapped = work[rows, p].copy()
                    work[rows, p] = work[:, j]
                    work[:, j] = swapped
            d = work[:, j, j]
            safe = np.where(d == 0, 1, d)
            work[:, j + 1 :, j] /= safe[:, None]
            if j + 1 < stop:
                work[:, j + 1 :, j + 1 : stop] -= (
                    work[:, j + 1 :, j, None] * work[:, j, None, j + 1 : stop]
                )
        if stop < n:
            block = work[:, start:stop, start:stop]
            work[:, start:stop, stop:] = triangular(block, work[:, start:stop, stop:], False, True)
            work[:, stop:, stop:] -= work[:, stop:, start:stop] @ work[:, start:stop, stop:]
    diagonal = work[:, np.arange(k), np.arange(k)]
    zero = diagonal == 0
    info = np.where(zero.any(1), zero.argmax(1) + 1, 0).astype("i4") if k else np.zeros(count, "i4")
    return columns(work.reshape(a.shape)), pivots.reshape((*batch, k)), info.reshape(batch)


def permutation(pivots: Any, rows: int) -> Any:
    """Row swaps (from 1) as the order of rows they lead to: row i of the permuted is row order[i]
    of the old.
    """
    flat = (
        pivots.reshape(-1, pivots.shape[-1])
        if pivots.size
        else np.zeros((math.prod(pivots.shape[:-1]), 0), "i4")
    )
    order = np.broadcast_to(np.arange(rows), (flat.shape[0], rows)).copy()
    which = np.arange(flat.shape[0])
    for j in range(flat.shape[1]):
        p = flat[:, j].astype("i8") - 1
        kept = order[which, p].copy()
        order[which, p] = order[:, j]
        order[:, j] = kept
    return order.reshape((*pivots.shape[:-1], rows))


def lu_solve(factors: Any, pivots: Any, b: Any, adjoint_wanted: bool = False) -> Any:
    """x of ``a @ x = b`` (or with `a`'s adjoint) from what `lu` gave."""
    n = factors.shape[-1]
    order = permutation(pivots, n)[..., None]
    batch = np.broadcast_shapes(factors.shape[:-2], b.shape[:-2])
    b = np.broadcast_to(b, batch + b.shape[-2:])
    order = np.broadcast_to(order, batch + order.shape[-2:])
    if adjoint_wanted:
        t = adjoint(factors)
        y = triangular(t, triangular(t, b, False, False), True, True)
        return np.take_along_axis(y, np.argsort(order, -2), -2)
    y = np.take_along_axis(b, order, -2)
    return triangular(factors, triangular(factors, y, False, True), True, False)


def invert(a: Any) -> tuple[Any, Any]:
    """The inverse of each matrix and, for singular ones, the place of the zero pivot (0: none)."""
    info = np.zeros(a.shape[:-2], "i4")
    try:
        return columns(lapack.inv(a)), info
    except np.linalg.LinAlgError:
        pass
    matrices, batch = each(a)
    found = np.empty_like(matrices)
    flat = info.reshape(-1)
    for k, matrix in enumerate(matrices):
        try:
            found[k] = lapack.inv(matrix)
        except np.linalg.LinAlgError:
            factors, _, zero = lu(matrix)
            found[k], flat[k] = factors, int(zero) or 1
    return found.reshape(a.shape), info


def solve(a: Any, b: Any) -> tuple[Any, Any]:
    """x of ``a @ x = b`` for each matrix and, for singular ones, the place of the zero pivot (0:
    none).
    """
    info = np.zeros(a.shape[:-2], "i4")
    try:
        return columns(lapack.solve(a, b)), info
    except np.linalg.LinAlgError:
        pass
    factors, pivots, info = lu(a)
    if not info.any():
        info = np.array(np.linalg.det(a) == 0).astype("i4")
    return lu_solve(factors, pivots, b), info


def geqrf(a: Any) -> tuple[Any, Any]:
    """LAPACK's QR: R above the diagonal, the reflectors below, and their factors."""
    if not a.size:
        return a.copy(), np.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    h, tau = np.linalg.qr(a, mode="raw")
    return h.swapaxes(-1, -2), tau
