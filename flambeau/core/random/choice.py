"""Drawing categories by weight: multinomial, with and without replacement."""

import numpy as np

from flambeau.core.random.stream import Stream
from flambeau.core.random.uniform import exponential

__all__ = ["multinomial"]


def multinomial(stream: Stream, weights: np.ndarray, n: int, replacement: bool) -> np.ndarray:
    """``n`` category numbers (int64) per row of ``weights``, which need not sum to one.

    One sample, or samples without replacement, are the largest of ``weight / exponential``: the
    order of these quotients is the order of a draw without replacement. With replacement a float64
    uniform looks its place up in the row's cumulative sum.

    Args:
        weights: (C,) or (N, C), finite, not negative, with a positive sum.

    Reference: P. S. Efraimidis, P. G. Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    rows = weights.reshape(-1, weights.shape[-1])
    if not replacement or n == 1:
        drawn = _largest(exponential_race(stream, weights).reshape(rows.shape), n)
    else:
        drawn = _with_replacement(stream, rows, n)
    return drawn.reshape(*weights.shape[:-1], n)


def exponential_race(stream: Stream, weights: np.ndarray) -> np.ndarray:
    """``weight / e`` with ``e`` exponential: who has the largest quotient is drawn first."""
    times = exponential(stream, np.empty_like(weights), 1.0)
    return np.divide(weights, times)


def _largest(quotients: np.ndarray, n: int) -> np.ndarray:
    if n == 1:
        return quotients.argmax(-1)
    order = np.argsort(-quotients, axis=-1, kind="stable")
    return order[:, :n].astype(np.int64)


def _with_replacement(stream: Stream, rows: np.ndarray, n: int) -> np.ndarray:
    kind = np.float32 if rows.dtype.itemsize == 2 else rows.dtype
    cumulative = np.add.accumulate(rows.astype(kind, copy=False), axis=-1)
    cumulative /= cumulative[:, -1:].copy()
    cumulative[:, -1] = 1
    with stream.lock:
        uniforms = stream.doubles(len(rows) * n).reshape(-1, n)
    out = np.empty(uniforms.shape, np.int64)
    for row, steps, places in zip(uniforms, cumulative.astype(np.float64), out, strict=True):
        places[...] = steps.searchsorted(row)
    return out
