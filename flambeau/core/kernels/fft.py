"""Discrete Fourier transforms of arrays: complex to complex, real to half a spectrum and back, by
generated code (fft_plans) or NumPy's pocketfft, which is the reference.

Results lie in memory as PyTorch's do: the batch, then what was transformed, each by the input's
strides. What a transform takes is found once for every layout of its input. Stands on fft_plans.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from flambeau.core import threads
from flambeau.core.kernels import memory
from flambeau.core.kernels.fft_plans import Array, Plan, completion, planned
from flambeau.core.kernels.native.prepared import launch

__all__ = ["c2c", "c2r", "complex_of", "r2c", "ready", "real_of"]

COMPLEX = {np.dtype("f4"): np.dtype("c8"), np.dtype("f8"): np.dtype("c16")}
REAL = {c: r for r, c in COMPLEX.items()}
BYTE = np.dtype("u1")
SOURCE, TARGET, BETWEEN = range(3)
"""The arrays that a transform's plans read and write."""


def complex_of(d: Any) -> Any:
    """The dtype of complex numbers of real ones."""
    return COMPLEX.get(d) or np.result_type(d, np.complex64)


def real_of(d: Any) -> Any:
    """The dtype of a complex dtype's parts."""
    return REAL.get(d) or np.dtype(f"f{d.itemsize // 2}")


def order(steps: Any, dim: Any, keep_last: bool = False) -> tuple[list[int], list[int]]:
    """The order of dimensions in memory that PyTorch's transforms leave: the batch, then what was
    transformed, each by stride; and the permutation that leads back.
    """
    count = len(steps)
    batch = sorted((k for k in range(count) if k not in dim), key=lambda k: -steps[k])
    head = sorted(dim[:-1] if keep_last else dim, key=lambda k: -steps[k])
    found = [*batch, *head, *dim[len(head) :]]
    back = [0] * count
    for place, k in enumerate(found):
        back[k] = place
    return found, back


class Transform:
    """A transform of arrays of one layout: makes the result's array and runs its plans."""

    def __init__(self, places: tuple[list[int], list[int]], dtype: Any) -> None:
        self.order, back = places
        self.back = None if back == sorted(back) else back
        self.dtype = dtype
        self.shape: Any = ()
        self.plans: list[tuple[Plan, int, int]] = []
        self.copied = False
        self.between = 0
        self.completed: Plan | None = None
        self.alone: tuple[Any, int] | None = None
        self.run = launch()

    def room(self, shape: Any, itemsize: int) -> Array:
        """The result's layout."""
        lie = [shape[k] for k in self.order]
        self.shape = tuple(lie)
        strides = [itemsize * n for n in accumulate([1, *lie[:0:-1]], mul)][::-1]
        found = [0] * len(lie)
        for k, step in zip(self.order, strides, strict=True):
            found[k] = step
        return Array(tuple(shape), tuple(found))

    def __call__(self, x: Any) -> Any:
        """The transform of an array of this layout."""
        found = memory.empty(self.shape, self.dtype)
        run = self.run
        if self.alone is not None:  # most calls: one plan, from the input to the result
            words, scratch = self.alone
            run(words, x, found, None if not scratch else memory.empty(scratch, BYTE))
            return found if self.back is None else found.transpose(self.back)
        source = np.ascontiguousarray(x.transpose(self.order)) if self.copied else x
        between = memory.empty(self.between, BYTE) if self.between else None
        scratch = max(plan.scratch for plan, _, _ in self.plans)
        room = memory.empty(scratch, BYTE) if scratch else None
        for plan, from_, to in self.plans:
            arrays = source, found, between
            run(plan.words, arrays[from_], arrays[to], room)
        if self.completed is not None:
            run(self.completed.words, found)
        return found if self.back is None else found.transpose(self.back)

    def settled(self) -> Transform:
        """Itself, when all plans are known."""
        if len(self.plans) == 1 and not self.copied and self.completed is None:
            self.alone = self.plans[0][0][:2]
        return self

    def add(
        self, kind: str, dtype: Any, n: int, swapped: bool, scale: float, axis: int,
        source: Array, target: Array, places: tuple[int, int],
    ) -> bool:  # fmt: skip
        """Transform along an axis; whether code serves."""
        found = planned(kind, dtype, n, swapped, scale, axis, source, target)
        if found is None:
            return False
        plans, room = found
        self.between = max(self.between, room)
        for plan in plans[:-1]:
            self.plans.append((plan, places[0], BETWEEN))
        self.plans.append((plans[-1], BETWEEN if plans[:-1] else places[0], places[1]))
        return True

    def first(
        self, kind: str, dtype: Any, n: int, swapped: bool, scale: float, axis: int,
        source: Array, target: Array, itemsize: int,
    ) -> bool:  # fmt: skip
        """The axis that is read from the input; from a copy in the result's order where its axes
        lie too oddly.
        """
        given = (kind, dtype, n, swapped, scale, axis)
        if self.add(*given, source, target, (SOURCE, TARGET)):
            return True
        self.copied = True
        lie = Transform((self.order, []), dtype).room(source.shape, itemsize)
        return self.add(*given, lie, target, (SOURCE, TARGET))

    def rest(self, dtype: Any, dim: Any, swapped: bool, scale: float, target: Array) -> bool:
        """Further axes, where the numbers lie; the last of them scales."""
        return all(
            self.add(
                "c2c", dtype, target.shape[k], swapped, scale if k == dim[0] else 1.0, k,
                target, target, (TARGET, TARGET),
            )
            for k in reversed(dim)
        )  # fmt: skip


@lru_cache(maxsize=512)
def _c2c(
    shape: Any, strides: Any, dtype: Any, dim: Any, scale: float, forward: bool, limit: int
) -> Transform | None:
    made = Transform(order(strides, dim), dtype)
    real, size, last = REAL.get(dtype), dtype.itemsize, dim[-1]
    if real is None or 0 in shape:
        return None
    target = made.room(shape, size)
    factor = scale if len(dim) == 1 else 1.0
    source = Array(shape, strides)
    done = made.first(
        "c2c", real, shape[last], not forward, factor, last, source, target, size
    ) and made.rest(real, dim[:-1], not forward, scale, target)
    return made.settled() if done else None


def c2c(x: Any, dim: tuple[int, ...], scale: float, forward: bool) -> Any:
    """The transform of complex numbers over `dim`."""
    if not dim:
        return x.copy()
    if type(x) is np.ndarray:
        made = _c2c(x.shape, x.strides, x.dtype, dim, scale, forward, threads.count())
        if made is not None:
            return made(x)
    y, axes, back = _ordered(x, dim)
    y = np.fft.fftn(y, axes=axes) if forward else np.fft.ifftn(y, axes=axes, norm="forward")
    return _scaled(y, scale).transpose(back)


def _ordered(x: Any, dim: Any, keep_last: bool = False) -> tuple[Any, Any, Any]:
    """For NumPy: the numbers in that order, the axes to transform there, the way back."""
    first, back = order(x.strides, dim, keep_last)
    y = x.transpose(first)
    if type(y) is np.ndarray:
        y = np.ascontiguousarray(y)
    return y, tuple(range(x.ndim - len(dim), x.ndim)), back


def _scaled(found: Any, scale: float) -> Any:
    return found if scale == 1 else np.multiply(found, found.real.dtype.type(scale), out=found)


@lru_cache(maxsize=512)
def _r2c(
    shape: Any, strides: Any, dtype: Any, dim: Any, scale: float, onesided: bool, limit: int
) -> Transform | None:
    if dtype not in COMPLEX or 0 in shape:
        return None
    made = Transform(order(strides, dim, onesided), COMPLEX[dtype])
    last = dim[-1]
    n = shape[last]
    known = n // 2 + 1
    found = made.room(
        (*shape[:last], known if onesided else n, *shape[last + 1 :]), 2 * dtype.itemsize
    )
    half = Array((*shape[:last], known, *shape[last + 1 :]), found.strides)
    factor = scale if len(dim) == 1 else 1.0
    if known < n and not onesided:
        made.completed = completion(dtype, found, last, dim[:-1])
        if made.completed is None:
            return None
    done = made.first(
        "r2c", dtype, n, False, factor, last, Array(shape, strides), half, dtype.itemsize
    ) and made.rest(dtype, dim[:-1], False, scale, half)
    return made.settled() if done else None


def r2c(x: Any, dim: tuple[int, ...], scale: float, onesided: bool) -> Any:
    """The transform of real numbers; only the first half of the last of `dim` where `onesided`."""
    if type(x) is np.ndarray:
        made = _r2c(x.shape, x.strides, x.dtype, dim, scale, onesided, threads.count())
        if made is not None:
            return made(x)
    y, axes, back = _ordered(x, dim, onesided)
    y = np.fft.rfftn(y, axes=axes) if onesided else np.fft.fftn(y, axes=axes)
    return _scaled(y, scale).transpose(back)


@lru_cache(maxsize=512)
def _c2r(
    shape: Any, strides: Any, dtype: Any, dim: Any, scale: float, size: int, limit: int
) -> Transform | None:
    last, real = dim[-1], REAL.get(dtype)
    if real is None or 0 in shape or shape[last] < size // 2 + 1:
        return None
    made = Transform(order(strides, dim), real)
    target = made.room((*shape[:last], size, *shape[last + 1 :]), real.itemsize)
    source = Array(shape, strides)
    done = made.first("c2r", real, size, True, scale, last, source, target, dtype.itemsize)
    return made.settled() if done else None


def c2r(x: Any, dim: tuple[int, ...], scale: float, size: int) -> Any:
    """The inverse transform of a half spectrum: real, of `size` in the last of `dim`."""
    if len(dim) > 1:
        x, dim = c2c(x, dim[:-1], 1.0, False), dim[-1:]
    if type(x) is np.ndarray:
        made = _c2r(x.shape, x.strides, x.dtype, dim, scale, size, threads.count())
        if made is not None:
            return made(x)
    y, _, back = _ordered(x, dim)
    return _scaled(np.fft.irfft(y, size, axis=-1, norm="forward"), scale).transpose(back)


def ready(kernel: Any, x: Any, *arguments: Any) -> Transform | None:
    """What one of the three calls for arrays laid out as `x`; None where it has more to do."""
    make = {c2c: _c2c, r2c: _r2c, c2r: _c2r}[kernel]
    if type(x) is not np.ndarray or not arguments[0] or (kernel is c2r and len(arguments[0]) > 1):
        return None
    return make(x.shape, x.strides, x.dtype, *arguments, threads.count())
