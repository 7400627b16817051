"""Convolutions of complex arrays by three of real ones (Gauss), as PyTorch makes them.

``(a + ib)(c + id)`` takes the products ``ac``, ``bd`` and ``(a + b)(c + d)``. Any real convolution,
transposed or not, and its gradients come in as functions. Stands on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["by_three", "gradient_by_three"]


def by_three(convolve: Callable[[Any, Any, Any], Any], input: Any, weight: Any, bias: Any) -> Any:
    """``convolve(input, weight, bias)``."""
    a, b = _parts(input)
    c, d = _parts(weight)
    low, both = (None, None) if bias is None else (bias.real, bias.real + bias.imag)
    first, second = convolve(a, c, low), convolve(b, d, None)
    whole = convolve(a + b, c + d, both)
    return _joined(first - second, whole - first - second, input.dtype)


def gradient_by_three(adjoint: Callable[[Any, Any], Any], grad: Any, factor: Any) -> Any:
    """``adjoint(grad, factor)``, bilinear, by the sums that `by_three` has for a gradient."""
    p, q = _parts(grad)
    c, d = _parts(factor)
    shared = adjoint(q, c + d)
    return _joined(adjoint(p + q, c) - shared, adjoint(p - q, d) + shared, grad.dtype)


def _parts(array: Any) -> tuple[Any, Any]:
    """Real and imaginary part, in memory of their own and the array's order."""
    return array.real.copy("K"), array.imag.copy("K")


def _joined(real: Any, imag: Any, dtype: Any) -> Any:
    found = np.empty_like(real, dtype)
    found.real, found.imag = real, imag
    return found
