"""Native orthogonal polynomials: PyTorch's digits where a recurrence makes them, near its others."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import choose
from flambeau.core.kernels.native.polynomials import POLYNOMIALS
from flambeau.core.ops import polynomial

NAMES = sorted(polynomial.POLYNOMIALS)
DEGREES = [0, 1, 2, 3, 5, 6, -1, 2.7, float("nan"), -float("inf"), float("inf")]
HIGH = [7, 9, 10, 30, 101]
POINTS = [k / 9 for k in range(-12, 13)] + [0.5, -0.5, 1e-30, 1e8, float("inf"), -float("inf")]


def both(oracle, name, kind, degrees, points):
    x, n = zip(*[(x, n) for x in points for n in degrees], strict=True)
    return (
        np.array(getattr(t.special, name)(
            t.tensor(x, dtype=getattr(t, kind)), t.tensor(n, dtype=getattr(t, kind))
        ).tolist())
        for t in (torch, oracle)
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_recurrences_digit_for_digit(name, kind, oracle):
    if not build.available() and kind == "float64":
        pytest.skip("NumPy rounds the products of doubles")
    degrees = DEGREES if "cheb" in name else DEGREES + HIGH
    got, want = both(oracle, name, kind, degrees, POINTS)
    if name == "shifted_chebyshev_polynomial_w":  # its first degree is summed in another order
        tolerance = 200 * np.finfo(kind).eps
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in NAMES if "cheb" in name])
def test_high_degrees_by_angles(name, kind, oracle):
    got, want = both(oracle, name, kind, HIGH, [k / 40 for k in range(-39, 40)])
    tolerance = 5e-4 if kind == "float32" else 1e-11  # an angle's last digit, times the degree
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.skipif(not build.available(), reason="there is only the NumPy form")
@pytest.mark.parametrize("name", sorted(POLYNOMIALS))
def test_the_numpy_form(name):
    def never(*arrays):
        raise AssertionError("these operands are the function's own")

    x = np.linspace(-1.2, 1.2, 400)
    kernel = polynomial.POLYNOMIALS[name.removeprefix("special_")][0]
    function = choose.native(name, never, POLYNOMIALS[name])
    for n in (0.0, 1.0, 4.0, 12.0):
        want = kernel(x, np.float64(n))
        np.testing.assert_allclose(function(x, n), want, rtol=1e-11, atol=1e-11 * abs(want).max())
