"""Views of any geometry: as_strided and its gradient; and the views that a tensor itself becomes.

Stands on declare and view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core import layout
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.entry import at_first, looking
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.product import widen
from flambeau.core.ops.view import strided
from flambeau.core.tensor import Tensor, edge_of

__all__: list[str] = []

nd = np.ndarray


@declare_view(
    name="_as_strided",
    node="AsStrided",
    function=False,
    method=False,
    vjp=lambda g, shape, input_stride, size, stride, storage_offset: ops.as_strided_backward(
        g, shape, input_stride or layout.contiguous_strides(shape), size, stride, storage_offset
    ),
)
def _as_strided(input, size: Any, stride: Any, storage_offset: int, input_stride: Any):
    """A view of any geometry; `storage_offset` from the input's first element, in elements; its own
    strides, None for row-major ones.
    """
    item = input.dtype.itemsize
    if type(input) is Abstract:
        return Abstract(size, input.dtype, tuple(s * item for s in stride), storage_offset)
    return strided(input, size, tuple(s * item for s in stride), storage_offset * item)


_strided: Callable[..., Any] = at_first(
    globals(), "_strided", lambda: looking(ops._as_strided.operation, "strided")
)
"""For a row-major tensor at its memory's start; None where the long way must look."""


@composite(method=True)
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the storage with the given sizes, strides and offset (in elements).

    Raises:
        RuntimeError: mismatched lengths, negative strides, or elements outside the storage.
    """
    size, stride = tuple(size), tuple(stride)
    found = _strided(input, size, stride, storage_offset or 0, None)
    if found is not None:
        return found  # type: ignore[no-any-return]
    if len(size) != len(stride):
        raise fail(
            RuntimeError,
            "as_strided",
            f"mismatch in length of strides and shape: {len(stride)} and {len(size)}",
        )
    if len(size) > 64:
        raise fail(
            RuntimeError,
            "as_strided",
            f"only tensors with up to 64 dims are supported, size has {len(size)}: flatten some.",
        )
    if any(s < 0 for s in stride):
        raise fail(
            RuntimeError,
            "as_strided",
            f"as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}",
        )
    own = input.storage_offset()
    offset = own if storage_offset is None else storage_offset
    if offset < 0:
        raise fail(RuntimeError, "as_strided", f"Tensor: invalid storage offset {offset}")
    if type(input._array) is nd and 0 not in size:
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        room = input.untyped_storage().nbytes() // input._array.itemsize
        if last >= room:
            raise fail(
                RuntimeError,
                "as_strided",
                f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset "
                f"{offset}, and itemsize "
                f"{input._array.itemsize} requiring a storage size of "
                f"{(last + 1) * input._array.itemsize} are out of bounds for "
                f"storage of size {room * input._array.itemsize}",
            )
    return ops._as_strided(input, size, stride, offset - own, input.stride())


@primitive(
    function=False,
    method=False,
    vjp=lambda g, base_stride, size, stride, offset: ops.as_strided_gather(
        g, base_stride, size, stride, offset
    ),
    infer=lambda grad, base_shape, base_stride, size, stride, offset: (base_shape, grad.dtype),
)
def as_strided_backward(
    grad, base_shape: Any, base_stride: Any, size: Any, stride: Any, offset: int
):
    """The gradient of a strided view for its base: each element of the storage gets the sum of
    those that show it.
    """
    places, own, count = _shared(size, stride, offset, base_shape, base_stride)
    flat = _collected(places, grad, count)
    # Elements of the base that show the same place share its gradient.
    shown = np.bincount(own.reshape(-1), minlength=count)
    return (flat[own] / shown[own]).astype(grad.dtype)


@primitive(
    function=False,
    method=False,
    vjp=lambda g, input_shape, base_stride, size, stride, offset: ops.as_strided_backward(
        g, input_shape, base_stride, size, stride, offset
    ),
    infer=lambda input, base_stride, size, stride, offset: (size, input.dtype),
)
def as_strided_gather(input, base_stride: Any, size: Any, stride: Any, offset: int):
    """The adjoint of `as_strided_backward`: places of the storage that no element of the base shows
    read as 0.
    """
    places, own, count = _shared(size, stride, offset, input.shape, base_stride)
    shown = np.bincount(own.reshape(-1), minlength=count)
    return _collected(own, input / shown[own], count)[places].astype(input.dtype)


def _shared(
    size: Any, stride: Any, offset: int, base_shape: Any, base_stride: Any
) -> tuple[Any, Any, int]:
    """The places of a view and of its base in one numbering from 0, and how many there are."""
    places, own = _places(size, stride, offset), _places(base_shape, base_stride, 0)
    low = min(int(places.min(initial=0)), 0)
    return (
        places - low,
        own - low,
        max(int(places.max(initial=-1)), int(own.max(initial=-1))) + 1 - low,
    )


def _collected(places: Any, values: Any, count: int) -> Any:
    """The sum of the values at each place."""
    at = places.reshape(-1)
    values = widen(values)
    if values.dtype.kind == "c":
        return np.bincount(at, values.real.reshape(-1), count) + 1j * np.bincount(
            at, values.imag.reshape(-1), count
        )
    return np.bincount(at, values.reshape(-1).astype("f8"), count)


def _places(size: Any, stride: Any, offset: int) -> Any:
    found = np.full((1,) * len(size), offset)
    for k, (n, s) in enumerate(zip(size, stride, strict=True)):
        found = found + (np.arange(n) * s).reshape((-1,) + (1,) * (len(size) - k - 1))
    return found


def _rebind(name: str, function: Any) -> None:
    """`t_()` and its kin: the tensor becomes its own view."""

    def written(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        from flambeau.core.inplace import check_inplace
        from flambeau.core.storage import touch

        check_inplace(name, input, edge_of(input) is not None)
        found = function(input, *args, **kwargs)
        input._array = found._array
        input._edge = edge_of(found)
        touch(input, name)
        if input._view is not None:
            input._view = (input._view[0], input._storage.version, input._view[2])  # type: ignore[union-attr]
        return input

    written.__name__ = name
    written.__doc__ = f"`{name[:-1]}`, in place: the tensor takes the view's geometry."
    composite(method=True, function=False)(written)


for _name in ("t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided"):
    _rebind(_name + "_", getattr(ops, _name))
