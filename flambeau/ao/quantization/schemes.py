"""The names of quantised elements: dtypes that mean integers with a scale, and the schemes that say
how many scales there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.dtypes import dtype

__all__ = [
    "BOUNDS",
    "STORED",
    "per_channel_affine",
    "per_channel_affine_float_qparams",
    "per_channel_symmetric",
    "per_tensor_affine",
    "per_tensor_symmetric",
    "qint32",
    "qint8",
    "qscheme",
    "quint2x4",
    "quint4x2",
    "quint8",
]


class qscheme:
    """How a tensor is quantised: compare with ``is``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:
        return self._name

    def __deepcopy__(self, memo: Any) -> qscheme:
        return self


per_tensor_affine = qscheme("per_tensor_affine")
per_tensor_symmetric = qscheme("per_tensor_symmetric")
per_channel_affine = qscheme("per_channel_affine")
per_channel_symmetric = qscheme("per_channel_symmetric")
per_channel_affine_float_qparams = qscheme("per_channel_affine_float_qparams")


class _Quantised(dtype):
    """A dtype of quantised elements; tensors of it keep integers."""

    __slots__ = ()


_Quantised.__name__ = _Quantised.__qualname__ = "dtype"


def _make(name: str, storage: Any, legacy: str) -> dtype:
    made: dtype = object.__new__(_Quantised)
    array_type = np.dtype(storage)
    values = {
        "name": name, "numpy": array_type, "category": "quantised", "legacy": legacy,
        "abbr": name, "itemsize": array_type.itemsize, "is_floating_point": False,
        "is_complex": False, "is_signed": not name.startswith("qu"),
    }  # fmt: skip
    for key, value in values.items():
        object.__setattr__(made, key, value)
    return made


qint8 = _make("qint8", np.int8, "QInt8")
quint8 = _make("quint8", np.uint8, "QUInt8")
qint32 = _make("qint32", np.int32, "QInt32")
quint4x2 = _make("quint4x2", np.uint8, "QUInt4x2")
quint2x4 = _make("quint2x4", np.uint8, "QUInt2x4")

BOUNDS: dict[dtype, tuple[int, int]] = {
    qint8: (-128, 127),
    quint8: (0, 255),
    qint32: (-(2**31), 2**31 - 1),
}
"""The least and the greatest integer of each."""
STORED = {qint8: "int8", quint8: "uint8", qint32: "int32"}
