"""To another dtype, device or layout: `to`, `type`, `float()` and their kin. Stands on
core.ops.cast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core.declare import OPERATIONS, ops
from flambeau.core.device import device as Device
from flambeau.core.entry import process
from flambeau.core.errors import fail
from flambeau.core.factory.short import is_here
from flambeau.core.factory_options import element_type
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.native.casts import KINDS, cast_to
from flambeau.core.lower import CLASSES, Shell
from flambeau.core.methods import attach
from flambeau.core.node import NOTHING_SAVED
from flambeau.core.state import ordinary
from flambeau.core.storage import storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of, leaf_edge, wrap

__all__ = ["Conversion"]


def _read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool, Any]:
    """dtype, device, copy, memory_format out of the many forms `to` takes."""
    dtype, device = kwargs.pop("dtype", None), kwargs.pop("device", None)
    copy, memory_format = kwargs.pop("copy", False), kwargs.pop("memory_format", None)
    kwargs.pop("non_blocking", None)
    other = kwargs.pop("other", None)
    if kwargs:
        raise fail(
            TypeError, "to", f"to() received an invalid keyword argument {next(iter(kwargs))!r}"
        )
    rest = list(args)
    if rest and (isinstance(rest[0], Tensor) or other is not None):
        source = rest.pop(0) if other is None else other
        dtype, device = source.dtype, source.device
    elif rest and _names_dtype(rest[0]):
        dtype = rest.pop(0)
    elif rest and (
        rest[0] is None or isinstance(rest[0], (str, Device, int)) and not isinstance(rest[0], bool)
    ):
        device = rest.pop(0)
        if rest and (rest[0] is None or _names_dtype(rest[0])):
            dtype = rest.pop(0)
    elif rest and not isinstance(rest[0], bool):
        raise fail(
            TypeError,
            "to",
            f"to() received an invalid argument of type {type(rest[0]).__name__}: give a dtype, a "
            f"device or a tensor",
        )
    if rest:
        rest.pop(0)
    if rest:
        copy = rest.pop(0)
    return None if dtype is None else element_type("to", dtype), device, copy, memory_format


def _names_dtype(value: Any) -> bool:
    return isinstance(value, dtypes.dtype) or (
        isinstance(value, type) and value in dtypes.PYTHON_TYPES
    )


_USUAL = frozenset(("dtype", "device", "non_blocking"))


def _usual(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The dtype, or the device where no dtype is given, of `to(device, dtype)` and of keywords;
    None for forms that must be read.
    """
    if len(args) == 1 and len(kwargs) == 1 and "non_blocking" in kwargs:
        return args[0]
    if not kwargs and len(args) == 2:
        device, dtype = args
    elif not args and _USUAL.issuperset(kwargs):
        device, dtype = kwargs.get("device"), kwargs.get("dtype")
    else:
        return None
    if device is not None and not is_here(device):
        return None
    return device if dtype is None else dtype


class Conversion:
    def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The tensor with another dtype and/or on another device; itself when nothing changes.

        Forms: ``to(dtype)``, ``to(device, dtype)``, ``to(other)``, with ``copy=``,
            ``memory_format=``.
        """
        if type(self) in PLAIN and type(self._array) is np.ndarray and ordinary():
            given = args[0] if len(args) == 1 and not kwargs else _usual(args, kwargs)
            if type(given) is dtypes.dtype:
                if given.numpy is self._array.dtype:
                    return self
                found = _SHORT[given](self)
                return ops._to_copy(self, given) if found is None else found
            if is_here(given):
                return self
            if type(given) in PLAIN and type(given._array) is np.ndarray:
                return self.to(given.dtype)
        dtype, device, copy, memory_format = _read(args, kwargs)
        found = self
        if device is not None:
            found = _move(found, device)
        found = _converted(found, dtype, memory_format or layout.preserve_format)
        return found.clone(memory_format=memory_format) if copy and found is self else found

    def type(self: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
        """The legacy type's name ('torch.FloatTensor'); with `dtype` (a dtype, a name, a legacy
        class) the tensor converted.
        """
        if dtype is None:
            return dtypes.tensor_type_name(
                self.dtype, self.device.type, self.layout is layout.sparse_coo
            )
        if type(dtype) is dtypes.dtype:
            return self.to(dtype)
        from flambeau.core.legacy import dtype_of_type

        return self.to(dtype_of_type(dtype))

    def type_as(self: Tensor, other: Tensor) -> Tensor:
        """The tensor with `other`'s dtype.

        Raises:
            RuntimeError: a dense tensor and a sparse one.
        """
        if (self.layout is layout.strided) != (other.layout is layout.strided):
            raise fail(
                RuntimeError,
                "type_as",
                f"type_as does not convert a tensor of layout {self.layout} to {other.layout}: "
                "call to_sparse() or to_dense() first, or .to(other.dtype)",
            )
        return self.to(other.dtype)

    def resolve_conj(self: Tensor) -> Tensor:
        """Itself: conjugation is computed at once."""
        return self

    def resolve_neg(self: Tensor) -> Tensor:
        """Itself: negation is computed at once."""
        return self

    def as_subclass(self: Tensor, cls: Any) -> Any:
        """The same tensor as an instance of a subclass.

        Raises:
            RuntimeError: it has no memory, but a class that computes for it.
        """
        _check_recast(self, cls)
        if edge_of(self) is not None:
            self = ops.alias(self)
        fresh: Any = object.__new__(cls)
        for slot in ("_array", "_storage", "_edge", "_view", "_grad"):
            setattr(fresh, slot, getattr(self, slot))
        if self._storage is None:
            fresh._storage = storage_of(self)
        return fresh

    @staticmethod
    def _make_subclass(cls: Any, data: Tensor, require_grad: bool = False, **_: Any) -> Any:
        """An instance of a subclass on the memory of `data`."""
        _check_recast(data, cls)
        fresh = wrap(data._array, cls)
        fresh._storage = data._storage or storage_of(data)
        return fresh.requires_grad_() if require_grad else fresh

    @staticmethod
    def _make_wrapper_subclass(
        cls: Any,
        size: Any,
        strides: Any = None,
        storage_offset: int | None = None,
        memory_format: Any = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: bool = False,
        requires_grad: bool = False,
        **policies: Any,
    ) -> Any:
        """An instance of a subclass without memory: `__torch_dispatch__` computes for it.

        Raises:
            TypeError: the class has none.
        """
        from flambeau.core.dtypes import get_default_dtype
        from flambeau.core.lower import disabled

        if getattr(cls, "__torch_dispatch__", disabled) is disabled:
            raise fail(
                TypeError,
                "_make_wrapper_subclass",
                f"{cls.__name__} must define __torch_dispatch__: there is no memory to compute on.",
            )

        kind = (dtype or get_default_dtype()).numpy
        steps = None if strides is None else tuple(int(n) * kind.itemsize for n in strides)
        shell = Shell(tuple(size), kind, steps, storage_offset or 0)
        shell.device = Device("cpu") if device is None else Device(device)
        fresh = wrap(shell, cls)
        if requires_grad:
            leaf_edge(fresh)
        return fresh


def _check_recast(tensor: Tensor, cls: type) -> None:
    kind = type(tensor)
    if kind in CLASSES and type(tensor._array) is Shell and not issubclass(kind, cls):
        raise fail(
            RuntimeError,
            "as_subclass",
            f"a {kind.__name__} has no memory of its own, and only that class knows what it "
            f"holds: make the {cls.__name__} from the tensor inside it.",
        )


def _move(tensor: Tensor, device: Any) -> Tensor:
    from flambeau.core.factory_options import is_meta

    abstract = type(tensor._array) is Abstract
    if is_meta("to", device):
        if abstract:
            return tensor
        a = tensor._array
        found = wrap(Abstract(a.shape, a.dtype, a.strides if isinstance(a, np.ndarray) else None))
        return found.requires_grad_() if tensor.requires_grad else found
    if abstract:
        raise fail(
            NotImplementedError,
            "to",
            "Cannot copy out of meta tensor; no data! Make the tensor on the cpu, or use "
            "Module.to_empty().",
        )
    return tensor


def _converted(tensor: Tensor, dtype: Any, memory_format: Any) -> Tensor:
    """The tensor in a dtype and a memory format; itself where it has the one and suggests the
    other.
    """
    if dtype is not None and dtype.numpy != tensor._array.dtype:
        return ops._to_copy(tensor, dtype, memory_format)  # type: ignore[no-any-return]
    if memory_format is layout.preserve_format or memory_format is layout.suggest_memory_format(
        tensor.shape, tensor.stride()
    ):
        return tensor
    return ops._clone(tensor, memory_format)  # type: ignore[no-any-return]


class _Shorts(dict[Any, Any]):
    """By dtype: ``short(tensor)``, the tensor converted, or None where the long way must look."""

    def __missing__(self, dtype: Any) -> Any:
        wanted = dtype.numpy
        found = None
        if wanted in KINDS and wanted.kind != "u":
            kinds = tuple(kind for kind in KINDS if kind is not wanted)
            op = OPERATIONS["_to_copy"]
            found = process.native(
                "unary", op, cast_to(wanted), kinds=kinds, has_rules=wanted.kind in "fV",
                kept_nothing=NOTHING_SAVED,
            )  # fmt: skip
        self[dtype] = found = found or _unserved
        return found


_SHORT = _Shorts()


def _unserved(tensor: Tensor) -> None:
    """There is no short way."""


def _caster(name: str, dtype: Any) -> Any:
    def cast(self: Tensor, memory_format: Any = layout.preserve_format) -> Tensor:
        if memory_format is layout.preserve_format:
            found = _SHORT[dtype](self)
            if found is not None:
                return found  # type: ignore[no-any-return]
        return _converted(self, dtype, memory_format)

    cast.__name__ = name
    cast.__doc__ = f"The tensor as {dtype.name}."
    return cast


for _name, _dtype in {
    "float": dtypes.float32,
    "double": dtypes.float64,
    "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16,
    "int": dtypes.int32,
    "long": dtypes.int64,
    "short": dtypes.int16,
    "char": dtypes.int8,
    "byte": dtypes.uint8,
    "bool": dtypes.bool,
    "chalf": dtypes.complex32,
    "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}.items():
    setattr(Conversion, _name, _caster(_name, _dtype))

attach(Conversion)
