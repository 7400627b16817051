"""``torch.storage``, and the old names of typed storages: ``torch.FloatStorage(4)`` and its kin.

Such a name stands for "elements of float32": instances are TypedStorages, `isinstance` looks at
the dtype. The storages themselves live in ``core.untyped``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.tensor import wrap
from flambeau.core.untyped import TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]


class _StorageType(type):
    """The metaclass of the old names: calling one makes a TypedStorage of its dtype."""

    _given: dtypes.dtype | None

    @property
    def dtype(cls) -> dtypes.dtype:
        """The dtype of the elements; of plain ``Storage`` the default one."""
        return cls._given or dtypes.default()

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype

    def __call__(cls, source: Any = 0, *, device: Any = None) -> TypedStorage:
        kind = cls.dtype.numpy
        array = np.zeros(source, kind) if isinstance(source, int) else np.array(source, kind)
        return TypedStorage(wrap(array))


def _named(name: str, dtype: dtypes.dtype | None) -> type:
    return _StorageType(name, (), {"_given": dtype, "__module__": "torch"})


BFloat16Storage = _named("BFloat16Storage", dtypes.bfloat16)
BoolStorage = _named("BoolStorage", dtypes.bool)
ByteStorage = _named("ByteStorage", dtypes.uint8)
CharStorage = _named("CharStorage", dtypes.int8)
ComplexDoubleStorage = _named("ComplexDoubleStorage", dtypes.complex128)
ComplexFloatStorage = _named("ComplexFloatStorage", dtypes.complex64)
DoubleStorage = _named("DoubleStorage", dtypes.float64)
FloatStorage = _named("FloatStorage", dtypes.float32)
HalfStorage = _named("HalfStorage", dtypes.float16)
IntStorage = _named("IntStorage", dtypes.int32)
LongStorage = _named("LongStorage", dtypes.int64)
ShortStorage = _named("ShortStorage", dtypes.int16)
Storage = _named("Storage", None)
