"""``torch.types``: names for annotations. Stands on core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, Any, Union

from flambeau.core.device import device as _device
from flambeau.core.dtypes import dtype as _dtype
from flambeau.core.layout import layout as _layout
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.core.untyped import TypedStorage, UntypedStorage

__all__ = ["Device", "FileLike", "Number", "Storage"]

Number = int | float | bool
Device = Union[_device, str, int, None]  # noqa: UP007 (None stands in a union of a class and strings)
FileLike = str | os.PathLike[str] | IO[bytes]
Storage = UntypedStorage | TypedStorage
SymInt, SymFloat, SymBool = int, float, bool
"""Symbolic numbers do not exist here: a size is an int."""
IntLikeType, FloatLikeType, BoolLikeType = int, float, bool
PySymType = int | float | bool
py_sym_types = (int, float, bool)

_TensorOrTensors = Tensor | Sequence[Tensor]
_dtype_ = _dtype
_size = Size | list[int] | tuple[int, ...]
_int, _float, _bool, _complex = int, float, bool, complex
_device_ = _device
_layout_ = _layout
_symint: Any = int
