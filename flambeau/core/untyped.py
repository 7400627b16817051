"""The faces of a storage that users see: bytes (`untyped_storage()`) and elements (`storage()`).

The old names of typed storages, and memory from files and buffers, stand in the public room
``storage``. Stands on storage.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from numbers import Number
from typing import Any

import numpy as np

from flambeau.core import dtypes, storage_checks
from flambeau.core.device import cuda_means_cpu
from flambeau.core.device import device as Device
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.provenance import stack_level
from flambeau.core.storage import Storage, address, root_of, storage_of
from flambeau.core.storage_checks import (
    check_index,
    check_request,
    count,
    in_range,
    without_data,
)
from flambeau.core.tensor import Tensor, wrap

__all__ = ["StorageBase", "TypedStorage", "UntypedStorage"]

# Method -> the dtype whose elements it gives; both faces have all of them.
CASTS: dict[str, dtypes.dtype] = {
    "bfloat16": dtypes.bfloat16,
    "bool": dtypes.bool,
    "byte": dtypes.uint8,
    "char": dtypes.int8,
    "complex_double": dtypes.complex128,
    "complex_float": dtypes.complex64,
    "double": dtypes.float64,
    "float": dtypes.float32,
    "float8_e4m3fn": dtypes.DTYPES["float8_e4m3fn"],
    "float8_e4m3fnuz": dtypes.DTYPES["float8_e4m3fnuz"],
    "float8_e5m2": dtypes.DTYPES["float8_e5m2"],
    "float8_e5m2fnuz": dtypes.DTYPES["float8_e5m2fnuz"],
    "half": dtypes.float16,
    "int": dtypes.int32,
    "long": dtypes.int64,
    "short": dtypes.int16,
}
# dtype -> the word of its old storage name: torch.FloatStorage.
OLD_NAMES = {
    CASTS[name]: "".join(map(str.capitalize, name.split("_")))
    for name in (
        "bfloat16 bool byte char complex_double complex_float double float half int long short"
    ).split()
} | {dtypes.bfloat16: "BFloat16"}
_warned = False


def _deprecated() -> None:
    """Say once a process that typed storages are going away, as PyTorch does."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "TypedStorage is deprecated: use tensor.untyped_storage() for the bytes, or the tensor "
            "itself for the elements.",
            UserWarning,
            stacklevel=stack_level(),
        )


class StorageBase:
    """What both faces share: where the memory is, and what may be done to it."""

    device: Device
    is_cuda = False
    is_hpu = False
    is_sparse = False

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        from flambeau.serialization.pickle_tensor import reduce_storage

        return reduce_storage(self)

    def get_device(self) -> int | None:
        """The index of the device; the CPU has none."""
        index: int | None = self.device.index
        return index

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked for an accelerator: there is none."""
        return False

    def pin_memory(self, device: Any = None) -> Any:
        """Page-lock the memory.

        Raises:
            RuntimeError: no accelerator would use it (with FLAMBEAU_CUDA=cpu: the storage itself).
        """
        if cuda_means_cpu():
            return self
        raise fail(
            RuntimeError,
            "pin_memory",
            "Cannot access accelerator device when none is available. Leave the storage as it is.",
        )

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Any:
        """The storage on a CUDA device.

        Raises:
            AssertionError: there is none (with FLAMBEAU_CUDA=cpu: the storage itself).
        """
        if cuda_means_cpu():
            return self
        raise fail(AssertionError, "cuda", "Torch not compiled with CUDA enabled. Use .cpu().")

    def hpu(self, device: Any = None, non_blocking: bool = False) -> Any:
        """The storage on an HPU.

        Raises:
            AssertionError: always; there is none.
        """
        raise fail(AssertionError, "hpu", "HPU device module is not loaded. Use .cpu().")

    def cpu(self) -> Any:
        """The storage in main memory: itself, where it is there already."""
        if self.device.type == "cpu":
            return self
        raise without_data("cpu")

    def to(self, *, device: Any, non_blocking: bool = False) -> Any:
        """The storage on another device."""
        kind = Device(device).type
        if kind == self.device.type:
            return self
        raise fail(AssertionError, "to", f"{kind.upper()} device module is not loaded.")

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + int(self.nbytes())

    def resizable(self) -> bool:
        """Whether `resize_` may be called: not where others hold the memory, too."""
        return bool(self._cdata.resizable)


class UntypedStorage(StorageBase):
    """The bytes a tensor and its views share.

    Args:
        source: the number of bytes, their values, or the tensor looked at.
        device: cpu, or meta for a storage without data.
    """

    is_sparse_csr = False
    filename: str | None = None
    """The file behind memory of `from_file(..., shared=True)`."""

    def __init__(self, source: Any = 0, *, device: Any = None) -> None:
        if isinstance(source, Tensor):
            self._tensor = source
        elif device is not None and Device(device).type == "meta":
            self._tensor = wrap(Abstract((count(source),), np.dtype("u1")))
        elif isinstance(source, int):
            self._tensor = wrap(np.zeros(source, np.uint8))
        else:
            values = list(source)
            if not all(isinstance(each, (int, np.integer)) for each in values):
                raise fail(
                    RuntimeError,
                    "UntypedStorage",
                    f"expected a size, or a sequence of bytes; one item of the given "
                    f"{type(source).__name__} is no integer.",
                )
            self._tensor = wrap(np.array([each & 255 for each in values], np.uint8))
        self._cdata: Storage = storage_of(self._tensor)

    @classmethod
    def from_buffer(cls, *args: Any, **kwargs: Any) -> UntypedStorage:
        """The bytes of a buffer, copied; see `storage.read_buffer`."""
        from flambeau.storage import read_buffer

        return read_buffer(*args, **kwargs)

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first bytes of a file; shared: writes reach it; see `storage.map_file`."""
        from flambeau.storage import map_file

        return map_file(os.fspath(filename), shared, nbytes)

    @staticmethod
    def new(source: Any = 0) -> UntypedStorage:
        """Another storage, as the constructor makes one."""
        return UntypedStorage(source)

    @property
    def is_meta(self) -> bool:
        """Whether it has a size only."""
        return type(self._tensor._array) is Abstract

    def _bytes(self) -> np.ndarray[Any, Any]:
        if self.is_meta:
            raise without_data("UntypedStorage")
        root = root_of(self._tensor)
        if not root.size:
            return np.empty(0, np.uint8)
        span = (
            sum((n - 1) * abs(s) for n, s in zip(root.shape, root.strides, strict=True))
            + root.itemsize
        )
        if span == root.size * root.itemsize:  # dense, in whatever order
            return root.ravel(order="K").view(np.uint8)
        first = root[tuple([slice(0, 1)] * root.ndim)].reshape(-1).view(np.uint8)
        flat: np.ndarray[Any, Any] = np.lib.stride_tricks.as_strided(first, (span,), (1,))
        return flat

    def data_ptr(self) -> int:
        """The address of the first byte."""
        if self.is_meta:
            return 0
        root = root_of(self._tensor)
        return address(root) if root.size else 0

    def nbytes(self) -> int:
        """Bytes in the storage."""
        if not isinstance(self._tensor._array, np.ndarray):
            return int(self._tensor._array.nbytes)
        return int(self._bytes().size)

    def size(self) -> int:
        """How many bytes there are."""
        return self.nbytes()

    def __len__(self) -> int:
        return self.nbytes()

    def element_size(self) -> int:
        """Bytes an element has: one."""
        return 1

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self

    def __getitem__(self, index: Any) -> Any:
        with in_range(index, self):
            found = self._bytes()[index]
        if isinstance(found, np.generic):
            return int(found)
        part = wrap(found)
        storage_of(part).root = found
        return UntypedStorage(part)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.is_meta:
            self._bytes()[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        """The bytes."""
        found: list[int] = self._bytes().tolist()
        return found

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UntypedStorage)
            and self.data_ptr() == other.data_ptr()
            and self.nbytes() == other.nbytes()
        )

    def __hash__(self) -> int:
        return id(self._cdata)

    @property
    def device(self) -> Device:  # type: ignore[override]
        return self._tensor.device

    def is_shared(self) -> bool:
        """Whether the bytes are in memory that processes share."""
        return bool(self._cdata.shared)

    def share_memory_(self) -> UntypedStorage:
        """Move the bytes, with all tensors on them, to memory that processes share."""
        if self.is_meta:
            raise fail(RuntimeError, "share_memory_", "a meta storage has no memory to share.")
        from flambeau.core.sharing import share

        share(self._tensor)
        return self

    def clone(self) -> UntypedStorage:
        """A copy."""
        if self.is_meta:
            return UntypedStorage(self.nbytes(), device="meta")
        return UntypedStorage(wrap(self._bytes().copy()))

    def fill_(self, value: int) -> UntypedStorage:
        """Set every byte."""
        if not self.is_meta:
            self._bytes()[...] = value
        return self

    def copy_(self, source: Any, non_blocking: Any = None) -> UntypedStorage:
        """Take the bytes of a storage of the same size.

        Raises:
            RuntimeError: the sizes differ.
        """
        _copy(self, source.untyped())
        return self

    def byteswap(self, dtype: dtypes.dtype) -> None:
        """Turn the byte order of every element of `dtype`, in place."""
        self._bytes().view(f"u{dtype.itemsize}").byteswap(inplace=True)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the class, or the storage as another type of the same size."""
        return "torch.storage.UntypedStorage" if dtype is None else _retyped(self, dtype)

    def mps(self) -> Any:
        """The storage on an MPS device.

        Raises:
            RuntimeError: always; there is none.
        """
        raise fail(RuntimeError, "mps", "Storage device not recognized: mps. Use .cpu().")

    def resize_(self, size: int) -> UntypedStorage:
        """Give the storage another number of bytes (tensors keep their geometry)."""
        if self.is_meta:
            self._tensor = wrap(Abstract((size,), np.dtype("u1")))
            self._cdata = storage_of(self._tensor)
            return self
        storage_checks.check_resizable("resize_", self._cdata)
        old = self._bytes()
        fresh = np.zeros(size, np.uint8)
        kept = min(size, old.size)
        fresh[:kept] = old[:kept]
        array = self._tensor._array
        offset = address(array) - address(old) if old.size and array.size else 0
        self._cdata.root = fresh
        with contextlib.suppress(TypeError, ValueError):  # the tensor does not fit any more
            self._tensor._array = np.ndarray(array.shape, array.dtype, fresh, offset, array.strides)
        return self

    def tensor(self, dtype: dtypes.dtype) -> Tensor:
        """All bytes as a 1-D tensor on the same memory; those that make no element are left out."""
        whole = self.nbytes() // dtype.itemsize * dtype.itemsize
        found = wrap(self._bytes()[:whole].view(dtype.numpy))
        found._storage = self._cdata
        return found

    def __repr__(self) -> str:
        where = f"[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"
        return f"{_rows(self)}\n{where}"


class TypedStorage(StorageBase):
    """The storage as elements of one dtype.

    Args:
        source: the number of elements, their values, or the tensor looked at.
        dtype: the elements'; the default dtype otherwise.
        wrap_storage: bytes to be read as elements.
    """

    def __init__(
        self, source: Any = 0, *, device: Any = None, dtype: Any = None, wrap_storage: Any = None
    ) -> None:
        _deprecated()
        check_request(source, device, dtype, wrap_storage, UntypedStorage)
        if wrap_storage is not None:
            self._untyped_storage = wrap_storage
        elif isinstance(source, Tensor):
            dtype = dtype or source.dtype
            self._untyped_storage = UntypedStorage(source)
        else:
            dtype = dtype or dtypes.default()
            self._untyped_storage = _elements_of(source, dtype, device)
        self.dtype: dtypes.dtype = dtype or dtypes.default()

    @classmethod
    def of(cls, untyped: UntypedStorage, dtype: dtypes.dtype) -> TypedStorage:
        """Bytes read as elements, without the word that the class is going away."""
        made = object.__new__(cls)
        made._untyped_storage, made.dtype = untyped, dtype
        return made

    @classmethod
    def from_buffer(cls, *args: Any, dtype: Any = None, **kwargs: Any) -> TypedStorage:
        """The elements of a buffer, copied; see `storage.read_buffer`."""
        from flambeau.storage import read_buffer

        kind = dtype or dtypes.default()
        return cls.of(read_buffer(*args, dtype=kind, **kwargs), kind)

    @classmethod
    def from_file(
        cls, filename: str, shared: bool = False, size: int = 0, *, dtype: Any = None
    ) -> TypedStorage:
        """The first elements of a file; shared: writes reach it; see `storage.map_file`."""
        from flambeau.storage import map_file

        kind = dtype or dtypes.default()
        return cls.of(map_file(os.fspath(filename), shared, size * kind.itemsize), kind)

    @property
    def _cdata(self) -> Storage:
        return self._untyped_storage._cdata  # type: ignore[no-any-return]

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._untyped_storage  # type: ignore[no-any-return]

    def _elements(self) -> np.ndarray[Any, Any]:
        count = self.size() * self.dtype.itemsize
        found: np.ndarray[Any, Any] = self._untyped_storage._bytes()[:count].view(self.dtype.numpy)
        return found

    def __len__(self) -> int:
        return self.size()

    def size(self) -> int:
        """Elements in the storage."""
        return int(self._untyped_storage.nbytes() // self.dtype.itemsize)

    def nbytes(self) -> int:
        return int(self._untyped_storage.nbytes())

    def element_size(self) -> int:
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        return int(self._untyped_storage.data_ptr())

    @property
    def filename(self) -> str | None:
        """The file behind memory of `from_file(..., shared=True)`."""
        return self._untyped_storage.filename  # type: ignore[no-any-return]

    def tolist(self) -> list[Any]:
        found: list[Any] = self._elements().tolist()
        return found

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        check_index(index)
        if isinstance(index, slice):
            raise fail(
                RuntimeError,
                "TypedStorage",
                "slices are only supported in UntypedStorage.__getitem__: slice a tensor instead.",
            )
        with in_range(index, self):
            return self._elements()[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        check_index(index)
        if not isinstance(value, Number | np.generic):
            raise fail(
                TypeError, "TypedStorage", f"expected a number, but got a {type(value).__name__}."
            )
        if self._untyped_storage.is_meta:
            return
        with in_range(index, self):
            self._elements()[index] = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedStorage) and self._untyped_storage == other._untyped_storage

    def __hash__(self) -> int:
        return hash(self._untyped_storage)

    def tensor(self, dtype: dtypes.dtype) -> Tensor:
        """All elements as a 1-D tensor on the same memory."""
        return self._untyped_storage.tensor(self.dtype)  # type: ignore[no-any-return]

    def fill_(self, value: Any) -> TypedStorage:
        """Set every element."""
        if not self._untyped_storage.is_meta:
            self._elements()[...] = value
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Take the bytes of a storage of the same size.

        Raises:
            RuntimeError: the sizes differ.
        """
        _copy(self._untyped_storage, source.untyped())
        return self

    def clone(self) -> TypedStorage:
        """A copy."""
        return TypedStorage.of(self._untyped_storage.clone(), self.dtype)

    def resize_(self, size: int) -> None:
        """Give the storage another number of elements."""
        self._untyped_storage.resize_(size * self.dtype.itemsize)

    def pickle_storage_type(self) -> str:
        """The old name a checkpoint writes: ``FloatStorage``."""
        return f"{OLD_NAMES[self.dtype]}Storage"

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The old name of the class, or the storage as another type of the same size."""
        name = f"torch.{OLD_NAMES.get(self.dtype, 'storage.Typed')}Storage"
        return name if dtype in (None, name) else _retyped(self._untyped_storage, dtype)

    @property
    def device(self) -> Device:  # type: ignore[override]
        return self._untyped_storage.device  # type: ignore[no-any-return]

    def is_shared(self) -> bool:
        return bool(self._untyped_storage.is_shared())

    def share_memory_(self) -> TypedStorage:
        """Mark the storage as shared between processes."""
        self._untyped_storage.share_memory_()
        return self

    def __repr__(self) -> str:
        kind = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{_rows(self)}\n[{kind} of size {len(self)}]"


def _elements_of(source: Any, dtype: dtypes.dtype, device: Any) -> UntypedStorage:
    """Bytes of so many elements, or of these.

    Raises:
        TypeError: neither a number nor a sequence.
    """
    if not isinstance(source, int) and (isinstance(source, str) or not hasattr(source, "__len__")):
        raise fail(
            TypeError,
            "TypedStorage",
            f"expected a number of elements or a sequence, but got {type(source).__name__}.",
        )
    if device is not None and Device(device).type == "meta":
        return UntypedStorage(count(source) * dtype.itemsize, device="meta")
    kind = dtype.numpy
    array = np.zeros(source, kind) if isinstance(source, int) else np.array(source, kind)
    return UntypedStorage(wrap(array))


def _rows(storage: Any) -> str:
    if storage.device.type == "meta":
        return "..."
    return "\n".join(f" {x}" for x in storage.tolist()) or " "


def _copy(target: UntypedStorage, source: UntypedStorage) -> None:
    if target.nbytes() != source.nbytes():
        raise fail(
            RuntimeError,
            "copy_",
            f"size does not match, self was {target.nbytes()} bytes but src was "
            f"{source.nbytes()} bytes: resize_ first.",
        )
    if not target.is_meta:
        target._bytes()[...] = source._bytes()


def _retyped(bytes_: UntypedStorage, kind: Any) -> Any:
    """PyTorch's `type(other)`: as many elements as there are bytes, then the bytes copied."""
    name = kind if isinstance(kind, str) else f"torch.{kind.__name__}"
    known = {f"torch.{old}Storage": dtype for dtype, old in OLD_NAMES.items()}
    if name not in known:
        raise fail(RuntimeError, "type", f"expected the type of a storage, got {kind!r}.")
    made = TypedStorage.of(UntypedStorage(bytes_.nbytes() * known[name].itemsize), known[name])
    return made.copy_(bytes_)


def _cast(dtype: dtypes.dtype) -> Any:
    def cast(self: Any) -> TypedStorage:
        own = dtypes.uint8 if isinstance(self, UntypedStorage) else self.dtype
        if self.untyped().is_meta:
            size = self.nbytes() // own.itemsize
            return TypedStorage.of(UntypedStorage(size * dtype.itemsize, device="meta"), dtype)
        moved = self.tensor(own).to(dtype)
        return TypedStorage.of(UntypedStorage(moved), dtype)

    cast.__doc__ = f"The values as {dtype}; the same memory where that is what they are."
    return cast


for _name, _dtype in CASTS.items():
    setattr(StorageBase, _name, _cast(_dtype))
