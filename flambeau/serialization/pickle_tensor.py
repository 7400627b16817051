"""How a tensor is taken apart for a pickle, and rebuilt: its storage, offset, size and strides.

Tensors that share memory name one ``StorageBytes``, so a pickle keeps the sharing. The rebuild
functions bear PyTorch's names, by which checkpoints call them; ``names`` maps the two. Stands on
core.storage and core.tensor; ``Tensor.__reduce_ex__`` calls ``reduce_tensor``.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from flambeau.core.dtypes import DTYPES, uint8
from flambeau.core.factory import empty_strided
from flambeau.core.hooks import warn_if_has_hooks
from flambeau.core.lower import Shell, own_slots
from flambeau.core.storage import Storage, address, root_of, storage_of
from flambeau.core.tensor import Tensor, wrap
from flambeau.core.untyped import TypedStorage, UntypedStorage

__all__ = [
    "StorageBytes",
    "TypedBytes",
    "reduce_parameter",
    "reduce_quantised",
    "reduce_storage",
    "reduce_tensor",
]

_handles: weakref.WeakValueDictionary[int, StorageBytes] = weakref.WeakValueDictionary()


class StorageBytes:
    """The memory of one storage as a flat array of bytes; what `map_location` functions are given.

    ``device`` is "cpu", or "meta" for a storage without bytes. ``waiting`` is None, or what is to
    be done once the bytes are there (the stream format gives them after the tensors).
    """

    __slots__ = ("__weakref__", "array", "device", "storage", "waiting")

    def __init__(self, array: np.ndarray[Any, Any], storage: Storage | None = None) -> None:
        self.array = array
        self.device = "cpu"
        self.waiting: list[Callable[[], Any]] | None = None
        if storage is None:
            storage = Storage()
            storage.root = array
        self.storage = storage

    def nbytes(self) -> int:
        """How many bytes the storage has."""
        return self.array.nbytes

    def data_ptr(self) -> int:
        """Where they lie."""
        return address(self.array)

    def cpu(self) -> StorageBytes:
        """The storage itself: it is on the CPU."""
        return self

    def cuda(self, device: Any = None, non_blocking: bool = False) -> StorageBytes:
        """The storage itself with ``FLAMBEAU_CUDA=cpu``.

        Raises:
            RuntimeError: there is no CUDA device.
        """
        from flambeau.serialization.location import to_location

        return to_location(self, "cuda")

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return restore_bytes, (self.array,)


class TypedBytes(TypedStorage):
    """A storage as elements of one dtype: what a checkpoint's persistent id names. Who saved a
    storage alone gets this one back; for tensors only its bytes are looked at.
    """

    def __init__(self, data: StorageBytes, dtype: Any) -> None:
        self.bytes = data
        self.dtype = dtype

    @cached_property
    def _untyped_storage(self) -> UntypedStorage:  # type: ignore[override]
        return untyped_of(self.bytes)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return TypedBytes, (self.bytes, self.dtype)


def untyped_of(data: StorageBytes) -> UntypedStorage:
    """The face that users see of a storage."""
    return UntypedStorage(rebuild_strided(data, uint8, 0, (data.nbytes(),), (1,), False))


def reduce_storage(storage: Any) -> tuple[Any, ...]:
    """The body of ``__reduce_ex__`` of both faces of a storage."""
    if isinstance(storage, TypedStorage):
        return TypedBytes, (bytes_of(storage.untyped()._tensor), storage.dtype)
    return untyped_of, (bytes_of(storage._tensor),)


def restore_bytes(array: np.ndarray[Any, Any]) -> StorageBytes:
    """Rebuild a storage from a plain pickle; memory handed in read-only is copied."""
    return StorageBytes(array if array.flags.writeable else array.copy())


def bytes_of(tensor: Tensor) -> StorageBytes:
    """The tensor's whole storage, the same object for all tensors that share it."""
    root = root_of(tensor)
    storage = storage_of(tensor)
    # Without a known root, sharing shows in the memory itself: an array and its owner.
    key = address(root) if root.nbytes else id(storage)
    found = _handles.get(key)
    if found is not None and found.storage is storage and found.array.nbytes == root.nbytes:
        return found
    if root.nbytes == 0:
        flat = np.empty(0, np.uint8)
    elif root.flags.c_contiguous:
        flat = root.reshape(-1).view(np.uint8)
    else:
        low, high = byte_bounds(root)
        memory = (ctypes.c_uint8 * (high - low)).from_address(low)
        memory.owner = root  # type: ignore[attr-defined]  # keeps the memory alive
        flat = np.frombuffer(memoryview(memory), np.uint8)
    handle = StorageBytes(flat, storage)
    _handles[key] = handle
    return handle


def reduce_tensor(tensor: Tensor, protocol: Any = 2) -> tuple[Any, ...]:
    """The body of ``Tensor.__reduce_ex__``: a rebuild function and its arguments.

    Attributes that the user set on the tensor and a subclass's type go with it; hooks and the
    graph do not.

    Raises:
        NotImplementedError: the tensor's layout has no pickled form.
    """
    warn_if_has_hooks(tensor)
    function, arguments = _reduce_plain(tensor)
    state = _state_of(tensor)
    if type(tensor) is Tensor and not state:
        return function, arguments
    return _rebuild_from_type_v2, (function, type(tensor), arguments, state)


def reduce_parameter(parameter: Any, protocol: Any = 2) -> tuple[Any, ...]:
    """The body of ``Parameter.__reduce_ex__``."""
    state = _state_of(parameter)
    hooks: OrderedDict[Any, Any] = OrderedDict()
    arguments = (parameter.data, parameter.requires_grad, hooks)
    if state:
        return _rebuild_parameter_with_state, (*arguments, state)
    return _rebuild_parameter, arguments


MARKS = frozenset({"_backward_hooks", "_is_param"})


def _state_of(tensor: Tensor) -> Any:
    # What a Parameter's class says already is no attribute of the user's.
    attributes = {key: value for key, value in vars(tensor).items() if key not in MARKS}
    slots = {} if type(tensor) is Tensor else own_slots(tensor)
    return (attributes, slots) if slots else attributes


def _reduce_plain(tensor: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    layout = str(getattr(tensor, "layout", "torch.strided"))
    if layout == "torch.sparse_coo":
        parts = (tensor._indices(), tensor._values(), tensor.size(), tensor.is_coalesced())
        return _rebuild_sparse_tensor, (tensor.layout, parts)
    if layout in ("torch.sparse_csr", "torch.sparse_bsr"):
        parts = (tensor.crow_indices(), tensor.col_indices(), tensor.values(), tensor.size())
        return _rebuild_sparse_tensor, (tensor.layout, parts)
    if layout in ("torch.sparse_csc", "torch.sparse_bsc"):
        parts = (tensor.ccol_indices(), tensor.row_indices(), tensor.values(), tensor.size())
        return _rebuild_sparse_tensor, (tensor.layout, parts)
    if layout != "torch.strided":
        raise NotImplementedError(
            f"pickle: a tensor with layout {layout} has no pickled form. Convert it with "
            "to_dense() first."
        )
    size, stride = tuple(tensor.shape), tuple(tensor.stride())
    if type(tensor._array) is Shell:
        offset, device = tensor.storage_offset(), tensor.device
        facts = (tensor.dtype, size, stride, offset, tensor.layout, device, tensor.requires_grad)
        return _rebuild_wrapper_subclass, (type(tensor), *facts)
    if not isinstance(tensor._array, np.ndarray):
        return _rebuild_meta_tensor_no_storage, (tensor.dtype, size, stride, tensor.requires_grad)
    data = bytes_of(tensor)
    item = tensor._array.itemsize
    offset = (address(tensor._array) - address(data.array)) // item if data.array.nbytes else 0
    typed = TypedBytes(data, tensor.dtype)
    hooks: OrderedDict[Any, Any] = OrderedDict()
    arguments = (typed, offset, size, stride, tensor.requires_grad, hooks)
    if legacy_storage_name(tensor.dtype) is None:
        return _rebuild_tensor_v3, (*arguments, tensor.dtype)
    return _rebuild_tensor_v2, arguments


LEGACY_STORAGES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
"""The dtypes that have a typed storage by name in checkpoints; the others are untyped bytes."""
QUANTISED_STORAGES = {
    "qint32": "QInt32Storage",
    "qint8": "QInt8Storage",
    "quint8": "QUInt8Storage",
}
"""Those of quantised elements."""


def dtype_name(dtype: Any) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def legacy_storage_name(dtype: Any) -> str | None:
    """``FloatStorage`` for float32; None where PyTorch has no such class."""
    name = dtype_name(dtype)
    return LEGACY_STORAGES.get(name) or QUANTISED_STORAGES.get(name)


def rebuild_strided(
    data: StorageBytes, dtype: Any, offset: int, size: Any, stride: Any, requires_grad: bool
) -> Tensor:
    """A tensor over a storage, checked: nothing outside the storage can be reached."""
    size, stride = tuple(size), tuple(stride)
    numbers = (*size, *stride, offset)
    if len(size) != len(stride) or not all(type(n) is int and n >= 0 for n in numbers):
        raise RuntimeError(
            f"load: a tensor of the checkpoint has size {size}, strides {stride} and offset "
            f"{offset}; expected as many strides as sizes, none negative. The file is damaged."
        )
    if data.device == "meta":
        return empty_strided(
            size, stride, dtype=dtype, device="meta", requires_grad=bool(requires_grad)
        )
    item = dtype.numpy.itemsize
    try:
        array: np.ndarray[Any, Any] = np.ndarray(
            size, dtype.numpy, data.array, offset * item, [step * item for step in stride]
        )
    except (ValueError, TypeError, OverflowError):
        raise RuntimeError(
            f"load: a tensor of the checkpoint with size {size}, strides {stride} and offset "
            f"{offset} ({dtype}) is out of bounds for its storage of {data.array.nbytes} bytes. "
            "The file is damaged."
        ) from None
    tensor = wrap(array)
    tensor._storage = data.storage
    if requires_grad:
        tensor.requires_grad_(True)  # type: ignore[attr-defined]
    return tensor


def _with_metadata(
    tensor: Any, metadata: dict[str, bool] | None, data: StorageBytes, requires_grad: bool
) -> Tensor:
    """Apply PyTorch's lazy conjugate and negative bits: flambeau makes the values themselves."""
    if not metadata or not (metadata.get("conj") or metadata.get("neg")) or data.device == "meta":
        return tensor  # type: ignore[no-any-return]
    lazy: np.ndarray[Any, Any] = tensor._array
    values = np.empty_like(lazy)

    def fill() -> None:
        values[...] = lazy.conj() if metadata.get("conj") else lazy
        if metadata.get("neg"):
            np.negative(values, out=values)

    if data.waiting is None:
        fill()
    else:
        data.waiting.append(fill)
    tensor = wrap(values)
    return tensor.requires_grad_(True) if requires_grad else tensor  # type: ignore[no-any-return]


def _rebuild_tensor(storage: TypedBytes, storage_offset: int, size: Any, stride: Any) -> Tensor:
    return rebuild_strided(storage.bytes, storage.dtype, storage_offset, size, stride, False)


def _rebuild_tensor_v2(
    storage: TypedBytes,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    metadata: dict[str, bool] | None = None,
) -> Tensor:
    tensor = rebuild_strided(
        storage.bytes, storage.dtype, storage_offset, size, stride, requires_grad
    )
    return _with_metadata(tensor, metadata, storage.bytes, requires_grad)


def _rebuild_tensor_v3(
    storage: TypedBytes,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    dtype: Any,
    metadata: dict[str, bool] | None = None,
) -> Tensor:
    tensor = rebuild_strided(storage.bytes, dtype, storage_offset, size, stride, requires_grad)
    return _with_metadata(tensor, metadata, storage.bytes, requires_grad)


def reduce_quantised(tensor: Any, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """The body of a quantised tensor's ``__reduce_ex__``: its integers, and what they mean."""
    data, item = bytes_of(tensor), tensor._array.itemsize
    offset = (address(tensor._array) - address(data.array)) // item if data.array.nbytes else 0
    typed = TypedBytes(data, tensor.dtype)
    hooks: OrderedDict[Any, Any] = OrderedDict()
    size, stride = tuple(tensor.shape), tuple(tensor.stride())
    return _rebuild_qtensor, (typed, offset, size, stride, parameters, False, hooks)


def _rebuild_qtensor(
    storage: TypedBytes,
    storage_offset: int,
    size: Any,
    stride: Any,
    quantizer_params: tuple[Any, ...],
    requires_grad: bool,
    backward_hooks: Any,
) -> Any:
    from flambeau.ao.quantization.tensor import of_integers

    kind = DTYPES[storage.dtype.numpy.name]
    integers = rebuild_strided(storage.bytes, kind, storage_offset, size, stride, False)
    return of_integers(integers, storage.dtype, *quantizer_params)


def _rebuild_parameter(data: Any, requires_grad: bool, backward_hooks: Any) -> Any:
    from flambeau.nn.parameter import Parameter

    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(
    data: Any, requires_grad: bool, backward_hooks: Any, state: Any
) -> Any:
    return _set_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _rebuild_sparse_tensor(layout: Any, data: Any) -> Any:
    import flambeau

    if str(layout) == "torch.sparse_coo":
        indices, values, size, *rest = data
        coalesced = rest[0] if rest else None
        return flambeau.sparse_coo_tensor(indices, values, size, is_coalesced=coalesced)
    compressed, plain, values, size = data
    return flambeau.sparse_compressed_tensor(compressed, plain, values, size, layout=layout)


def _rebuild_meta_tensor_no_storage(
    dtype: Any, size: Any, stride: Any, requires_grad: bool
) -> Tensor:
    return empty_strided(
        tuple(size), tuple(stride), dtype=dtype, device="meta", requires_grad=requires_grad
    )


def _rebuild_wrapper_subclass(
    cls: type,
    dtype: Any,
    size: Any,
    stride: Any,
    storage_offset: int,
    layout: Any,
    device: Any,
    requires_grad: bool,
) -> Any:
    return Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
        cls,
        size,
        strides=stride,
        dtype=dtype,
        storage_offset=storage_offset,
        layout=layout,
        device=device,
        requires_grad=requires_grad,
    )


def _rebuild_from_type_v2(
    function: Callable[..., Any], new_type: type, arguments: Any, state: Any
) -> Any:
    tensor = function(*arguments)
    if type(tensor) is not new_type:
        tensor = tensor.as_subclass(new_type)
    return _set_state(tensor, state)


def _rebuild_device_tensor_from_numpy(
    data: Any, dtype: Any, device: str, requires_grad: bool
) -> Any:
    """Tensors of devices without storages (XLA and such) were saved as arrays."""
    tensor = wrap(np.array(data, dtype=dtype.numpy))
    return tensor.requires_grad_(True) if requires_grad else tensor  # type: ignore[attr-defined]


def _set_state(tensor: Any, state: Any) -> Any:
    own = type(tensor).__dict__.get("__setstate__")
    if own is not None:
        tensor.__setstate__(state)
        return tensor
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    vars(tensor).update(attributes or {})
    for name, value in (slots or {}).items():
        if not name.startswith("_"):  # a file must not reach into the tensor's own fields
            setattr(tensor, name, value)
    return tensor
