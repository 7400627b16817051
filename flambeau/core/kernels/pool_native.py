"""Pooling by generated code: float32 and float64 planes side by side, of one or two axes.

Every function gives None where it does not take the call: ``pool`` has the NumPy forms. The code is
in ``generate.pooling``; images whose channels lie last go to ``windows_native``.
"""

from __future__ import annotations

from functools import cache as once
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels import windows_native as last
from flambeau.core.kernels.generate import pooling as generated
from flambeau.core.kernels.generate.call import tiled
from flambeau.core.kernels.native.prepared import launch
from flambeau.core.kernels.windows import Ints

__all__ = ["maximum", "maximum_with_taps", "mean", "spread", "spread_mean"]

ALONE = 1 << 16
"""Numbers seen that one more thread is worth."""
UNLOCKED = 1 << 13
"""From so many on the interpreter's lock is free."""


@once
def _functions(dtype: np.dtype[Any]) -> dict[str, int] | None:
    return tiled(dtype, generated.module)


def _takes(array: np.ndarray, axes: int) -> bool:
    return (
        axes <= 2
        and array.ndim == axes + 2
        and array.flags.c_contiguous
        and array.flags.aligned
        and 0 < array.size
        and prod(array.shape[2:]) < 1 << 30
        and _functions(array.dtype) is not None
    )


@lru_cache(maxsize=1024)
def _words(
    name: str, dtype: np.dtype[Any], arrays: int, work: int, limit: int, *context: int
) -> np.ndarray:
    """What `launch` is given: the header, room for the arrays' addresses, the context."""
    functions = _functions(dtype)
    assert functions is not None
    shares = min(limit, 1 + work // ALONE)
    header = (functions[name], shares, work >= UNLOCKED, 0)
    return np.array([*header, *(0,) * arrays, *context], np.int64)


def _forward(
    name: str,
    input: np.ndarray,
    geometry: tuple[Ints, Ints, Ints, Ints, Ints],
    taps: np.ndarray | None = None,
    counts: tuple[Any, Any] = (None, None),
) -> np.ndarray:
    """One of the functions over windows; `geometry` is kernel, stride, padding, dilation, out."""
    result = memory.empty((*input.shape[:2], *geometry[-1]), input.dtype)
    _windows(name, input, result, geometry, taps, counts)
    return result


def _windows(
    name: str,
    input: np.ndarray,
    out: np.ndarray,
    geometry: tuple[Ints, Ints, Ints, Ints, Ints],
    taps: np.ndarray | None,
    counts: tuple[Any, Any],
) -> None:
    kernel, stride, padding, dilation, _ = geometry
    one, zero = ((), ()) if len(kernel) == 2 else ((1,), (0,))
    words = _words(
        name, input.dtype, 5, out.size * prod(kernel), threads.count(),
        input.shape[0] * input.shape[1], *one, *input.shape[2:], *one, *out.shape[2:], *one,
        *kernel, *one, *stride, *zero, *padding, *one, *dilation,
    )  # fmt: skip
    launch()(words, input, out, taps, *counts)


def maximum(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> np.ndarray | None:
    """The maximum of every window."""
    if not _takes(input, len(kernel)):
        return last.maximum(input, kernel, stride, padding, dilation, out)
    return _forward("maximum", input, (kernel, stride, padding, dilation, out))


def maximum_with_taps(
    input: np.ndarray, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> tuple[np.ndarray, np.ndarray] | None:
    """The maximum of every window and the number of its tap, a byte."""
    if prod(kernel) > 256:
        return None
    if not _takes(input, len(kernel)):
        return last.maximum_with_taps(input, kernel, stride, padding, dilation, out)
    taps = memory.empty((*input.shape[:2], *out), np.dtype(np.uint8))
    geometry = (kernel, stride, padding, dilation, out)
    return _forward("maximum_with_taps", input, geometry, taps), taps


def mean(
    input: np.ndarray,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    out: Ints,
    counts: tuple[np.ndarray, ...],
) -> np.ndarray | None:
    """The sum of every window over the product of its axes' counts."""
    if not _takes(input, len(kernel)):
        return last.mean(input, kernel, stride, padding, out, counts)
    geometry = (kernel, stride, padding, (1,) * len(kernel), out)
    return _forward("mean", input, geometry, None, _divisors(counts, input.dtype))


def spread_mean(
    grad: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    counts: tuple[np.ndarray, ...],
) -> np.ndarray | None:
    """The adjoint of the mean: every window's share goes to each number it saw."""
    if not _takes(grad, len(kernel)):
        return last.spread_mean(grad, size, kernel, stride, padding, counts)
    result = memory.empty((*grad.shape[:2], *size), grad.dtype)
    geometry = (kernel, stride, padding, (1,) * len(kernel), grad.shape[2:])
    _windows("spread_mean", result, grad, geometry, None, _divisors(counts, grad.dtype))
    return result


def _divisors(counts: tuple[np.ndarray, ...], dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The counts of rows and columns as numbers of a type."""
    found = [np.ascontiguousarray(c, dtype) for c in counts]
    return (found[0], found[1]) if len(found) == 2 else (np.ones(1, dtype), found[0])


@lru_cache(maxsize=128)
def _offsets(kernel: Ints, steps: Ints) -> np.ndarray:
    """How far into a window each tap lies."""
    places = np.zeros(1, np.int64)
    for n, step in zip(kernel, steps, strict=True):
        places = (places[:, None] + np.arange(n) * step).ravel()
    return np.ascontiguousarray(places)


def spread(
    grad: np.ndarray,
    taps: np.ndarray,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
) -> np.ndarray | None:
    """The adjoint of the maximum: every gradient goes to the tap that won."""
    if not _takes(grad, len(kernel)) or taps.dtype != np.uint8 or not taps.flags.c_contiguous:
        return last.spread(grad, taps, size, kernel, stride, padding, dilation)
    result = memory.empty((*grad.shape[:2], *size), grad.dtype)
    row = size[-1]
    steps = (row, 1)[2 - len(kernel) :]
    offsets = _offsets(kernel, tuple(d * step for d, step in zip(dilation, steps, strict=True)))
    first = -sum(p * step for p, step in zip(padding, steps, strict=True))
    rows, row_step = (1, 0) if len(kernel) == 1 else (grad.shape[2], stride[0] * row)
    words = _words(
        "spread", grad.dtype, 4, grad.size + result.size, threads.count(),
        grad.shape[0] * grad.shape[1], prod(size), rows, grad.shape[-1], row_step, stride[-1],
        first,
    )  # fmt: skip
    launch()(words, grad, taps, result, offsets)
    return result
