"""Laws of one uniform each: uniform, bernoulli, exponential, geometric, cauchy.

Every law takes a ``Stream`` and a shape (or an array to fill in place) and consumes the stream
exactly as PyTorch's CPU kernels do: one 32-bit word per element for float32 and the half types,
two for the rest.
"""

import math
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.random.exact import fma
from flambeau.core.random.order import filled, in_order, is_complex, parts
from flambeau.core.random.stream import Stream

__all__ = [
    "bernoulli",
    "bernoulli_each",
    "cauchy",
    "chosen",
    "exponential",
    "geometric",
    "mask",
    "uniform",
    "uniform_",
]

Shape = tuple[int, ...]

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_CHOSEN = {_FLOAT32: "chosen_float", _FLOAT64: "chosen_double"}


def uniform(
    stream: Stream, shape: Shape, dtype: np.dtype, low: float = 0.0, high: float = 1.0
) -> np.ndarray:
    """Uniforms in [low, high), in a new array of a floating or complex dtype."""
    return uniform_(stream, memory.empty(shape, dtype), low, high)


def uniform_(stream: Stream, out: np.ndarray, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Fills ``out`` with uniforms in [low, high).

    float64 takes 53 bits, everything else 24: the half types draw in float32 and round, and what
    rounds up to ``high`` becomes ``low``. Complex arrays hold independent uniform parts.
    """
    if is_complex(out.dtype):
        uniform_(stream, parts(out), low, high)
        return out
    with stream.lock:
        if out.flags.c_contiguous and out.dtype in (_FLOAT32, _FLOAT64):
            kind = out.dtype.type
            span = kind(high) - kind(low)
            law = "floats" if out.dtype == _FLOAT32 else "doubles"
            if stream.draw(law, out, float(span), float(kind(low))):
                return out
            if law == "floats" and low == 0 and high == 1:
                stream.floats(out.size, out.reshape(-1))
                return out
        return filled(out, lambda shape: _uniforms(stream, shape, out.dtype, low, high))


def _uniforms(stream: Stream, shape: Shape, dtype: np.dtype, low: float, high: float) -> np.ndarray:
    n = _size(shape)
    if dtype == _FLOAT64:
        drawn = stream.doubles(n)
        kind: type = np.float64
    else:
        drawn = stream.floats(n)
        kind = np.float32
    low, high = kind(low), kind(high)
    if low != 0 or high != 1:
        drawn = fma(drawn, high - low, low)
    drawn = drawn.astype(dtype, copy=False)
    if dtype.itemsize == 2:
        drawn[drawn == dtype.type(high)] = dtype.type(low)
    return drawn.reshape(shape)


def mask(stream: Stream, shape: Shape, p: float) -> np.ndarray:
    """A bool array, True with probability ``p``: a float64 uniform below ``p`` (dropout's mask)."""
    with stream.lock:
        return stream.below(_size(shape), p).reshape(shape)


def bernoulli(stream: Stream, out: np.ndarray, p: float) -> np.ndarray:
    """Fills ``out`` with ones of probability ``p`` and zeros."""
    return chosen(stream, out, p, 1)


def chosen(stream: Stream, out: np.ndarray, p: float, value: Any) -> np.ndarray:
    """Fills ``out`` with ``value`` with probability ``p``, else zeros: dropout's noise."""
    law = _CHOSEN.get(out.dtype)
    if law is not None and out.flags.c_contiguous:
        with stream.lock:
            if stream.draw(law, out, math.ceil(p * 2.0**53), float(value)):
                return out
    filled(out, lambda shape: mask(stream, shape, p))
    if value != 1:
        out *= value
    return out


def bernoulli_each(stream: Stream, out: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Fills ``out`` with ones of probability ``p[i]`` and zeros; ``p`` broadcasts to ``out``.

    float64 probabilities are compared with float64 uniforms, all others with float32 uniforms.
    """
    if not out.size:  # of any dtype
        return out
    target, chances = in_order(out, p)
    with stream.lock:
        if p.dtype == _FLOAT64:
            drawn = stream.doubles(out.size)
        else:
            drawn = stream.floats(out.size)
            chances = chances.astype(np.float32, copy=False)
    target[...] = drawn.reshape(target.shape) < chances
    return out


def exponential(stream: Stream, out: np.ndarray, rate: float) -> np.ndarray:
    """Fills ``out`` with exponentials of rate ``rate``: ``-log1p(-u) / rate``."""

    def law(shape: Shape) -> np.ndarray:
        drawn = stream.doubles(_size(shape))
        np.negative(drawn, out=drawn)
        np.log1p(drawn, out=drawn)
        drawn *= -1.0 / rate
        return drawn.reshape(shape)

    with stream.lock:
        return filled(out, law)


def geometric(stream: Stream, out: np.ndarray, p: float) -> np.ndarray:
    """Fills ``out`` with trials up to the first success: ``ceil(log(u) / log1p(-p))``."""

    def law(shape: Shape) -> np.ndarray:
        drawn = stream.doubles(_size(shape))
        np.log(drawn, out=drawn)
        drawn /= np.log1p(-p)
        np.ceil(drawn, out=drawn)
        return drawn.reshape(shape)

    with stream.lock:
        return filled(out, law)


def cauchy(stream: Stream, out: np.ndarray, median: float, sigma: float) -> np.ndarray:
    """Fills ``out`` with Cauchy numbers: ``median + sigma * tan(pi * (u - 1/2))``."""

    def law(shape: Shape) -> np.ndarray:
        drawn = stream.doubles(_size(shape))
        drawn -= 0.5
        drawn *= np.pi
        np.tan(drawn, out=drawn)
        return fma(drawn, sigma, median).reshape(shape)

    with stream.lock:
        return filled(out, law)


def _size(shape: Shape) -> int:
    n = 1
    for size in shape:
        n *= size
    return n
