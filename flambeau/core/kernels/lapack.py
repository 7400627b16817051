"""NumPy's functions of LAPACK without what `np.linalg` asks first: dtypes are known here, and
failure shows in the result.

Computed in double precision and rounded once, as `np.linalg` does; where a matrix fails (its result
is NaN throughout), `np.linalg` is asked, and raises or does not. Stands on silence and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.silence import quiet

__all__ = ["cholesky", "det", "eigh", "inv", "qr", "slogdet", "solve", "svd"]

_functions: dict[str, Any] = {}
"""NumPy's own, by name; None for those that this NumPy has not."""


def _function(name: str) -> Any:
    try:
        return _functions[name]
    except KeyError:
        from numpy.linalg import _umath_linalg

        return _functions.setdefault(name, getattr(_umath_linalg, name, None))


def _computed(name: str, signature: str, *arrays: Any) -> Any:
    """What the function gives, in the dtype of the arrays; None where there is none."""
    function, a = _function(name), arrays[0]
    if function is None or not a.size:
        return None
    if a.dtype.kind == "c":
        signature = signature.upper()
    return quiet(function, *arrays, signature=signature)


def _whole(found: Any) -> bool:
    """Whether no matrix failed."""
    corner = found[..., 0, 0] if found.ndim > 1 else found
    return bool((corner == corner).all()) if found.ndim > 2 else bool(corner == corner)


def _one(name: str, signature: str, otherwise: Callable[..., Any], *arrays: Any) -> Any:
    """A matrix each, from the function or, where it failed, from `np.linalg`."""
    found = _computed(name, signature, *arrays)
    if found is None or not found.size or not _whole(found):
        return otherwise(*arrays)
    return found.astype(arrays[0].dtype, copy=False)


def cholesky(a: Any) -> Any:
    """`np.linalg.cholesky`."""
    return _one("cholesky_lo", "d->d", np.linalg.cholesky, a)


def inv(a: Any) -> Any:
    """`np.linalg.inv`."""
    return _one("inv", "d->d", np.linalg.inv, a)


def solve(a: Any, b: Any) -> Any:
    """`np.linalg.solve`; a right side of one dimension is a vector."""
    name = "solve1" if b.ndim == 1 else "solve"
    found = _computed(name, "dd->d", a, b)
    if found is None or not found.size or found.ndim < 2 or not _whole(found):
        return np.linalg.solve(a, b)
    return found.astype(a.dtype, copy=False)


def det(a: Any) -> Any:
    """`np.linalg.det`, which no matrix makes fail."""
    found = _computed("det", "d->d", a)
    return np.linalg.det(a) if found is None else found.astype(a.dtype)


def slogdet(a: Any) -> tuple[Any, Any]:
    """`np.linalg.slogdet`, which no matrix makes fail."""
    found = _computed("slogdet", "d->dd", a) if a.dtype.kind == "f" else None
    if found is None:
        return np.linalg.slogdet(a)
    return found[0].astype(a.dtype), found[1].astype(a.dtype)


def eigh(a: Any, triangle: Any = "L") -> tuple[Any, Any]:
    """`np.linalg.eigh`: values and vectors of the triangle "L" or "U"."""
    found = None
    if a.dtype.kind == "f":
        found = _computed("eigh_lo" if triangle == "L" else "eigh_up", "d->dd", a)
    if found is None or not _whole(found[1]):
        return np.linalg.eigh(a, triangle)
    return found[0].astype(a.dtype, copy=False), found[1].astype(a.dtype, copy=False)


def svd(a: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    """`np.linalg.svd`."""
    found = None
    if a.dtype.kind == "f":
        found = _computed("svd_f" if full_matrices else "svd_s", "d->ddd", a)
    if found is None or not _whole(found[0]):
        return np.linalg.svd(a, full_matrices=full_matrices)
    u, s, vh = (each.astype(a.dtype, copy=False) for each in found)
    return u, s, vh


def qr(a: Any) -> tuple[Any, Any]:
    """`np.linalg.qr` in reduced form."""
    raw, reduced = _function("qr_r_raw"), _function("qr_reduced")
    if raw is None or reduced is None or a.dtype.kind != "f":
        return np.linalg.qr(a)
    work = a.astype("f8")
    tau = quiet(raw, work, signature="d->d")
    q = quiet(reduced, work, tau, signature="dd->d")
    rows, columns = tau.shape[-1], a.shape[-1]
    upper = work[..., :rows, :] * np.less_equal.outer(np.arange(rows), np.arange(columns))
    return q.astype(a.dtype, copy=False), upper.astype(a.dtype, copy=False)
