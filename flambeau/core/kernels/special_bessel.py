"""Bessel, modified Bessel and Airy functions in float64.

Near 0 a polynomial in x^2 (and a logarithm, for the second kinds), far away Hankel's form with
polynomials for its two
slow parts. Stands on special and special_tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import special_tables as table
from flambeau.core.kernels.special import double, horner, piecewise

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0", "i0e", "i1", "i1e", "k0",
    "k0e", "k1", "k1e", "spherical_j0",
]  # fmt: skip

Array = Any
PI_4 = 0.7853981633974483
TWO_OVER_PI = 0.6366197723675814


def _scaled_i0(x: Array) -> Array:
    """exp(-x) I0(x) for x >= 0."""
    return piecewise(
        x,
        (x <= 8, lambda x: horner(table.I0_NEAR, x / 4 - 1)),
        (x > 8, lambda x: horner(table.I0_FAR, 16 / x - 1) / np.sqrt(x)),
    )


def _scaled_i1(x: Array) -> Array:
    """exp(-x) I1(x) for x >= 0."""
    return piecewise(
        x,
        (x <= 8, lambda x: x * horner(table.I1_NEAR, x / 4 - 1)),
        (x > 8, lambda x: horner(table.I1_FAR, 16 / x - 1) / np.sqrt(x)),
    )


def _i0(x: Array) -> Array:
    size = np.abs(x)
    return np.exp(size) * _scaled_i0(size)


def _i1(x: Array) -> Array:
    size = np.abs(x)
    return _signed(np.exp(size) * _scaled_i1(size), x)


def _signed(size: Array, x: Array) -> Array:
    """The odd function's value; +0 at -0, as PyTorch has it."""
    return np.where(x < 0, -size, size)


def _k0_near(x: Array) -> Array:
    return horner(table.K0_NEAR, x * x / 2 - 1) - np.log(x / 2) * _i0(x)


def _k1_near(x: Array) -> Array:
    return horner(table.K1_NEAR, x * x / 2 - 1) / x + np.log(x / 2) * _i1(x)


def _scaled_k(x: Array, near: Any, far: tuple[float, ...]) -> Array:
    return piecewise(
        x,
        (x == 0, lambda x: np.full_like(x, np.inf)),
        ((x > 0) & (x <= 2), lambda x: np.exp(x) * near(x)),
        (x > 2, lambda x: horner(far, 4 / x - 1) / np.sqrt(x)),
    )


def _k0e(x: Array) -> Array:
    return _scaled_k(x, _k0_near, table.K0_FAR)


def _k1e(x: Array) -> Array:
    return _scaled_k(x, _k1_near, table.K1_FAR)


def _typed(function: Any) -> Any:
    """`double` for a function that is told the input's type too: it rounds angles to it, as
    PyTorch does."""

    def kernel(x: Array) -> Array:
        kind = np.float32 if x.dtype == np.float32 else np.float64
        return double(lambda part: function(part, kind))(x)

    return kernel


def _hankel(x: Array, order: int, kind: Any) -> tuple[Array, Array, Array, Array]:
    """The scale, P, Q and angle of J = scale (P cos - Q sin), Y = scale (P sin + Q cos)."""
    p, q = (table.P0, table.Q0) if order == 0 else (table.P1, table.Q1)
    t = 128 / (x * x) - 1
    angle = (x.astype(kind) - kind(PI_4 * (1 + 2 * order))).astype(np.float64)
    return np.sqrt(TWO_OVER_PI / x), horner(p, t), horner(q, t) / x, angle


def _j_far(x: Array, order: int, kind: Any) -> Array:
    scale, p, q, angle = _hankel(x, order, kind)
    return np.where(np.isinf(x), np.nan, scale * (p * np.cos(angle) - q * np.sin(angle)))


def _y_far(x: Array, order: int, kind: Any) -> Array:
    scale, p, q, angle = _hankel(x, order, kind)
    return np.where(np.isinf(x), np.nan, scale * (p * np.sin(angle) + q * np.cos(angle)))


def _j0(x: Array, kind: Any = np.float64) -> Array:
    x = np.abs(x)
    return piecewise(
        x,
        (x <= 8, lambda x: horner(table.J0_NEAR, x * x / 32 - 1)),
        (x > 8, lambda x: _j_far(x, 0, kind)),
    )


def _j1(x: Array, kind: Any = np.float64) -> Array:
    size = np.abs(x)
    return piecewise(
        x,
        (size <= 8, lambda x: x * horner(table.J1_NEAR, x * x / 32 - 1)),
        (size > 8, lambda x: np.copysign(1.0, x) * _j_far(np.abs(x), 1, kind)),
    )


def _y0(x: Array, kind: Any = np.float64) -> Array:
    return piecewise(
        x,
        (x == 0, lambda x: np.full_like(x, -np.inf)),
        (
            (x > 0) & (x <= 8),
            lambda x: horner(table.Y0_NEAR, x * x / 32 - 1) + TWO_OVER_PI * np.log(x) * _j0(x),
        ),
        (x > 8, lambda x: _y_far(x, 0, kind)),
    )


def _y1(x: Array, kind: Any = np.float64) -> Array:
    return piecewise(
        x,
        (x == 0, lambda x: np.full_like(x, -np.inf)),
        (
            (x > 0) & (x <= 8),
            lambda x: (
                x * horner(table.Y1_NEAR, x * x / 32 - 1)
                + TWO_OVER_PI * (np.log(x) * _j1(x) - 1 / x)
            ),
        ),
        (x > 8, lambda x: _y_far(x, 1, kind)),
    )


EDGE = 2 / 3 * 2**1.5
FAR = 2 / 3 * 6**1.5
NOTHING = 108
"""From here on Airy's function is 0."""


def _airy_decaying(x: Array) -> Array:
    zeta = 2 / 3 * x * np.sqrt(x)
    return (
        horner(table.AIRY_DECAY, 2 * EDGE / zeta - 1)
        * np.exp(-zeta)
        * 0.28209479177387814
        / np.sqrt(np.sqrt(x))
    )


def _airy_waving(x: Array, kind: Any) -> Array:
    size = -x
    given = size.astype(kind)
    zeta = given * kind(2) * np.sqrt(given) / kind(3)
    angle = (zeta + kind(PI_4)).astype(np.float64)
    zeta = zeta.astype(np.float64)
    t = 2 * (FAR / zeta) ** 2 - 1
    wave = horner(table.AIRY_P, t) * np.sin(angle) - horner(table.AIRY_Q, t) / zeta * np.cos(angle)
    return wave * 0.5641895835477563 / np.sqrt(np.sqrt(size))


def _airy_ai(x: Array, kind: Any) -> Array:
    return piecewise(
        x,
        ((x >= -6) & (x <= 2), lambda x: horner(table.AIRY_NEAR, (x + 2) / 4)),
        ((x > 2) & (x < NOTHING), _airy_decaying),
        ((x >= NOTHING) & (x < np.inf), lambda x: np.zeros_like(x)),
        ((x < -6) & (x > -np.inf), lambda x: _airy_waving(x, kind)),
    )


def _spherical_j0(x: Array) -> Array:
    found = np.where(np.abs(x) < 1e-4, 1 - x * x / 6, np.sin(x) / x)
    return np.where(np.isinf(x), 0.0, found)


airy_ai = _typed(_airy_ai)
bessel_j0 = _typed(_j0)
bessel_j1 = _typed(_j1)
bessel_y0 = _typed(_y0)
bessel_y1 = _typed(_y1)
i0 = double(_i0)
i0e = double(lambda x: _scaled_i0(np.abs(x)))
i1 = double(_i1)
i1e = double(lambda x: _signed(_scaled_i1(np.abs(x)), x))
k0 = double(lambda x: _k0e(x) * np.exp(-x))
k0e = double(_k0e)
k1 = double(lambda x: _k1e(x) * np.exp(-x))
k1e = double(_k1e)
spherical_j0 = double(_spherical_j0)
