"""Integer laws: ``random_`` over a dtype's whole range, over a given range, and permutations."""

import numpy as np

from flambeau.core.kernels.generate.shuffle import exchanged
from flambeau.core.random.order import filled
from flambeau.core.random.stream import Stream

__all__ = ["WIDE", "integers", "integers_", "permutation", "whole_range_"]

WIDE = 1 << 28  # from this range on, 64-bit words: a modulus over 32 bits would be visibly skewed
_DIGITS = {"e": 11, "f": 24, "d": 53}

Shape = tuple[int, ...]


def integers(stream: Stream, shape: Shape, dtype: np.dtype, low: int, high: int) -> np.ndarray:
    """Integers in [low, high), in a new array of ``dtype``."""
    return integers_(stream, np.empty(shape, dtype), low, high)


def integers_(stream: Stream, out: np.ndarray, low: int, high: int) -> np.ndarray:
    """Fills ``out`` with integers in [low, high): a word modulo the range, plus ``low``.

    A range of 2^64 is the whole 64-bit word.
    """
    span = high - low
    if span < WIDE and out.dtype == np.int64 and out.flags.c_contiguous and abs(low) < 1 << 62:
        with stream.lock:
            if stream.draw("integers", out, span, low):
                return out

    def law(shape: Shape) -> np.ndarray:
        if span < WIDE:
            drawn = stream.words(out.size)
            drawn %= np.uint32(span)
            values = drawn.astype(np.int64)
        else:
            wide = stream.words64(out.size)
            if span < 1 << 64:
                wide %= np.uint64(span)
            values = wide.view(np.int64)
        values += np.int64(low) if low < 1 << 63 else np.uint64(low).view(np.int64)
        if out.dtype == np.uint64:
            values = values.view(np.uint64)
        return values.reshape(shape)

    with stream.lock:
        return filled(out, law)


def whole_range_(stream: Stream, out: np.ndarray) -> np.ndarray:
    """Fills ``out`` with integers in [0, largest of the dtype]; floats go up to 2^digits inclusive.

    int64 and float64 take 64-bit words, all others 32-bit words.
    """
    dtype = out.dtype

    def law(shape: Shape) -> np.ndarray:
        if dtype == np.int64 or dtype == np.float64:
            wide = stream.words64(out.size)
            if dtype == np.int64:
                wide &= np.uint64((1 << 63) - 1)
            else:
                wide %= np.uint64((1 << 53) + 1)
            return wide.view(np.int64).reshape(shape)
        drawn = stream.words(out.size)
        if dtype == np.bool_:
            drawn &= np.uint32(1)
        elif dtype.kind in "iu":
            drawn &= np.uint32(np.iinfo(dtype).max)
        else:
            drawn %= np.uint32((1 << _DIGITS.get(dtype.char, 8)) + 1)
        return drawn.reshape(shape)

    with stream.lock:
        return filled(out, law)


def permutation(stream: Stream, n: int, dtype: np.dtype) -> np.ndarray:
    """A random permutation of 0..n-1: Fisher-Yates from the front, with ``word % (n - i)``.

    Reference: D. E. Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2P.
    """
    if n < 2:
        return np.arange(n).astype(dtype)
    with stream.lock:
        if n < 1 << 32:
            found = np.arange(n)
            if stream.draw("permuted", found[:-1], n):
                return found.astype(dtype, copy=False)
        words = stream.words(n - 1)
    return exchanged(n, words).astype(dtype, copy=False)  # type: ignore[no-any-return]
