"""Tensors from data: tensor, as_tensor, asarray.

How data is read stands in `factory.nested`, memory that is shared in `factory.shared`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core import factory_options as given
from flambeau.core.declare import composite
from flambeau.core.dtypes import default, int64
from flambeau.core.errors import fail
from flambeau.core.factory.nested import data_array
from flambeau.core.factory.shared import from_dlpack, from_numpy, frombuffer
from flambeau.core.provenance import stack_level
from flambeau.core.silence import quiet
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.tensor import Tensor, wrap

__all__ = ["as_tensor", "asarray", "tensor"]

_COMMON = frozenset((list, tuple, int, float, bool, complex, np.ndarray))
"""What is no storage, at a glance."""


@composite()
def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new leaf tensor with a copy of `data` (numbers, nested sequences, an array, a tensor).

    The dtype is inferred: bools give bool, integers int64, floats the default dtype; NumPy values
        keep theirs.

    Raises:
        ValueError: ragged sequences. TypeError: not numbers. RuntimeError: integers that do not
            fit.
    """
    if type(data) is list and device is None and not pin_memory:
        now = mode()
        if (now is None or now is NO_GRAD) and (plain := _usual(data, dtype)) is not None:
            return given.finish("tensor", plain, requires_grad)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=stack_level(),
        )
    elif type(data) not in _COMMON and hasattr(data, "untyped"):
        found = _on_storage("tensor", data, dtype, device)
        return found.requires_grad_() if requires_grad else found
    wanted = None if dtype is None else given.element_type("tensor", dtype)
    array = data_array(data, wanted, "tensor")
    if array is getattr(data, "_array", data):
        array = array.copy()
    return given.made(
        "tensor",
        np.ascontiguousarray(array) if array.ndim else array,
        {"device": device, "requires_grad": requires_grad, "pin_memory": pin_memory},
    )


def _usual(data: list[Any], dtype: Any) -> Any:
    """The array of a list, or of lists of one length, of Python's own floats or of its ints, in the
    dtype that they give by themselves; None of what must be looked at.
    """
    flat = data
    if data and type(data[0]) is list:
        if {*map(type, data)} != {list} or len({*map(len, data)}) != 1:
            return None
        flat = [x for row in data for x in row]
    kinds = {*map(type, flat)}
    if kinds == {float} and (dtype is None or dtype is default()):
        return quiet(np.array, data, default().numpy)
    whole = kinds == {int} and (dtype is None or dtype is int64)
    if whole and -LARGE < min(flat) and max(flat) < LARGE:
        return np.array(data, np.int64)
    return None


LARGE = 1 << 63


@composite()
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data`, sharing its memory and history where dtype and device allow."""
    device = given.in_force(device)
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(device=device, dtype=dtype)
    if isinstance(data, np.ndarray):
        found = from_numpy(data)
        return found if dtype is None and device is None else found.to(device=device, dtype=dtype)
    if hasattr(data, "untyped"):
        return _on_storage("as_tensor", data, dtype, device)
    wanted = None if dtype is None else given.element_type("as_tensor", dtype)
    return given.made("as_tensor", data_array(data, wanted, "as_tensor"), {"device": device})


@composite()
def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """A tensor of `obj` (array, tensor, DLPack object, buffer, storage, sequence).

    Args:
        copy: True always copies, False never, None where it must.
        requires_grad: False leaves a history behind, None does as `obj` does. Where nothing had to
            be copied, the answer is `obj` itself, and a leaf is told to require a gradient or not.

    Raises:
        ValueError: `copy=False` where a copy is needed.
    """
    if isinstance(obj, Tensor):
        found = obj
    elif isinstance(obj, np.ndarray):
        found = from_numpy(obj)
    elif isinstance(obj, np.generic):
        found = wrap(np.asarray(obj))
    elif hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule":
        found = from_dlpack(obj)
    elif _is_buffer(obj):
        found = frombuffer(obj, dtype=dtype or default())
    else:
        if copy is False:
            raise fail(
                ValueError,
                "asarray",
                "can't alias arbitrary sequence into a tensor: leave copy=False away",
            )
        return tensor(obj, dtype=dtype, device=device, requires_grad=bool(requires_grad))
    source = found
    if dtype is not None or device is not None:
        found = found.to(device=device, dtype=dtype)
    if copy is False and found._array is not source._array:
        raise fail(
            ValueError,
            "asarray",
            "can't alias tensor with another dtype or device: leave copy=False away",
        )
    if copy and found._array is source._array:
        found = found.clone()
    if requires_grad is False and not found.is_leaf:
        return found.detach()
    if requires_grad is not None and found.requires_grad is not requires_grad:
        found.requires_grad_(requires_grad)
    return found


def _is_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def _on_storage(op: str, storage: Any, dtype: Any, device: Any) -> Tensor:
    """A storage's elements, on its memory. Files are read through this: `torch.asarray` of a
    mapped file's part, with the dtype that the file names.

    Raises:
        RuntimeError: a typed storage, and another dtype than its own.
    """
    own = getattr(storage, "dtype", None)
    if dtype is not None:
        given.element_type(op, dtype)
    if own not in (None, dtype or default()):
        raise fail(
            RuntimeError,
            op,
            f"expected a storage of {dtype or default()} or an untyped one, but got one of {own}: "
            "give storage.untyped() to read its bytes so",
        )
    found: Tensor = storage.tensor(own or dtype or dtypes.int64)
    return found if device is None else found.to(device)
