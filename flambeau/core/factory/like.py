"""Tensors after the model of another: zeros_like and its kin, and the methods new_zeros, ..."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import factory_options as given
from flambeau.core import layout
from flambeau.core.batch.array import Batched, like_sample
from flambeau.core.declare import composite
from flambeau.core.device import CPU, META
from flambeau.core.errors import fail
from flambeau.core.factory.blank import Unset, marked
from flambeau.core.factory.data import tensor
from flambeau.core.factory.filled import BLANK, filled, plain, strided, unset
from flambeau.core.factory.short import Filled, fits, is_here
from flambeau.core.ir.abstract import Abstract
from flambeau.core.methods import attach
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []


def _liked(name: str, value: Any) -> None:
    shorts = Filled(value, like=True)

    def factory(
        input: Tensor,
        *,
        dtype: Any = None,
        device: Any = None,
        memory_format: Any = layout.preserve_format,
        **opts: Any,
    ) -> Tensor:
        if memory_format is layout.preserve_format and not opts and type(input) in PLAIN:
            if device is None or is_here(device):
                kind = input._array.dtype if dtype is None else getattr(dtype, "numpy", None)
                found = shorts[kind](input)
                if found is not None:
                    if value is None and Unset.on:
                        marked(found._array)
                    return found  # type: ignore[no-any-return]
        found = _like(name + "_like", input, value, dtype, device, memory_format, opts)
        if value is None and Unset.on:
            marked(found._array)
        return found

    factory.__name__ = name + "_like"
    factory.__doc__ = f"`{name}` with the size, dtype, device and (where dense) strides of `input`."
    composite()(factory)


def _like(
    op: str,
    input: Tensor,
    value: Any,
    dtype: Any,
    device: Any,
    memory_format: Any,
    opts: dict[str, Any],
) -> Tensor:
    if opts:
        given.known(op, opts)
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            op,
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
        )
    a = input._array
    kind = given.element_type(op, dtype, input.dtype)
    if hasattr(a, "is_sparse_data"):
        from flambeau.sparse.factory import like

        return like(input, value, kind, opts)
    if value == 0 and value is not None and given.is_sparse(opts.get("layout")):
        return filled(op, a.shape, value, kind, opts)
    if device is None:
        device = META if type(a) is Abstract else CPU  # the model's, whatever is in force
    opts["device"] = device
    if given.is_meta(op, device):
        return given.made(op, Abstract(a.shape, kind.numpy), opts)
    shape, item = a.shape, a.dtype.itemsize
    if (
        memory_format is layout.preserve_format
        and type(a) is np.ndarray
        and a.flags.c_contiguous
        and item == kind.numpy.itemsize
    ):
        array = plain(shape, kind.numpy, value)
        if array.strides == a.strides:  # dimensions of size 1 may have any: the long way keeps them
            return given.made(op, array, opts)
    if memory_format is layout.preserve_format:
        steps = layout.preserve_strides(shape, tuple(s // item for s in a.strides))
    elif memory_format is layout.contiguous_format:
        steps = layout.contiguous_strides(shape)
    else:
        steps = layout.memory_format_strides(shape, memory_format)
    array = strided(shape, steps, kind.numpy, value)
    return given.made(op, like_sample(array, a) if type(a) is Batched else array, opts)


_BLANK = Filled(None, like=True)
_liked("zeros", 0)
_liked("ones", 1)
_liked("empty", None)


@composite()
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = layout.preserve_format,
    **opts: Any,
) -> Tensor:
    """`full` with the size, dtype, device and strides of `input`."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    if memory_format is layout.preserve_format and not opts and type(input) in PLAIN:
        if dtype is None and device is None and fits(fill_value, input._array.dtype):
            found = _BLANK[input._array.dtype](input)
            if found is not None:
                found._array.fill(fill_value)
                return found  # type: ignore[no-any-return]
    return _like("full_like", input, fill_value, dtype, device, memory_format, opts)


def _for_samples(made: Tensor, like: Tensor) -> Tensor:
    """A new tensor for every sample, where `like` is a batch: it will be written by sample."""
    if type(like._array) is Batched:
        made._array = like_sample(made._array, like._array)
    return made


class News:
    """`tensor.new_zeros(...)` and its kin: factories that take dtype and device from the tensor."""

    def new_tensor(
        self: Tensor,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:
        """`torch.tensor` with this tensor's dtype."""
        place = device or self.device
        return tensor(data, dtype=dtype or self.dtype, device=place, requires_grad=requires_grad)

    def new_full(
        self: Tensor,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        **opts: Any,
    ) -> Tensor:
        """`torch.full` with this tensor's dtype and device."""
        if isinstance(fill_value, Tensor):
            fill_value = fill_value.item()
        array = self._array
        if dtype is None and device is None and not opts and fits(fill_value, array.dtype):
            if type(array) is np.ndarray:
                found = BLANK[array.dtype](size)
                if found is not None:
                    found._array.fill(fill_value)
                    return found  # type: ignore[no-any-return]
        opts["device"] = device or self.device
        shape = given.sizes("new_full", (size,), opts.pop("size", None))
        return _for_samples(filled("new_full", shape, fill_value, dtype or self.dtype, opts), self)

    def new_empty_strided(
        self: Tensor, size: Any, stride: Any, *, dtype: Any = None, device: Any = None, **opts: Any
    ) -> Tensor:
        """`torch.empty_strided` with this tensor's dtype and device."""
        opts["device"] = device or self.device
        return unset("new_empty_strided", size, stride, dtype or self.dtype, opts)


def _news(name: str, value: Any) -> Any:
    shorts = Filled(value)

    def method(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None, **opts: Any
    ) -> Tensor:
        if device is None and dtype is None and not opts and type(self._array) is np.ndarray:
            found = shorts[self._array.dtype](*size)
            if found is not None:
                if value is None and Unset.on:
                    marked(found._array)
                return found  # type: ignore[no-any-return]
        opts["device"] = device or self.device
        if hasattr(self._array, "is_sparse_data"):
            opts.setdefault("layout", self.layout)
        shape = given.sizes("new_" + name, size, opts.pop("size", None))
        made = filled("new_" + name, shape, value, dtype or self.dtype, opts)
        if value is None and Unset.on:
            marked(made._array)
        return _for_samples(made, self)

    method.__name__ = "new_" + name
    method.__doc__ = f"`torch.{name}` with this tensor's dtype and device."
    return method


for _name, _value in (("zeros", 0), ("ones", 1), ("empty", None)):
    setattr(News, "new_" + _name, _news(_name, _value))

attach(News)
