"""Normal and log-normal laws.

Two ways, as in PyTorch: fewer than 16 elements, or an array that is not C-contiguous, are pairs of
float64 Box-Muller numbers whose second half waits in the stream for the next draw; 16 and more
contiguous elements are Box-Muller in blocks of 16 in the array's own precision.
"""

import math

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.random.exact import fma
from flambeau.core.random.order import filled, is_complex, parts
from flambeau.core.random.stream import Stream

__all__ = ["log_normal", "normal", "normal_", "normals"]

_BLOCK = 16
_SERIAL = 64  # up to here libm through `math` is faster than NumPy, and exact to the bit
_CHUNK = 32768
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

Shape = tuple[int, ...]


def normal(
    stream: Stream, shape: Shape, dtype: np.dtype, mean: float = 0.0, std: float = 1.0
) -> np.ndarray:
    """Normals of ``mean`` and ``std``, in a new array of a floating or complex dtype."""
    return normal_(stream, memory.empty(shape, dtype), mean, std)


def normal_(stream: Stream, out: np.ndarray, mean: float = 0.0, std: float = 1.0) -> np.ndarray:
    """Fills ``out`` with normals of ``mean`` and ``std``.

    A complex array gets parts of standard deviation ``std / sqrt(2)`` and, as in PyTorch, of mean
    ``mean`` both of them.
    """
    if is_complex(out.dtype):
        normal_(stream, parts(out), mean, std * math.sqrt(0.5))
        return out
    with stream.lock:
        if out.size < _BLOCK or not out.flags.c_contiguous:
            return filled(
                out, lambda shape: fma(normals(stream, out.size), std, mean).reshape(shape)
            )
        if out.dtype == _FLOAT32 and stream.draw("normals", _whole(out), float(std), float(mean)):
            if out.size % _BLOCK:
                stream.words(out.size % _BLOCK)
                last = _box_muller(stream.floats(_BLOCK), mean, std)
                out.reshape(-1)[-_BLOCK:] = last
            return out
        out[...] = _blocks(stream, out.size, out.dtype, mean, std).reshape(out.shape)
        return out


def _whole(out: np.ndarray) -> np.ndarray:
    """A contiguous array up to its last whole block."""
    return out.reshape(-1)[: out.size // _BLOCK * _BLOCK]


def log_normal(stream: Stream, out: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Fills ``out`` with ``exp`` of normals of ``mean`` and ``std`` (always the float64 pairs)."""
    with stream.lock:
        return filled(
            out, lambda shape: np.exp(fma(normals(stream, out.size), std, mean)).reshape(shape)
        )


def normals(stream: Stream, n: int) -> np.ndarray:
    """``n`` standard normals in float64 from Box-Muller pairs; an odd one waits in the stream.

    A pair takes two float64 uniforms u1, u2: ``sqrt(-2 log1p(-u2))`` times ``cos`` and ``sin`` of
    ``2 pi u1``.
    """
    out = np.empty(n)
    start = 0
    if n and stream.normal_spare is not None:
        out[0] = stream.normal_spare
        stream.normal_spare = None
        start = 1
    pairs = (n - start + 1) // 2
    if pairs == 0:
        return out
    drawn = stream.doubles(2 * pairs)
    if pairs <= _SERIAL:
        both = np.array([z for i in range(0, 2 * pairs, 2) for z in _pair(drawn[i], drawn[i + 1])])
    else:
        radius = np.sqrt(-2.0 * np.log1p(-drawn[1::2]))
        angle = 2.0 * math.pi * drawn[0::2]
        both = np.empty(2 * pairs)
        np.multiply(radius, np.cos(angle), out=both[0::2])
        np.multiply(radius, np.sin(angle), out=both[1::2])
    out[start:] = both[: n - start]
    if (n - start) % 2:
        stream.normal_spare = _pair(drawn[-2], drawn[-1])[1]
    return out


def _pair(u1: float, u2: float) -> tuple[float, float]:
    radius = math.sqrt(-2.0 * math.log1p(-u2))
    angle = 2.0 * math.pi * u1
    return radius * math.cos(angle), radius * math.sin(angle)


def _blocks(stream: Stream, n: int, dtype: np.dtype, mean: float, std: float) -> np.ndarray:
    """``n >= 16`` normals in blocks of 16; a tail makes the last 16 elements be drawn again.

    float32 and float64 draw the tail's uniforms first and the last 16 once more; the half types
    draw whole blocks only, in float32.
    """
    double = dtype == _FLOAT64
    draw = stream.doubles if double else stream.floats
    whole = n // _BLOCK * _BLOCK
    out = np.empty(n, np.float64 if double else np.float32)
    for start in range(0, whole, _CHUNK):
        part = out[start : min(start + _CHUNK, whole)]
        part[...] = _box_muller(draw(part.size), mean, std)
    if whole < n:
        if dtype.itemsize != 2:
            draw(n - whole)
        out[n - _BLOCK :] = _box_muller(draw(_BLOCK), mean, std)
    return out


def _box_muller(uniforms: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Blocks of 16 uniforms to normals: the first eight give radii, the second eight angles."""
    kind = uniforms.dtype.type
    halves = uniforms.reshape(-1, 2, _BLOCK // 2)
    radius = np.log(1 - halves[:, 0])
    radius *= kind(-2)
    np.sqrt(radius, out=radius)
    angle = halves[:, 1] * kind(2 * math.pi)
    out = np.empty_like(halves)
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle), out=out[:, 1])
    flat = out.reshape(-1)
    if std != 1 or mean != 0:
        flat = fma(flat, kind(std), kind(mean))
    return flat
