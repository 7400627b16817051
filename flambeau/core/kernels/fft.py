"""Discrete Fourier transforms of arrays: complex to complex, real to half a spectrum and back, by
generated code (fft_plans) or NumPy's pocketfft, which is the reference.

Results lie in memory as PyTorch's do: the batch, then what was transformed, each by the input's
strides. Stands on fft_plans and memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.fft_plans import along

__all__ = ["c2c", "c2r", "complex_of", "r2c", "real_of"]

COMPLEX = {np.dtype("f4"): np.dtype("c8"), np.dtype("f8"): np.dtype("c16")}
REAL = {c: r for r, c in COMPLEX.items()}


def complex_of(d: Any) -> Any:
    """The dtype of complex numbers of real ones."""
    return COMPLEX.get(d) or np.result_type(d, np.complex64)


def real_of(d: Any) -> Any:
    """The dtype of a complex dtype's parts."""
    return REAL.get(d) or np.dtype(f"f{d.itemsize // 2}")


def order(input: Any, dim: Any, keep_last: bool = False) -> tuple[list[int], list[int]]:
    """The order of dimensions in memory that PyTorch's transforms leave: the batch, then what was
    transformed, each by stride; and the permutation that leads back.
    """
    if input.ndim == 1:
        return [0], [0]
    steps = input.strides
    batch = sorted((k for k in range(input.ndim) if k not in dim), key=lambda k: -steps[k])
    head = sorted(dim[:-1] if keep_last else dim, key=lambda k: -steps[k])
    found = [*batch, *head, *dim[len(head) :]]
    back = [0] * len(found)
    for place, k in enumerate(found):
        back[k] = place
    return found, back


def _room(shape: Any, places: tuple[list[int], list[int]], dtype: Any) -> Any:
    """An array of a shape whose dimensions lie in memory in an order."""
    first, back = places
    if first == back and first == sorted(first):
        return memory.empty(shape, dtype)
    return memory.empty([shape[k] for k in first], dtype).transpose(back)


def _gathered(x: Any, places: tuple[list[int], list[int]]) -> Any:
    """A copy in that order."""
    first, back = places
    return np.ascontiguousarray(x.transpose(first)).transpose(back)


def _rest(x: Any, dim: Any, swapped: bool, scale: float) -> bool:
    """Transform along further axes, where the numbers lie; the last of them scales."""
    return all(
        along("c2c", x, x, k, x.shape[k], swapped, scale if k == dim[0] else 1.0)
        for k in reversed(dim)
    )


def c2c(x: Any, dim: tuple[int, ...], scale: float, forward: bool) -> Any:
    """The transform of complex numbers over `dim`."""
    if not dim:
        return x.copy()
    places = order(x, dim)
    if x.size and type(x) is np.ndarray:
        found = _room(x.shape, places, x.dtype)
        last = dim[-1]
        factor = scale if len(dim) == 1 else 1.0
        n = x.shape[last]
        done = along("c2c", x, found, last, n, not forward, factor)
        if not done:
            found[...] = x
            done = along("c2c", found, found, last, n, not forward, factor)
        if done and (len(dim) == 1 or _rest(found, dim[:-1], not forward, scale)):
            return found
    first, back = places
    y = x.transpose(first)
    axes = tuple(range(x.ndim - len(dim), x.ndim))
    if type(y) is np.ndarray:
        y = np.ascontiguousarray(y)
    y = np.fft.fftn(y, axes=axes) if forward else np.fft.ifftn(y, axes=axes, norm="forward")
    return _scaled(y, scale).transpose(back)


def _scaled(found: Any, scale: float) -> Any:
    return found if scale == 1 else np.multiply(found, found.real.dtype.type(scale), out=found)


def r2c(x: Any, dim: tuple[int, ...], scale: float, onesided: bool) -> Any:
    """The transform of real numbers; only the first half of the last of `dim` where `onesided`."""
    places = order(x, dim, onesided)
    last = dim[-1]
    n = x.shape[last]
    if x.size and type(x) is np.ndarray:
        known = n // 2 + 1
        shape = [*x.shape[:last], known if onesided else n, *x.shape[last + 1 :]]
        found = _room(shape, places, complex_of(x.dtype))
        half = found if onesided else _narrowed(found, last, 0, known)
        factor = scale if len(dim) == 1 else 1.0
        done = along("r2c", x, half, last, n, False, factor) or along(
            "r2c", _gathered(x, places), half, last, n, False, factor
        )
        if done and (len(dim) == 1 or _rest(half, dim[:-1], False, scale)):
            if known < n and not onesided:
                _complete(found, last, dim[:-1])
            return found
    first, back = places
    y = x.transpose(first)
    if type(y) is np.ndarray:
        y = np.ascontiguousarray(y)
    axes = tuple(range(x.ndim - len(dim), x.ndim))
    if not onesided:
        return _scaled(np.fft.fftn(y, axes=axes), scale).transpose(back)
    return _scaled(np.fft.rfftn(y, axes=axes), scale).transpose(back)


def _narrowed(x: Any, axis: int, start: int, stop: int) -> Any:
    return x[(*[slice(None)] * axis, slice(start, stop))]


def _complete(found: Any, last: int, others: tuple[int, ...]) -> None:
    """Fill in the second half of a real array's spectrum: the conjugate of what lies opposite."""
    n = found.shape[last]
    known = n // 2 + 1
    opposite = np.flip(_narrowed(found, last, 1, n - known + 1), last)
    for axis in others:
        opposite = np.roll(np.flip(opposite, axis), 1, axis)
    np.conjugate(opposite, out=_narrowed(found, last, known, n))


def c2r(x: Any, dim: tuple[int, ...], scale: float, size: int) -> Any:
    """The inverse transform of a half spectrum: real, of `size` in the last of `dim`."""
    if len(dim) > 1:
        x = c2c(x, dim[:-1], 1.0, False)
    last = dim[-1]
    places = order(x, (last,))
    if x.size and type(x) is np.ndarray and x.shape[last] >= size // 2 + 1:
        found = _room([*x.shape[:last], size, *x.shape[last + 1 :]], places, real_of(x.dtype))
        if along("c2r", x, found, last, size, True, scale) or along(
            "c2r", _gathered(x, places), found, last, size, True, scale
        ):
            return found
    first, back = places
    y = x.transpose(first)
    if type(y) is np.ndarray:
        y = np.ascontiguousarray(y)
    return _scaled(np.fft.irfft(y, size, axis=-1, norm="forward"), scale).transpose(back)
