"""Resampling along axes as sparse weighted sums: nearest, linear, cubic, with antialiasing;
adjoints.

Every mode is one ``Table`` per axis: which T input positions an output position reads, and with
which weights. Applying a table is T gathers; its transposed table is the backward pass. Tables
depend on sizes alone and are cached. Coordinates are computed in the precision PyTorch computes
them in, since a rounded source index decides which pixel is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels.generate.resampled import weighted
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import channels_last, empty, is_half, to_last

__all__ = ["Table", "apply", "resample", "table", "transposed"]


class Table(NamedTuple):
    """T reads per output position: positions and weights (T, O); ``valid`` marks the real ones."""

    positions: tuple[np.ndarray | slice, ...]
    weights: np.ndarray | None  # None: all one
    valid: np.ndarray | None  # None: all
    size: int  # of the input axis
    out: int


def _packed(
    positions: np.ndarray, weights: np.ndarray | None, valid: np.ndarray | None, size: int
) -> Table:
    rows: list[np.ndarray | slice] = []
    for row in positions:  # an arithmetic progression is read as a slice: no gather
        step = int(row[1] - row[0]) if len(row) > 1 else 1
        if step > 0 and (np.diff(row) == step).all():
            rows.append(slice(int(row[0]), int(row[-1]) + 1, step))
        else:
            rows.append(np.ascontiguousarray(row))
    return Table(tuple(rows), weights, valid, size, positions.shape[1])


@lru_cache(maxsize=256)
def table(
    mode: str,
    size: int,
    out: int,
    align_corners: bool,
    scale: float | None,
    double: bool,
    kept: np.dtype | None = None,
) -> Table:
    """The reads of one axis.

    Args:
        mode: nearest, nearest-exact, linear, cubic, linear-aa or cubic-aa.
        scale: the scale factor the user gave, None where sizes decide.
        double: coordinates in float64 (for float64 inputs), else in float32.
        kept: the 16-bit dtype that the weights are rounded to, None where they are not.
    """
    real: Any = np.float64 if double else np.float32
    places: Any = np.arange(out, dtype=real)
    if mode.startswith("nearest"):
        ratio: Any = np.float32(1 / scale) if scale else np.float32(size) / np.float32(out)
        shift = np.float32(0.5 if mode == "nearest-exact" else 0)
        source = np.floor((places.astype(np.float32) + shift) * ratio).astype(np.intp)
        return _packed(np.minimum(source, size - 1)[None], None, None, size)
    if align_corners:
        ratio = real(size - 1) / real(out - 1) if out > 1 else real(0)
    else:
        ratio = real(1 / scale) if scale else real(size) / real(out)
    if mode.endswith("-aa"):
        return _antialiased(mode, size, ratio, places)
    if align_corners:
        source = places * ratio
    else:  # rounded once, as by a multiply-add: PyTorch's coordinates to the last bit
        source = ((places + real(0.5)).astype(np.float64) * ratio - 0.5).astype(real)
    if mode == "linear":
        source = np.maximum(source, real(0))
        low = np.minimum(np.floor(source).astype(np.intp), size - 1)
        part = _rounded(np.clip(source - low, 0, 1).astype(real), kept)
        if out == size and not part.any():
            return _packed(low[None], None, None, size)
        high = low + (low < size - 1)
        return _packed(
            np.stack([low, high]), _rounded(np.stack([1 - part, part]), kept), None, size
        )
    low = np.minimum(np.floor(source).astype(np.intp), size - 1)
    part = np.clip(source - low, 0, 1).astype(real)
    reads = np.clip(low + np.arange(-1, 3)[:, None], 0, size - 1)
    return _packed(reads, _rounded(cubic_weights(part), kept), None, size)


def _rounded(weights: np.ndarray, kept: np.dtype | None) -> np.ndarray:
    return weights if kept is None else weights.astype(kept).astype(weights.dtype)


def cubic_weights(part: np.ndarray, a: float = -0.75) -> np.ndarray:
    """The four weights of cubic convolution at fraction ``part`` (R. Keys, 1981), stacked first."""
    real = part.dtype.type  # NumPy widens bfloat16 that meets a Python float
    near = np.stack([part, 1 - part])
    far = near + 1
    inner = (real(a + 2) * near - real(a + 3)) * near * near + 1
    outer = ((real(a) * far - real(5 * a)) * far + real(8 * a)) * far - real(4 * a)
    return np.stack([outer[0], inner[0], inner[1], outer[1]])


def _antialiased(mode: str, size: int, ratio: Any, places: Any) -> Table:
    """Filters widened by the reduction: a triangle, or a cubic with a = -0.5."""
    real = type(ratio)
    width = 2 if mode == "linear-aa" else 4
    support = real(width / 2) * max(ratio, real(1))
    inverse = real(1) / ratio if ratio >= 1 else real(1)
    center = ratio * (places + real(0.5))
    low = np.maximum((center - support + real(0.5)).astype(np.intp), 0)
    count = np.minimum((center + support + real(0.5)).astype(np.intp), size) - low
    reads = low + np.arange(max(int(count.max()), 1))[:, None]
    x = np.abs((reads - center + real(0.5)) * inverse)
    if mode == "linear-aa":
        weights = np.maximum(1 - x, 0)
    else:
        a = -0.5
        inner = ((a + 2) * x - (a + 3)) * x * x + 1
        outer = (((x - 5) * x + 8) * x - 4) * a
        weights = np.where(x < 1, inner, np.where(x < 2, outer, 0))
    valid = np.arange(len(reads))[:, None] < count
    weights = np.where(valid, weights, 0)
    weights = (weights / weights.sum(0)).astype(real)
    return _packed(np.minimum(reads, size - 1), weights, valid, size)


@lru_cache(maxsize=256)
def _transposed(key: tuple) -> Table:
    return transposed(table(*key))


def transposed(forward: Table) -> Table:
    """The table that takes gradients of the outputs back to the inputs."""
    rows = [np.arange(forward.size)[row] for row in forward.positions]
    reads = np.stack(rows)
    weights = np.ones(reads.shape) if forward.weights is None else forward.weights
    used = np.ones(reads.shape, bool) if forward.valid is None else forward.valid
    writer = np.broadcast_to(np.arange(forward.out), reads.shape)[used]
    reads, weights = reads[used], weights[used]
    order = np.argsort(reads, kind="stable")
    reads, writer, weights = reads[order], writer[order], weights[order]
    counts = np.bincount(reads, minlength=forward.size)
    slot = np.arange(len(reads)) - np.repeat(np.cumsum(counts) - counts, counts)
    length = max(int(counts.max(initial=0)), 1)
    back = np.zeros((length, forward.size), np.intp)
    factors = np.zeros((length, forward.size), weights.dtype)
    back[slot, reads], factors[slot, reads] = writer, weights
    valid = np.arange(length)[:, None] < counts
    plain = forward.weights is None
    everywhere = bool(valid.all())
    return _packed(back, None if plain else factors, None if everywhere else valid, forward.out)


def apply(array: np.ndarray, axis: int, reads: Table) -> np.ndarray:
    """The weighted sum of ``reads`` along ``axis``."""
    made = weighted(array, axis, *reads[:3], reads.out)
    if made is not None:
        return np.asarray(made)
    lead = (slice(None),) * axis
    tail = (1,) * (array.ndim - axis - 1)
    total: Any = None
    for row, position in enumerate(reads.positions):
        if isinstance(position, slice):
            taken = array[(*lead, position)]
        else:
            taken = array.take(position, axis)
        if reads.weights is not None:
            taken = taken * reads.weights[row].astype(array.dtype).reshape(-1, *tail)
        if reads.valid is not None and not reads.valid[row].all():
            taken = np.where(reads.valid[row].reshape(-1, *tail), taken, array.dtype.type(0))
        total = taken if total is None else total + taken
    return total


def resample(
    input: np.ndarray,
    mode: str,
    out: Sequence[int],
    align_corners: bool,
    scales: Sequence[float | None],
    backward_from: Sequence[int] | None = None,
    last: bool | None = None,
    kept: np.dtype | None = None,
) -> np.ndarray:
    """(N, C, *S) to (N, C, *out) by ``mode``; with ``backward_from`` (the size S that was
    resampled)
    the adjoint: (N, C, *out) to (N, C, *S).

    uint8 images are weighted in fixed point, columns before rows, each pass rounded to uint8.
    """
    last = channels_last(input) if last is None else last
    nearest = mode.startswith("nearest")
    if is_half(input.dtype) and not (nearest and not backward_from):
        # Forward, PyTorch keeps weights in the input's dtype; two linear axes have a kernel apart.
        exact = backward_from or mode.endswith("-aa") or (mode == "linear" and len(out) == 2)
        kept = None if exact else input.dtype
        wide = recast(input, "f4")
        wide = resample(wide, mode, out, align_corners, scales, backward_from, last, kept)
        return recast(wide, input.dtype)
    if input.dtype == np.uint8 and not nearest:
        return _fixed_point(input, mode, out, align_corners, scales, last)
    double = input.dtype == np.float64
    steps = []
    for axis, n in enumerate(out):
        size = backward_from[axis] if backward_from else input.shape[2 + axis]
        key = (mode, size, n, align_corners, scales[axis], double, kept)
        reads = _transposed(key) if backward_from else table(*key)
        steps.append((reads.out / max(reads.size, 1), -axis, axis, reads))
    work = to_last(input) if last else input
    for _, _, axis, reads in sorted(steps, key=lambda step: step[:2]):  # shrink first
        same = reads.out == reads.size and reads.weights is None and reads.valid is None
        if same and reads.positions == (slice(0, reads.size, 1),):
            continue
        work = apply(work, axis + (1 if last else 2), reads)
    work = np.moveaxis(work, -1, 1) if last else work
    result = empty(work.shape, input.dtype, last)
    if work is input or work.strides != result.strides or np.may_share_memory(work, input):
        result[...] = work
        return result
    return work


def _once(reads: Table) -> np.ndarray:
    """The weights, where neighbours that read one position (a border) give theirs to the last."""
    assert reads.weights is not None
    if reads.valid is not None:  # filters end at the border
        return reads.weights
    weights = reads.weights.copy()
    places = [np.arange(reads.size)[row] for row in reads.positions]
    for row in range(len(places) - 1):
        same = places[row] == places[row + 1]
        weights[row + 1] += np.where(same, weights[row], 0)
        weights[row] = np.where(same, 0, weights[row])
    return weights


def _fixed_point(
    input: np.ndarray,
    mode: str,
    out: Sequence[int],
    align_corners: bool,
    scales: Sequence[float | None],
    last: bool,
) -> np.ndarray:
    """8-bit images as PyTorch weights them: int16 weights, every axis rounded before the next."""
    work = input
    for axis in reversed(range(len(out))):
        key = (mode, input.shape[2 + axis], out[axis], align_corners, scales[axis], True)
        reads = table(*key)
        if reads.weights is None:
            continue
        weights = _once(reads)
        bits = 0
        peak = float(weights.max())
        while bits < 22 and int(0.5 + peak * (1 << (bits + 1))) < 1 << 15:
            bits += 1
        scaled = weights * (1 << bits)
        whole = np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5))
        total = apply(work.astype(np.int32), 2 + axis, reads._replace(weights=whole))
        work = np.clip((total + (1 << bits >> 1)) >> bits, 0, 255).astype(np.uint8)
    result = empty(work.shape, input.dtype, last)
    result[...] = work
    return result
