"""Flat runs: the small parameters of a group side by side, checked and updated in one go.

The state (moments, momentum) lives in flat buffers, of which each state tensor is a view with a
storage of its own; parameters and gradients stay where they are, so nothing about a parameter ever
shows that it was updated together with others. Generated code goes over them one after another;
NumPy's form has them gathered and scattered back. Stands on core's storage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels.generate.call import HALF_TYPES
from flambeau.core.kernels.generate.updates import update, update_each
from flambeau.core.provenance import user_frame
from flambeau.core.state import next_sequence
from flambeau.core.storage import Storage, address, silent, storage_of
from flambeau.core.tensor import Tensor
from flambeau.optim.inplace import Array

__all__ = ["CHUNK", "SMALL", "Bucket", "kernel_dtype", "note_writes", "run_alone"]

SMALL = 1 << 15
"""Elements in one bucket at most: parameter, gradient, two moments and scratch then stay in a
core's L2 cache."""
CHUNK = 1 << 14
"""Elements of a large parameter updated at a time, for the same reason."""

_NATIVE: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float32): np.dtype(np.float32),
    np.dtype(np.float64): np.dtype(np.float64),
}
_REAL: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}

Kernel = Callable[..., None]


def kernel_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype the update computes in: its own; a complex number's parts; float32 for half and
    bfloat16."""
    return _NATIVE.get(dtype, _REAL.get(dtype, np.dtype(np.float32)))


def note_writes(params: list[Tensor]) -> None:
    """Raise the versions of the updated parameters and remember the line that called `step`."""
    frame = user_frame(sys._getframe(1))
    writer = (frame.f_code, frame.f_lasti)
    for p in params:
        storage = p._storage or storage_of(p)
        storage.version += 1
        storage.written = storage.changed = next_sequence()
        storage.writer = writer
        storage.writing = "step"
        if storage.origin is not None:
            silent(storage, p._array)


def run_alone(
    kernel: Kernel, rates: Any, p: Array, g: Array, buffers: list[Array], spare: int
) -> None:
    """Update one parameter: in cache-sized pieces where everything is contiguous, else through
    contiguous copies."""
    dtype = kernel_dtype(p.dtype)
    if not p.flags.c_contiguous:
        p, g, *buffers = _in_memory_order(p, g, *buffers)
    arrays = [p, *buffers]
    if p.dtype in HALF_TYPES and all(a.flags.c_contiguous and a.dtype == p.dtype for a in arrays):
        flats = [a.reshape(-1) for a in arrays]
        if update(kernel, rates, flats[0], np.ascontiguousarray(g).reshape(-1), flats[1:], spare):
            return
    direct = (p.dtype in _NATIVE or p.dtype in _REAL) and all(
        a.flags.c_contiguous and a.dtype == p.dtype for a in arrays
    )
    flats = [
        a.reshape(-1) if direct else a.astype(_widened(p.dtype), order="C").reshape(-1)
        for a in arrays
    ]
    gradient = np.ascontiguousarray(g, _widened(p.dtype)).reshape(-1)
    if p.dtype in _REAL:
        flats = [a.view(dtype) for a in flats]
        gradient = gradient.view(dtype)
    if direct and update(kernel, rates, flats[0], gradient, flats[1:], spare):
        return
    size = flats[0].size
    scratch = [np.empty(min(size, CHUNK), dtype) for _ in range(spare + 1)]
    with np.errstate(all="ignore"):
        for start in range(0, size, CHUNK):
            stop = min(start + CHUNK, size)
            pieces = [a[start:stop] for a in flats]
            own, *rest = [s[: stop - start] for s in scratch]
            np.copyto(own, gradient[start:stop])
            kernel(rates, pieces[0], own, *pieces[1:], *rest)
    if not direct:
        for target, flat in zip(arrays, flats, strict=True):
            result = flat.view(target.dtype) if p.dtype in _REAL else flat
            np.copyto(target, result.reshape(target.shape), casting="unsafe")


def _in_memory_order(p: Array, *others: Array) -> list[Array]:
    """Views of all arrays with their axes in the order in which the parameter's lie in memory: one
    with channels last is contiguous then.
    """
    order = sorted(range(p.ndim), key=lambda axis: -p.strides[axis])
    return [a.transpose(order) for a in (p, *others)]


def _widened(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype if dtype in _NATIVE or dtype in _REAL else np.dtype(np.float32)


class Bucket:
    """Parameters of one dtype and one step count whose update is one run over flat buffers."""

    __slots__ = (
        "arrays",
        "buffers",
        "members",
        "own",
        "params",
        "spans",
        "spare",
        "steps",
    )

    def __init__(
        self, params: list[Tensor], states: list[dict[str, Any]], names: tuple[str, ...], spare: int
    ) -> None:
        """The states are those of the parameters, in order; empty dicts for an optimizer that keeps
        none."""
        self.params = params
        self.arrays = [p._array for p in params]
        dtype = self.arrays[0].dtype
        sizes = [a.size for a in self.arrays]
        stops = np.cumsum(sizes).tolist()
        self.spans = [slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
        self.spare = spare
        self.buffers = [np.empty(stops[-1], dtype) for _ in names]
        self.own = [tuple([flat[span] for flat in self.buffers]) for span in self.spans]
        self.steps = [state["step"] for state in states] if "step" in states[0] else []
        self.members: list[tuple[Any, ...]] = []
        for i, (p, state, span) in enumerate(zip(params, states, self.spans, strict=True)):
            tensors = tuple(state[name] for name in names)
            for tensor, flat in zip(tensors, self.buffers, strict=True):
                _move(tensor, flat[span])
            step = self.steps[i] if self.steps else None
            views = tuple(tensor._array for tensor in tensors)
            self.members.append(
                (p, self.arrays[i], state, step, tuple(zip(names, tensors, views, strict=True)))
            )

    def collect(self, state: Any) -> tuple[list[Array], float] | None:
        """The gradients and the common step count so far; None when anything is not as it was
        left."""
        grads: list[Array] = []
        dtype = self.arrays[0].dtype
        count: float | None = None
        for p, array, own, step, tensors in self.members:
            grad = p._grad
            if grad is None or p._array is not array or (own and state.get(p) is not own):
                return None
            given = grad._array
            if type(given) is not np.ndarray or given.dtype != dtype:
                return None
            grads.append(given)
            for name, tensor, view in tensors:
                if own.get(name) is not tensor or tensor._array is not view:
                    return None
            if step is not None:
                if own.get("step") is not step:
                    return None
                now = step._array.item()
                if count is None:
                    count = now
                elif now != count:
                    return None
        return grads, count or 0.0

    def update(self, kernel: Kernel, rates: Any, grads: list[Array], step: float) -> None:
        """Run the kernel on every parameter, by generated code where they are, else once on what is
        gathered."""
        runs = [(p, g, *own) for p, g, own in zip(self.arrays, grads, self.own, strict=True)]
        if not all(g.flags.c_contiguous for g in grads) or not update_each(
            kernel, rates, runs, self.spare
        ):
            self._together(kernel, rates, grads)
        for tensor in self.steps:
            tensor._array.fill(step)

    def _together(self, kernel: Kernel, rates: Any, grads: list[Array]) -> None:
        """Gather, run the kernel once, scatter."""
        g, p = np.concatenate(grads, axis=None), np.concatenate(self.arrays, axis=None)
        with np.errstate(all="ignore"):
            kernel(rates, p, g, *self.buffers, *[np.empty_like(p) for _ in range(self.spare)])
        for target, span in zip(self.arrays, self.spans, strict=True):
            np.copyto(target, p[span].reshape(target.shape))

    def release(self) -> None:
        """Give the state tensors arrays of their own again, where they still are the bucket's."""
        for _, _, _, _, tensors in self.members:
            for _, tensor, view in tensors:
                if tensor._array is view:
                    tensor._array = view.copy()
                    tensor._storage = None


def can_move(tensor: Tensor) -> bool:
    """Whether a state tensor may change its place in memory without anybody noticing: no view, no
    export, no storage that another tensor shares."""
    array, storage = tensor._array, tensor._storage
    if type(array) is not np.ndarray or not array.flags.c_contiguous or sys.getrefcount(array) > 3:
        return False
    base = array.base
    # References to each: who holds it (the slot; the array for its base), the local here,
    # getrefcount's argument.
    if base is not None and (
        type(base) is not np.ndarray or base.base is not None or sys.getrefcount(base) > 3
    ):
        return False
    return storage is None or (storage.root is None and sys.getrefcount(storage) <= 3)


def overlapping(arrays: list[Array]) -> bool:
    """Whether two of the parameters share memory: their updates must then follow one another."""
    spans = sorted((address(a), a.nbytes) for a in arrays if a.size)
    return any(
        start + size > after for (start, size), (after, _) in zip(spans, spans[1:], strict=False)
    )


def _move(tensor: Tensor, place: Array) -> None:
    np.copyto(place, tensor._array.reshape(-1))
    tensor._array = place.reshape(tensor._array.shape)
    storage = tensor._storage = Storage()
    storage.root = place
