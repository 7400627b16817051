"""torch.hann_window and its kin: the window functions at the top level. Those of
`torch.signal.windows` stand there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite
from flambeau.core.device import as_device
from flambeau.core.errors import fail
from flambeau.core.layout import strided
from flambeau.core.tensor import Tensor, wrap

__all__ = ["cosines"]


def _made(name: str, formula: Any, length: int, periodic: bool, options: dict[str, Any]) -> Tensor:
    """A window of `length` from `formula`, of places 0, 1, ... and the last place.

    Raises:
        RuntimeError: a negative length, a dtype that is not floating, a sparse layout.
    """
    kind = options.pop("dtype", None) or dtypes.default()
    layout = options.pop("layout", None)
    device = options.pop("device", None)
    grad = options.pop("requires_grad", False)
    options.pop("pin_memory", None)
    if options:
        raise fail(
            TypeError, name, f"{name}() got an unexpected keyword argument '{next(iter(options))}'"
        )
    if layout is not None and layout is not strided:
        raise fail(RuntimeError, name, f"{name} is not implemented for sparse types, got: {layout}")
    if not kind.is_floating_point:
        raise fail(RuntimeError, name, f"{name} expects floating point dtypes, got: {kind}")
    if length < 0:
        raise fail(
            RuntimeError,
            name,
            f"{name} requires non-negative window_length, got window_length={length}",
        )
    working = np.dtype("f4") if kind.itemsize == 2 else kind.numpy
    if length <= 1:
        values = np.ones(length, working)
    else:
        last = working.type(length if periodic else length - 1)
        values = np.asarray(formula(np.arange(length, dtype=working), last), working)
    found = wrap(values.astype(kind.numpy, copy=False))
    found = found.to(as_device(device, name))
    return found.requires_grad_() if grad else found


def cosines(places: Any, last: Any, alpha: float, beta: float) -> Any:
    """``alpha - beta cos(2 pi place / last)``."""
    kind = places.dtype.type
    return np.cos(places * kind(2 * np.pi / float(last))) * kind(-beta) + kind(alpha)


def _triangle(places: Any, last: Any) -> Any:
    kind = places.dtype.type
    rising = places * kind(2 / float(last))
    return np.where(places <= last / 2, rising, kind(2) - rising)


def _three_cosines(places: Any, last: Any) -> Any:
    kind = places.dtype.type
    angle = places * kind(np.pi / float(last))
    wide = np.cos(angle * kind(4)) * kind(0.08)
    return wide - np.cos(angle * kind(2)) * kind(0.5) + kind(0.42)


@composite()
def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``(1 - cos(2 pi n / N)) / 2``; N is the length, less one where not `periodic`."""
    return _made(
        "hann_window", lambda n, last: cosines(n, last, 0.5, 0.5), window_length, periodic, options
    )


@composite()
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    **options: Any,
) -> Tensor:
    """``alpha - beta cos(2 pi n / N)``; N is the length, less one where not `periodic`."""
    return _made(
        "hamming_window",
        lambda n, last: cosines(n, last, alpha, beta),
        window_length,
        periodic,
        options,
    )


@composite()
def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``; N is the length, less one where not
    `periodic`.
    """
    return _made(
        "blackman_window",
        _three_cosines,
        window_length,
        periodic,
        options,
    )


@composite()
def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle: ``1 - abs(2 n / N - 1)``; N is the length, less one where not `periodic`."""
    return _made(
        "bartlett_window",
        _triangle,
        window_length,
        periodic,
        options,
    )


@composite()
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any
) -> Tensor:
    """``I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)``; N is the length, less one where not
    `periodic`.
    """

    def formula(n: Any, last: Any) -> Any:
        wide = n.astype("f8") * 2 / float(last) - 1
        return np.i0(beta * np.sqrt(np.maximum(1 - wide * wide, 0))) / np.i0(beta)

    return _made("kaiser_window", formula, window_length, periodic, options)
