"""The pickler of checkpoints: storages go by number, flambeau's classes by PyTorch's names."""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any

from flambeau.core import layout
from flambeau.core.device import device
from flambeau.core.dtypes import dtype
from flambeau.core.size import Size
from flambeau.core.untyped import TypedStorage, UntypedStorage
from flambeau.serialization import names
from flambeau.serialization.pickle_tensor import (
    StorageBytes,
    TypedBytes,
    bytes_of,
    dtype_name,
    legacy_storage_name,
)

__all__ = ["CheckpointPickler"]


class GlobalName:
    """Stands for a global that need not exist here, such as ``torch.FloatStorage``."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name


class CheckpointPickler(pickle._Pickler):  # type: ignore[name-defined]  # the C one checks names
    """Writes one object; afterwards ``storages`` holds the bytes it refers to, by key.

    The Python class is the base because a checkpoint names ``torch._utils``, and the C pickler
    refuses to write a global that it cannot import.
    """

    dispatch: dict[type, Any] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: io.BytesIO, protocol: int = 2, legacy: bool = False) -> None:
        super().__init__(file, protocol=protocol)
        self.legacy = legacy
        self.storages: dict[str, StorageBytes] = {}
        self.dtypes: dict[str, Any] = {}
        self._keys: dict[int, str] = {}
        self._globals: dict[tuple[str, str], GlobalName] = {}

    def persistent_id(self, thing: Any) -> Any:
        if type(thing) is TypedBytes:
            return self._storage_id(thing.bytes, thing.dtype)
        if type(thing) is StorageBytes:
            return self._storage_id(thing, None)
        if type(thing) is UntypedStorage:
            return self._storage_id(bytes_of(thing._tensor), None)
        if type(thing) is TypedStorage:
            return self._storage_id(bytes_of(thing.untyped()._tensor), thing.dtype)
        return None

    def _storage_id(self, data: StorageBytes, dtype: Any) -> tuple[Any, ...]:
        key = self._keys.get(self._identity(data))
        if key is None:
            key = str(len(self._keys))
            self._keys[self._identity(data)] = key
            self.storages[key] = data
            self.dtypes[key] = dtype
        elif dtype is not self.dtypes[key] and data.nbytes():
            raise RuntimeError(
                "save: two tensors view the same memory as different types "
                f"({self.dtypes[key]} and {dtype}); a checkpoint has one type per storage. "
                "Cannot save multiple tensors or storages that view the same data as different "
                "types: clone() one of them."
            )
        name = None if dtype is None else legacy_storage_name(dtype)
        if name is None:
            # The stream format counts elements of a type; PyTorch reads no untyped storage there.
            untyped = (
                ("torch", "ByteStorage") if self.legacy else ("torch.storage", "UntypedStorage")
            )
            kind, count = self.named(*untyped), data.nbytes()
        else:
            kind, count = self.named("torch", name), data.nbytes() // dtype.numpy.itemsize
        entry = ("storage", kind, key, "cpu", count)
        return (*entry, None) if self.legacy else entry

    @staticmethod
    def _identity(data: StorageBytes) -> int:
        return data.data_ptr() if data.nbytes() else -id(data)

    def named(self, module: str, name: str) -> GlobalName:
        """The one object that stands for a global, so that it is written once."""
        return self._globals.setdefault((module, name), GlobalName(module, name))

    def save_global(self, thing: Any, name: str | None = None) -> None:
        """Write a class or function by name; a local one cannot be found again and is refused."""
        known = names.written(thing)
        if known is not None:
            self._write_global(thing, *known)
            return
        if name is not None and type(thing).__module__.startswith("flambeau."):
            self._write_global(thing, "torch", name)  # a constant, such as a quantised dtype
            return
        qualname = getattr(thing, "__qualname__", "")
        if "<locals>" in qualname or "<lambda>" in qualname:
            kind = AttributeError if "<locals>" in qualname else pickle.PicklingError
            raise kind(
                f"save: Can't pickle local object '{qualname}': a file can only name it, and it "
                "has no name outside its function. Save its data (a state_dict) instead, or "
                "define it at the top of a module."
            )
        super().save_global(thing, name)

    def _write_global(self, thing: Any, module: str, name: str) -> None:
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(thing)

    def _save_named(self, thing: GlobalName) -> None:
        self._write_global(thing, thing.module, thing.name)

    def _save_dtype(self, thing: Any) -> None:
        self._write_global(thing, "torch", dtype_name(thing))

    def _save_size(self, thing: Any) -> None:
        self.save_reduce(self.named("torch", "Size"), (tuple(thing),), obj=thing)

    def _save_device(self, thing: Any) -> None:
        parts = (thing.type,) if thing.index is None else (thing.type, thing.index)
        self.save_reduce(self.named("torch", "device"), parts, obj=thing)

    def _save_layout(self, thing: Any) -> None:
        layout = self.named("torch.serialization", "_get_layout")
        self.save_reduce(layout, (str(thing),), obj=thing)

    def _save_memory_format(self, thing: Any) -> None:
        self._write_global(thing, "torch", str(thing).removeprefix("torch."))

    def _save_function(self, thing: Any) -> None:
        self.save_global(thing)

    def save_reduce(self, func: Any, args: Any, *rest: Any, **named: Any) -> None:
        """As the base, which asks that ``func`` be callable; a ``GlobalName`` is one on loading."""
        if type(func) is not GlobalName:
            super().save_reduce(func, args, *rest, **named)
            return
        thing = named["obj"]
        self.save(func)
        self.save(args)
        self.write(pickle.REDUCE)
        self.memoize(thing)


CheckpointPickler.dispatch.update(
    {
        GlobalName: CheckpointPickler._save_named,
        FunctionType: CheckpointPickler._save_function,
        Size: CheckpointPickler._save_size,
        device: CheckpointPickler._save_device,
        dtype: CheckpointPickler._save_dtype,
        layout.layout: CheckpointPickler._save_layout,
        layout.memory_format: CheckpointPickler._save_memory_format,
    }
)
