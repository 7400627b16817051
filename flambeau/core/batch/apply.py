"""A kernel on batches: the rule of its operation where there is one, else sample by sample.

A rule gets the operation, the kernel's flat arguments with batches as ndarrays whose first axis is
the batch (several levels folded into one), which of them are batches, and how many samples there
are; it returns arrays with that axis, or None where it does not know a way. Elementwise operations
and views need no rule of their own. Stands on array, rules.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.batch.array import Batched, align, dynamic, each_sample, sizes_of, spread, union
from flambeau.core.batch.draws import each_draw, repeating
from flambeau.core.silence import quiet, run
from flambeau.core.storage import address

__all__ = ["compute", "elementwise", "view"]

nd = np.ndarray


def elementwise(op: Any, arrays: list[Any]) -> Any:
    """An elementwise kernel, the batches in front of what broadcasts."""
    which = [i for i, _ in op.tensors if arrays[i] is not None]
    levels, aligned = align([arrays[i] for i in which])
    given = list(arrays)
    for i, array in zip(which, aligned, strict=True):
        given[i] = array
    found = np.asarray(_silently(op.kernel, *given))
    return Batched(_whole(found, levels, arrays), levels)


def _silently(function: Any, *args: Any) -> Any:
    """The call without NumPy's warnings, in the shared context where that is free (2 us less)."""
    try:
        return run(function, *args)
    except RuntimeError:
        return quiet(function, *args)


def _whole(found: Any, levels: tuple[int, ...], values: Any) -> Any:
    """A result whose batch axes have their full length."""
    sizes = sizes_of(values, levels)
    if found.shape[: len(sizes)] == sizes:
        return found
    return np.broadcast_to(found, (*sizes, *found.shape[len(sizes) :])).copy()


def view(op: Any, batch: Batched, rest: Any) -> Any:
    """A view of every sample: the kernel's geometry on one, repeated along the batch."""
    sample = batch.sample()
    count = len(batch.levels)
    if not sample.size or not batch.data.size:
        made = op.kernel(np.zeros(sample.shape, sample.dtype), *rest)
        sizes = batch.data.shape[:count]
        return Batched(np.zeros((*sizes, *made.shape), made.dtype), batch.levels)
    made = op.kernel(sample, *rest)
    if not np.may_share_memory(made, sample):
        return each_sample(lambda a: op.kernel(a, *rest), [batch])
    shape = (*batch.data.shape[:count], *made.shape)
    steps = (*batch.data.strides[:count], *made.strides)
    return Batched(_restrided(made, shape, steps), batch.levels)


def _restrided(array: Any, shape: Any, steps: Any) -> Any:
    """A view of other geometry from an array's first element on. Its owner stays its base, which
    is where further views measure from (`as_strided` hides it).
    """
    root = array
    while isinstance(root.base, nd):
        root = root.base
    flat = root if root.flags.c_contiguous else root.ravel(order="K")
    if np.may_share_memory(flat, root):
        try:
            return nd(shape, array.dtype, flat, address(array) - address(flat), steps)
        except ValueError:
            pass  # the owner is a window on memory that it does not show whole
    return np.lib.stride_tricks.as_strided(array, shape, steps)


def compute(op: Any, arrays: list[Any]) -> Any:
    """The kernel of a reduction, a primitive or an operation on lists."""
    from flambeau.core.batch.rules import RULES

    if op.name in DYNAMIC and type(arrays[DYNAMIC[op.name]]) is Batched:
        raise dynamic(op.name)
    rule = RULES.get(op.name)
    if rule is not None:
        levels = union(arrays)
        sizes = sizes_of(arrays, levels)
        size = math.prod(sizes)
        if size:
            which = [_is_batch(a) for a in arrays]
            flat = [_folded(a, levels, sizes) if b else a for a, b in zip(arrays, which)]
            try:
                found = _silently(rule, op, flat, which, size)
            except Exception as error:
                if getattr(error, "final", False):
                    raise
                # The kernel on one sample words the error; where it has none, the way was wrong.
                found = None
            if found is not None:
                if isinstance(found, tuple):
                    return tuple(_unfolded(each, levels, sizes) for each in found)
                return _unfolded(found, levels, sizes)
    if "generator" in op.names:
        return _drawn(op, arrays)
    return each_sample(lambda *a: quiet(op.kernel, *a), arrays)


def _drawn(op: Any, arrays: list[Any]) -> Any:
    """A kernel that draws random numbers: for each sample, or the same for all."""
    from flambeau.core.random.generator import resolve

    source = resolve(arrays[op.names.index("generator")], op.name)
    kernel = repeating(lambda *a: quiet(op.kernel, *a), source)
    return each_sample(kernel, [each_draw(array) for array in arrays])


DYNAMIC = {"_masked_select": 1, "_nonzero": 0}
"""Operations whose result's shape depends on values, and which argument's."""


def _is_batch(value: Any) -> Any:
    """Whether a value is a batch; for a list, of each member."""
    if type(value) in (list, tuple):
        inside = [type(each) is Batched for each in value]
        return inside if any(inside) else False
    return type(value) is Batched


def _folded(value: Any, levels: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """A batch's memory with its levels as one axis."""
    if type(value) in (list, tuple):
        return [_folded(each, levels, sizes) for each in value]
    if type(value) is not Batched:
        return value
    if len(levels) == 1:
        return value.data
    data = spread(value, levels)
    shape = data.shape[len(levels) :]
    return np.broadcast_to(data, (*sizes, *shape)).reshape((-1, *shape))


def _unfolded(found: Any, levels: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    found = np.asarray(found)
    if len(sizes) > 1:
        found = found.reshape((*sizes, *found.shape[1:]))
    return Batched(found, levels)
