"""Matrix products of arrays: BLAS for floats, float32 accumulation for 16-bit floats, exact
integers.

`product(a, b)` is `np.matmul` with a batch of rows folded into one product where the right factor
is a matrix. No Tensor here. Stands on NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.core import blas
from flambeau.core.ir.abstract import Abstract, broadcast_shapes
from flambeau.core.kernels import batched
from flambeau.core.kernels.late import placed
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.native.matmul import is_generated, mm

__all__ = ["BLAS", "fold", "matrices", "product", "single", "widen"]

BLAS = frozenset(map(np.dtype, ("f4", "f8", "c8", "c16")))
SINGLE, BFLOAT16 = np.dtype("f4"), np.dtype(ml_dtypes.bfloat16)
by_tiles = placed("tiled", "product")
_FEW = 1 << 12
_EXACT = 1 << 53


def product(a: Any, b: Any) -> Any:
    """``a @ b`` in `a`'s dtype; operands of at least one dimension whose shapes fit."""
    if type(a) is Abstract or type(b) is Abstract:
        return _abstract(a, b)
    d = a.dtype
    if d in BLAS:
        return fold(a, b)
    if d.itemsize == 2 and d.kind in "fV":
        return recast(np.asarray(single(a, b, d)), d)
    return _integers(a, b)


def single(a: Any, b: Any, dtype: Any = SINGLE) -> Any:
    """``a @ b`` of 16-bit floats, rounded to the dtype where the matrix unit does that, else in
    single precision; of other numbers in their own dtype.
    """
    if a.dtype is not BFLOAT16:
        if a.dtype.itemsize > 2 or a.dtype.kind in "iu":
            return product(a, b)
        return fold(recast(a, "f4"), recast(b, "f4"))
    left = a if a.ndim > 1 else a[None]
    right = b if b.ndim > 1 else b[:, None]
    if right.ndim == 2 and left.ndim > 2:
        left = left.reshape(math.prod(left.shape[:-1]), left.shape[-1])
    found = by_tiles(left, right, None, dtype)
    if found is None:
        return fold(recast(a, "f4"), recast(b, "f4"))
    lead = a.shape[:-2] if b.ndim <= 2 else found.shape[:-2]
    return found.reshape(lead + a.shape[-2:-1] * (a.ndim > 1) + b.shape[-1:] * (b.ndim > 1))


def matrices(a: Any, b: Any, bias: Any = None, out: Any = None) -> Any:
    """``a @ b + bias`` of two matrices of one floating dtype, generated where that can be done:
    silent, from any thread.
    """
    return (_NATIVE.get(a.dtype) or _native(a.dtype))(a, b, bias, out)


_NATIVE: dict[Any, Any] = {}


def _native(dtype: Any) -> Any:
    if dtype.itemsize == 2 and dtype.kind in "fV":
        _NATIVE[dtype] = _halves
        return _halves
    found = _NATIVE[dtype] = mm(dtype)
    if is_generated(found):
        blas.keep_to_one()
    return found


def _halves(a: Any, b: Any, bias: Any = None, out: Any = None) -> Any:
    """`matrices` of 16-bit floats: one rounding, after the bias."""
    found = by_tiles(a, b, bias)
    if found is None:
        wide = None if bias is None else recast(bias, "f4")
        found = recast(matrices(recast(a, "f4"), recast(b, "f4"), wide), a.dtype)
    if out is None:
        return found
    out[...] = found
    return out


def fold(a: Any, b: Any) -> Any:
    """``np.matmul``; the rows of a batch times one matrix are one product (3 times faster for 32
    batches of 8 rows).
    """
    if b.ndim == 2:
        if a.ndim == 2:
            return matrices(a, b)
        if a.ndim > 2:
            found = matrices(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b)
            return found.reshape(a.shape[:-1] + b.shape[1:])
    elif a.ndim > 2 and b.ndim == 1:
        found = np.matmul(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b)
        return found.reshape(a.shape[:-1])
    return np.matmul(a, b) if a.ndim < 2 or b.ndim < 2 else batched.matmul(a, b)


def widen(a: Any) -> Any:
    """What 16-bit floats are computed in; other arrays as they are."""
    if a.dtype.kind == "W":
        return a.astype("c8")
    return recast(a, "f4") if a.dtype.itemsize == 2 and a.dtype.kind in "fV" else a


def _integers(a: Any, b: Any) -> Any:
    """Integers through float64's BLAS where every sum is exact there: NumPy's integer loop is some
    20 times slower.
    """
    k = a.shape[-1]
    if a.size * b.size > _FEW * max(k, 1):
        top = [max(abs(int(x.max())), abs(int(x.min()))) for x in (a, b)]
        if top[0] * top[1] * k < _EXACT:
            return np.asarray(fold(a.astype("f8"), b.astype("f8"))).astype("i8").astype(a.dtype)
    return np.asarray(np.matmul(a, b)).astype(a.dtype, copy=False)


def _abstract(a: Any, b: Any) -> Abstract:
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if b.ndim > 1 else ()
    return Abstract((*batch, *rows, *columns), a.dtype)
