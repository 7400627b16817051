"""Views in which dimensions repeat, and the sums that undo them: expand, broadcast_to, sum_to_size.

Stands on declare and view.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import layout
from flambeau.core.binding import sizes_of
from flambeau.core.declare import composite, ops
from flambeau.core.declare import view as declare_view
from flambeau.core.entry import as_view
from flambeau.core.errors import fail
from flambeau.core.kernels import late
from flambeau.core.ops.view import same_size_as, strided
from flambeau.core.state import ordinary
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []

nd = np.ndarray


@declare_view(
    vjp=lambda g, shape: ops.sum_to_size(g, shape),
    name="_expand",
    node="Expand",
    function=False,
    method=False,
)
def _expand(input, size: Any):
    """The view in which dimensions of size 1 repeat."""
    size, steps = layout.expand(input.shape, input.strides, size)
    return strided(input, size, steps)


EXPAND = ops._expand.operation


@composite(method=True, function=False)
def expand(input: Tensor, *sizes: Any, size: Any = None, implicit: bool = False) -> Tensor:
    """The view in which dimensions of size 1 repeat to `sizes`; -1 keeps a size."""
    wanted = sizes[0] if len(sizes) == 1 and size is None else sizes
    if not isinstance(wanted, (tuple, list)) or size is not None or not sizes:
        wanted = sizes_of("expand", "size", sizes, size)
    a = input._array
    if type(input) in PLAIN and type(a) is nd and ordinary():
        wanted = tuple(wanted)
        try:
            r = _spread(a, wanted)
        except ValueError:  # a negative size, worded below
            r = None
        if r is not None:
            return as_view(EXPAND, input, r, (None, wanted))
    return ops._expand(input, tuple(wanted))


def _repeated(a: Any, wanted: Any) -> Any:
    """The expanded array; None where the declared operation must look: sizes of -1, new dimensions
    of size 1, errors.
    """
    lead = len(wanted) - a.ndim
    steps = [0] * lead
    for n, have, step in zip(wanted[lead:], a.shape, a.strides):
        if n == have:
            steps.append(step)
        elif have == 1 and n > 0:
            steps.append(0)
    if lead >= 0 and len(steps) == len(wanted) and 1 not in wanted[:lead] and a.size:
        return strided(a, wanted, steps)
    return None


_spread = late.native("views", "expand", _repeated)


@composite(method=True)
def broadcast_to(input: Tensor, size: Any, *sizes: int) -> Tensor:
    """The view broadcast to `size`, which may also be given as separate numbers."""
    size = (size, *sizes) if sizes or isinstance(size, int) else size
    if type(input) in PLAIN and type(input._array) is nd and ordinary():
        size = tuple(size)
        r = _spread(input._array, size)
        if r is not None:
            return as_view(EXPAND, input, r, (None, size))
    return ops._expand(input, tuple(size))


@composite(method=True, function=False)
def expand_as(input: Tensor, other: Tensor, *sizes: Any) -> Tensor:
    """The view expanded to `other`'s size.

    Raises:
        TypeError: sizes instead of a tensor (that is `expand`).
    """
    same_size_as("expand", other, *sizes)
    return broadcast_to(input, other._array.shape)


@composite(method=True, function=False)
def sum_to_size(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """The sum over the dimensions along which `size` would broadcast to this tensor.

    Raises:
        RuntimeError: `size` does not broadcast to the tensor's.
    """
    wanted = sizes_of("sum_to_size", "size", sizes, size)
    shape = input._array.shape
    if wanted == shape and shape:
        return input
    lead = len(shape) - len(wanted)
    if lead < 0 or any(n not in (1, m) for n, m in zip(wanted, shape[lead:], strict=True)):
        raise fail(
            RuntimeError,
            "sum_to_size",
            f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.",
        )
    dims = tuple(range(lead)) + tuple(
        lead + k for k, n in enumerate(wanted) if n == 1 != shape[lead + k]
    )
    if not wanted:
        return input.sum()
    found = input.sum(dims, keepdim=True) if dims else input
    return found.reshape(wanted) if lead else found
