"""Pooling to a given output size: bin i of n over size S is [floor(i S / n), ceil((i + 1) S / n)).

Where the size is a multiple of the output, bins are equal and a reshape does it; elsewhere averages
go through the weighted reads of ``interpolate`` and maxima bin by bin. The random bins of
fractional
max pooling are here too. Windows with strides are in ``pool``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from flambeau.core.folds import fold_add
from flambeau.core.kernels import pool_native
from flambeau.core.kernels.generate.folds import fold
from flambeau.core.kernels.interpolate import Table, _packed, apply, transposed
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import Ints, channels_last, empty, full, is_half, to_last

__all__ = ["average", "average_gradient", "fractional_maximum", "maximum"]


@lru_cache(maxsize=256)
def _bins(size: int, out: int) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(out)
    return index * size // out, -((-(index + 1) * size) // out)


@lru_cache(maxsize=256)
def _table(size: int, out: int, backward: bool) -> Table:
    start, end = _bins(size, out)
    counts = end - start
    steps = np.arange(counts.max())[:, None]
    weights = np.broadcast_to(1 / counts, (len(steps), out))
    forward = _packed(np.minimum(start + steps, size - 1), weights, steps < counts, size)
    return transposed(forward) if backward else forward


def average(input: np.ndarray, out: Ints) -> np.ndarray:
    """The mean of every bin of (N, C, *S)."""
    if is_half(input.dtype):
        if len(out) == 3 and any(n != 1 for n in out):
            return _half_average(input, out)
        return recast(average(recast(input, "f4"), out), input.dtype)
    last = channels_last(input)
    work = input
    size = input.shape[2:]
    if input.size and max(out) == 1 and (sums := _plane_sums(input)) is not None:
        result = empty((*input.shape[:2], *out), input.dtype, last)
        np.divide(sums.reshape(result.shape), input.dtype.type(prod(size)), out=result)
        return result
    if input.size and not any(n % o for n, o in zip(size, out, strict=True)):
        window = tuple(n // o for n, o in zip(size, out, strict=True))
        counts = tuple(np.full(o, w) for o, w in zip(out, window, strict=True))
        found = pool_native.mean(input, window, window, (0,) * len(out), out, counts)
        if found is not None:
            return found
    for axis, n in enumerate(out, 2):
        length = work.shape[axis]
        if length % n == 0:
            split = work.reshape(*work.shape[:axis], n, length // n, *work.shape[axis + 1 :])
            work = split.sum(axis + 1) if length != n else work
        else:
            work = apply(work, axis, _table(length, n, False))
    divisor = 1
    for length, n in zip(size, out, strict=True):
        divisor *= length // n if length % n == 0 else 1
    result = empty(work.shape, input.dtype, last)
    np.divide(work, input.dtype.type(divisor), out=result)
    return result


def _plane_sums(input: np.ndarray) -> Any:
    """(N, C): the sums of planes that are rows, or of columns where channels come last."""
    if input.flags.c_contiguous:
        rows = input.reshape(-1, prod(input.shape[2:]))
        found = fold("sum", rows, (1,), False)
        return fold_add(rows, 1) if found is None else found
    pixels = to_last(input)
    if not pixels.flags.c_contiguous:
        return None
    return fold("sum", pixels.reshape(len(input), -1, input.shape[1]), (1,), False)


def _half_average(input: np.ndarray, out: Ints) -> np.ndarray:
    """Volumes of 16-bit floats, element by element: PyTorch rounds after every one."""
    bins = [_bins(size, n) for size, n in zip(input.shape[2:], out, strict=True)]
    counts = [end - start for start, end in bins]
    total = empty((*input.shape[:2], *out), input.dtype, channels_last(input))
    total[...] = 0
    for steps in product(*(range(int(count.max(initial=0))) for count in counts)):
        chosen = [np.flatnonzero(step < count) for step, count in zip(steps, counts, strict=True)]
        reads = [start[c] + s for (start, _), c, s in zip(bins, chosen, steps, strict=True)]
        into: Any = (slice(None), slice(None), *np.ix_(*chosen))
        read: Any = (slice(None), slice(None), *np.ix_(*reads))
        total[into] += input[read]
    for axis, count in enumerate(counts):
        total /= count.astype(input.dtype).reshape(-1, *(1,) * (len(out) - 1 - axis))
    return total


def average_gradient(grad: np.ndarray, size: Ints, last: bool = False) -> np.ndarray:
    """The adjoint of :func:`average`."""
    if is_half(grad.dtype):
        return _half_average_gradient(grad, size, last)
    work, divisor = grad, 1
    for axis, n in enumerate(size, 2):
        out = grad.shape[axis]
        if n % out == 0:
            divisor *= n // out
        else:
            work = apply(work, axis, _table(n, out, True))
    return _repeated(work / grad.dtype.type(divisor), size, last)


def _repeated(share: np.ndarray, size: Ints, last: bool) -> np.ndarray:
    """Every number of (N, C, *O) as often as the sizes want it."""
    split = [(o, n // o) for n, o in zip(size, share.shape[2:], strict=True)]
    result = empty((*share.shape[:2], *size), share.dtype, last)
    repeated = result.reshape(*share.shape[:2], *(n for pair in split for n in pair))
    inner: Any = (slice(None), slice(None), *(cut for _ in split for cut in (slice(None), None)))
    repeated[...] = share[inner]
    if not np.may_share_memory(repeated, result):
        result[...] = repeated.reshape(result.shape)
    return result


def _half_average_gradient(grad: np.ndarray, size: Ints, last: bool) -> np.ndarray:
    """Of 16-bit floats: divided axis by axis, and added bin by bin in order, as in PyTorch."""
    out = grad.shape[2:]
    bins = [_bins(n, o) for n, o in zip(size, out, strict=True)]
    counts = [end - start for start, end in bins]
    share = grad
    for axis, count in enumerate(counts):
        share = share / count.astype(grad.dtype).reshape(-1, *(1,) * (len(out) - 1 - axis))
    if not any(n % o for n, o in zip(size, out, strict=True)):
        return _repeated(share, size, last)
    total = full((*grad.shape[:2], *size), 0, grad.dtype, last)
    steps = [range(int(count.max(initial=0)) - 1, -1, -1) for count in counts]
    if all(n >= o for n, o in zip(size, out, strict=True)):
        for step in product(*steps):  # a bin's later elements first: those are the earlier bins'
            chosen = [np.flatnonzero(s < count) for s, count in zip(step, counts, strict=True)]
            places = [start[c] + s for (start, _), c, s in zip(bins, chosen, step, strict=True)]
            into: Any = (slice(None), slice(None), *np.ix_(*places))
            read: Any = (slice(None), slice(None), *np.ix_(*chosen))
            total[into] += share[read]
        return total
    for cell, cuts in _cells(size, out):
        total[:, :, *cuts] += share[:, :, *cell].reshape(*grad.shape[:2], *(1,) * len(out))
    return total


def maximum(input: np.ndarray, out: Ints) -> tuple[np.ndarray, np.ndarray]:
    """The maximum of every bin and its flat index in the input plane (PyTorch's choice of ties)."""
    if is_half(input.dtype):
        values, indices = maximum(recast(input, "f4"), out)
        return recast(values, input.dtype), indices
    shape, last = (*input.shape[:2], *out), channels_last(input)
    values, indices = empty(shape, input.dtype, last), empty(shape, np.dtype(np.int64), last)
    for cell, cuts in _cells(input.shape[2:], out):
        block = input[:, :, *cuts]
        flat = block.reshape(*block.shape[:2], prod(block.shape[2:]))
        best = _winner(flat)
        values[:, :, *cell] = np.take_along_axis(flat, best[..., None], 2)[..., 0]
        where = np.unravel_index(best, block.shape[2:])
        position: np.ndarray | int = 0
        for n, cut, place in zip(input.shape[2:], cuts, where, strict=True):
            position = position * n + cut.start + place
        indices[:, :, *cell] = position
    return values, indices


def _cells(size: Ints, out: Ints) -> Iterator[tuple[Any, Any]]:
    bins = [_bins(n, o) for n, o in zip(size, out, strict=True)]
    for cell in product(*map(range, out)):
        yield (
            cell,
            tuple(
                slice(int(start[i]), int(end[i]))
                for i, (start, end) in zip(cell, bins, strict=True)
            ),
        )


def _winner(flat: np.ndarray) -> np.ndarray:
    """The first maximum along the last axis; the last NaN where there is one."""
    best = flat.argmax(-1)
    if flat.dtype.kind == "f":
        unknown = np.isnan(flat)
        if unknown.any():
            final = flat.shape[-1] - 1 - unknown[..., ::-1].argmax(-1)
            best = np.where(unknown.any(-1), final, best)
    return best


def fractional_maximum(
    input: np.ndarray, kernel: Ints, out: Ints, samples: np.ndarray, order: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima of windows at pseudo-random steps (B. Graham, Fractional max-pooling, 2014,
    arXiv:1412.6071).

    Args:
        samples: (N, C, d) uniforms, one shift per plane and axis; ``order[axis]`` names its column.
    """
    if is_half(input.dtype):
        wide = (recast(input, "f4"), kernel, out, recast(samples, "f4"), order)
        values, indices = fractional_maximum(*wide)
        return recast(values, input.dtype), indices
    size, lead = input.shape[2:], input.shape[:2]
    samples = samples[
        : lead[0]
    ]  # more rows than the batch has are allowed: an unbatched input reads the first
    position: np.ndarray | int = 0
    for axis, (n, k, o) in enumerate(zip(size, kernel, out, strict=True)):
        starts = _random_starts(samples[..., order[axis]], n, k, o)  # (N, C, O)
        reads = starts[..., None] + np.arange(k)  # (N, C, O, k)
        ones = [1] * (2 * len(size))
        ones[axis], ones[axis + len(size)] = o, k
        position = position * n + reads.reshape(*lead, *ones)
    flat = np.broadcast_to(position, (*lead, *out, *kernel))
    flat = flat.reshape(*lead, *out, prod(kernel))
    planes = np.ascontiguousarray(input).reshape(*lead, prod(size))
    reads = flat.reshape(*lead, prod(flat.shape[2:]))
    seen = np.take_along_axis(planes, reads, 2).reshape(flat.shape)
    best = _winner(seen)[..., None]
    return (
        np.take_along_axis(seen, best, -1)[..., 0],
        np.take_along_axis(flat, best, -1)[..., 0].astype(np.int64),
    )


def _random_starts(sample: np.ndarray, size: int, kernel: int, out: int) -> np.ndarray:
    last = np.full((*sample.shape, 1), size - kernel)
    if out == 1:
        return last
    real = sample.dtype.type
    alpha = real(size - kernel) / real(out - 1)
    steps = np.arange(out - 1).astype(sample.dtype)
    shift = (sample * alpha).astype(np.int64)[..., None]
    inner = ((steps + sample[..., None]) * alpha).astype(np.int64) - shift
    return np.concatenate([inner, last], -1)
