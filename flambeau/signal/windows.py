"""`torch.signal.windows`: weights that fade a stretch of samples in and out.

Every window takes its length M, `sym` (symmetric, or one period of length M) and factory options.
Stands on the operations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.layout import strided
from flambeau.core.tensor import Tensor, wrap

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _window(
    name: str,
    M: int,
    formula: Any,
    dtype: Any,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The window of length M whose values are ``formula(places)``.

    Raises:
        ValueError: a negative length, a sparse layout, a dtype but float32 and float64.
    """
    kind = dtypes.default() if dtype is None else dtype
    if M < 0:
        raise fail(ValueError, name, f"{name} requires non-negative window length, got M={M}")
    if layout is not strided:
        raise fail(
            ValueError, name, f"{name} is implemented for strided tensors only, got: {layout}"
        )
    if kind not in (dtypes.float32, dtypes.float64):
        raise fail(ValueError, name, f"{name} expects float32 or float64 dtypes, got: {kind}")
    places = np.arange(M, dtype="f8")
    found = wrap(np.asarray(formula(places) if M else places, kind.numpy))
    if device is not None:
        found = found.to(device)
    return found.requires_grad_() if requires_grad else found


def _last(M: int, sym: bool) -> float:
    """The place of the last sample, from 0."""
    return float(max(M - 1 if sym else M, 1))


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    **options: Any,
) -> Tensor:
    """``exp(-abs(n - center) / tau)``.

    Args:
        center: the middle by default; only for windows that are not symmetric.
        tau: the decay, above 0.
    """
    if tau <= 0:
        raise fail(ValueError, "exponential", f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise fail(ValueError, "exponential", "Center must be None for symmetric windows")
    middle = (M if not sym and M > 1 else M - 1) / 2.0 if center is None else center
    return _window("exponential", M, lambda n: np.exp(-np.abs(n - middle) / tau), dtype, **options)


def cosine(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """``sin(pi (n + 1/2) / M)``."""
    length = M + 1 if not sym and M > 1 else M
    return _window("cosine", M, lambda n: np.sin((n + 0.5) * (math.pi / length)), dtype, **options)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, **options: Any
) -> Tensor:
    """``exp(-((n - middle) / std)^2 / 2)``; `std` above 0."""
    if std <= 0:
        raise fail(
            ValueError, "gaussian", f"Standard deviation must be positive, got: {std} instead."
        )
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    return _window(
        "gaussian", M, lambda n: np.exp(-(((n - middle) / std) ** 2) / 2), dtype, **options
    )


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, **options: Any
) -> Tensor:
    """``I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)``; `beta` not below 0."""
    if beta < 0:
        raise fail(ValueError, "kaiser", f"beta must be non-negative, got: {beta} instead.")

    def formula(n: Any) -> Any:
        if M == 1:
            return np.ones(1)
        x = 2 * n / _last(M, sym) - 1
        return np.i0(beta * np.sqrt(np.maximum(1 - x * x, 0))) / np.i0(beta)

    return _window("kaiser", M, formula, dtype, **options)


def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, dtype: Any = None, **options: Any
) -> Tensor:
    """``sum of (-1)^k a[k] cos(2 pi k n / N)``."""
    if not isinstance(a, Iterable):
        raise fail(TypeError, "general_cosine", "Coefficients must be a list/tuple")
    weights = list(a)
    if not weights:
        raise fail(ValueError, "general_cosine", "Coefficients cannot be empty")

    def formula(n: Any) -> Any:
        if M == 1:
            return np.ones(1)
        angle = n * (2 * math.pi / _last(M, sym))
        return sum((-1) ** k * weight * np.cos(k * angle) for k, weight in enumerate(weights))

    return _window("general_cosine", M, formula, dtype, **options)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, **options: Any
) -> Tensor:
    """``alpha - (1 - alpha) cos(2 pi n / N)``."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, **options)


def hamming(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """``0.54 - 0.46 cos(2 pi n / N)``."""
    return general_hamming(M, sym=sym, dtype=dtype, **options)


def hann(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """``(1 - cos(2 pi n / N)) / 2``."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, **options)


def blackman(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, **options)


def bartlett(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """A triangle: ``1 - abs(2 n / N - 1)``."""
    return _window(
        "bartlett",
        M,
        lambda n: np.ones(1) if M == 1 else 1 - np.abs(2 * n / _last(M, sym) - 1),
        dtype,
        **options,
    )


def nuttall(M: int, *, sym: bool = True, dtype: Any = None, **options: Any) -> Tensor:
    """Four cosines, with a continuous first derivative.

    Reference: A. Nuttall, Some windows with very good sidelobe behavior, 1981.
    """
    return general_cosine(
        M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, **options
    )
