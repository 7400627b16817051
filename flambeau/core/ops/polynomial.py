"""Orthogonal polynomials ``p_n(x)``; x and the degree n are tensors or numbers. Without gradients,
as in PyTorch.

Stands on kernels.special_polynomial.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.declare import elementwise
from flambeau.core.dtypes import REAL_FLOAT
from flambeau.core.kernels import special_polynomial as kernels
from flambeau.core.kernels.native import polynomials
from flambeau.core.kernels.native.choose import offer
from flambeau.core.kernels.special import no_half

__all__: list[str] = []

offer(polynomials.POLYNOMIALS)

POLYNOMIALS = {
    "chebyshev_polynomial_t": (kernels.chebyshev_t, "The Chebyshev polynomial of the first kind."),
    "chebyshev_polynomial_u": (kernels.chebyshev_u, "The Chebyshev polynomial of the second kind."),
    "chebyshev_polynomial_v": (kernels.chebyshev_v, "The Chebyshev polynomial of the third kind."),
    "chebyshev_polynomial_w": (kernels.chebyshev_w, "The Chebyshev polynomial of the fourth kind."),
    "shifted_chebyshev_polynomial_t": (
        kernels.shifted(kernels.chebyshev_t),
        "The first kind, at 2 x - 1.",
    ),
    "shifted_chebyshev_polynomial_u": (
        kernels.shifted(kernels.chebyshev_u),
        "The second kind, at 2 x - 1.",
    ),
    "shifted_chebyshev_polynomial_v": (
        kernels.shifted(kernels.chebyshev_v),
        "The third kind, at 2 x - 1.",
    ),
    "shifted_chebyshev_polynomial_w": (
        kernels.shifted(kernels.chebyshev_w),
        "The fourth kind, at 2 x - 1.",
    ),
    "hermite_polynomial_h": (kernels.hermite_h, "The physicists' Hermite polynomial."),
    "hermite_polynomial_he": (kernels.hermite_he, "The probabilists' Hermite polynomial."),
    "laguerre_polynomial_l": (kernels.laguerre_l, "The Laguerre polynomial."),
    "legendre_polynomial_p": (kernels.legendre_p, "The Legendre polynomial."),
}
"""Public name -> (kernel, meaning)."""


def _declare(name: str, kernel: Any, meaning: str) -> None:
    def body(input, n):
        return kernel(input, n)

    body.__doc__ = meaning + " `n` is cut to a whole number; 0 where it is negative."
    elementwise(
        types=REAL_FLOAT,
        kernel=no_half(name, kernel),
        name=f"special_{name}",
        function=False,
        method=False,
        inplace=False,
        spelled=("x", "n"),
    )(body)


for _name, (_kernel, _meaning) in POLYNOMIALS.items():
    _declare(_name, _kernel, _meaning)
