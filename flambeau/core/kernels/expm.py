"""The exponential of matrices: Taylor polynomials of few products, scaling and squaring.

Degrees, bounds, coefficients and the order of sums are PyTorch's, so that float32 results are too:
far from the origin they carry its rounding, which is larger than any tolerance. Arrays in, arrays
out. Stands on factor.

Reference: P. Bader, S. Blanes, F. Casas, Computing the Matrix Exponential with an Optimized Taylor
    Polynomial Approximation, Mathematics 7(12), 2019.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels.factor import each

__all__ = ["expm"]

_BOUNDS = {
    "f": (
        1.192092800768788e-07, 5.978858893805233e-04, 5.116619363445086e-02,
        5.800524627688768e-01, 1.461661507209034e00, 3.010066362817634e00,
    ),
    "d": (
        2.220446049250313e-16, 2.580956802971767e-08, 3.397168839976962e-04,
        4.991228871115323e-02, 2.996158913811580e-01, 1.090863719290036e00,
    ),
}  # fmt: skip
"""By real dtype: the 1-norms up to which the degrees 1, 2, 4, 8, 12 and 18 are good for it."""
_FEW = 400
"""Multiplications of one product below which PyTorch's batched product rounds each of them."""


def expm(a: Any) -> Any:
    """``sum of a^k / k!`` of a batch of square matrices: one alone by the least degree that is good
    for it, several by the highest.
    """
    if not a.size:
        return a.copy()
    if a.shape[-1] == 1:
        return np.exp(a)
    matrices, _ = each(a)
    norms = np.abs(matrices).sum(-2).max(-1)
    bounds = _BOUNDS["f" if norms.dtype.itemsize == 4 else "d"]
    if len(matrices) == 1:
        polynomials = (_taylor1, _taylor2, _taylor4, _taylor8, _taylor12)
        for bound, polynomial in zip(bounds[:-1], polynomials, strict=True):
            if norms[0] < bound:
                return polynomial(matrices).reshape(a.shape)
    found = np.full_like(matrices, np.nan)
    finite = np.isfinite(norms)
    if finite.any():
        found[finite] = _squared(matrices[finite], norms[finite] / norms.dtype.type(bounds[-1]))
    return found.reshape(a.shape)


def _squared(a: Any, excess: Any) -> Any:
    """Scaled into the reach of degree 18, and squared back."""
    steps = np.ceil(np.log2(np.maximum(excess, 1))).astype(int)
    found = _taylor18(a * np.exp2(-steps).astype(excess.dtype)[:, None, None])
    for step in range(int(steps.max())):
        more = steps > step
        found[more] = _times(found[more], found[more])
    return found


def _times(a: Any, b: Any) -> Any:
    """``a @ b`` of batches with as many sums as PyTorch rounds."""
    if a.shape[-1] ** 3 >= _FEW:
        return np.matmul(a, b)
    return np.add.reduce(a[..., None] * b[..., None, :, :], axis=-2)


def _combined(matrices: list[Any], factors: Any) -> Any:
    kind = matrices[-1].dtype.type
    found = matrices[0] * kind(factors[0])
    for matrix, factor in zip(matrices[1:], factors[1:], strict=True):
        found = found + matrix * kind(factor)
    return found


def _identity(a: Any) -> Any:
    return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)


def _taylor1(a: Any) -> Any:
    return _identity(a) + a


def _taylor2(a: Any) -> Any:
    return _combined([_identity(a), a, _times(a, a)], (1, 1, 0.5))


def _taylor4(a: Any) -> Any:
    one, a2 = _identity(a), _times(a, a)
    a4 = _times(a2, _combined([one, a, a2], (1 / 2, 1 / 6, 1 / 24)))
    return _combined([one, a, a4], (1, 1, 1))


def _eighth(real: Any) -> tuple[float, ...]:
    """The coefficients x1..x7 and y2 of degree 8, each rounded to the dtype before the next."""
    root = float(real(math.sqrt(177)))
    x3 = float(real(2 / 3))
    return (
        x3 * ((1 + root) / 88),
        x3 * ((1 + root) / 352),
        x3,
        (-271 + 29 * root) / (315 * x3),
        11 * (-1 + root) / (1260 * x3),
        11 * (-9 + root) / (5040 * x3),
        (89 - root) / (5040 * x3),  # the paper divides by x3 once more; PyTorch does not
        (857 - 58 * root) / 630,
    )


def _taylor8(a: Any) -> Any:
    x1, x2, x3, x4, x5, x6, x7, y2 = _eighth(a.real.dtype.type)
    one, a2 = _identity(a), _times(a, a)
    a4 = _times(a2, _combined([a, a2], (x1, x2)))
    a8 = _times(_combined([a2, a4], (x3, 1)), _combined([one, a, a2, a4], (x4, x5, x6, x7)))
    return _combined([one, a, a2, a8], (1, 1, y2, 1))


_TWELFTH = (
    (9.0198e-16, 0.46932117595418237389, -0.20099424927047284052, -0.04623946134063071740),
    (5.31597895759871264183, 1.19926790417132231573, 0.01179296240992997031,
     0.01108844528519167989),
    (0.18188869982170434744, 0.05502798439925399070, 0.09351590770535414968,
     0.00610700528898058230),
    (-2.0861320e-13, -0.13181061013830184015, -0.02027855540589259079, -0.00675951846863086359),
)  # fmt: skip


def _taylor12(a: Any) -> Any:
    a2 = _times(a, a)
    powers = [_identity(a), a, a2, _times(a, a2)]
    first, second, third, fourth = (_combined(powers, row) for row in _TWELFTH)
    a6 = third + _times(fourth, fourth)
    return first + _times(second + a6, a6)


_EIGHTEENTH = (
    (0.0, -1.00365581030144618291e-01, -8.02924648241156932449e-03, -8.92138498045729985177e-04,
     0.0),
    (0.0, 3.97849749499645077844e-01, 1.36783778460411720168e00, 4.98289622525382669416e-01,
     -6.37898194594723280150e-04),
    (-1.09676396052962061844e01, 1.68015813878906206114e00, 5.71779846478865511061e-02,
     -6.98210122488052056106e-03, 3.34975017086070470649e-05),
    (-9.04316832390810593223e-02, -6.76404519071381882256e-02, 6.75961301770459654925e-02,
     2.95552570429315521194e-02, -1.39180257516060693404e-05),
    (0.0, 0.0, -9.23364619367118555360e-02, -1.69364939002081722752e-02,
     -1.40086798182036094347e-05),
)  # fmt: skip


def _taylor18(a: Any) -> Any:
    a2 = _times(a, a)
    a3 = _times(a, a2)
    powers = [_identity(a), a, a2, a3, _times(a3, a3)]
    first, second, third, fourth, fifth = (_combined(powers, row) for row in _EIGHTEENTH)
    a9 = _times(first, fifth) + fourth
    return second + _times(third + a9, a9)
