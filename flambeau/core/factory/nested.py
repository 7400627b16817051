"""Python's data as arrays: numbers, nested sequences, arrays and tensors, with the dtype that
PyTorch infers.

The tensors around them are made in `factory.data`. Stands on dtypes and tensor.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.kernels.float8 import cast
from flambeau.core.numbers import check_range, number_for
from flambeau.core.promotion import promote_types
from flambeau.core.silence import quiet
from flambeau.core.tensor import Tensor

__all__ = ["data_array", "native"]


def data_array(data: Any, dtype: Any, op: str) -> np.ndarray[Any, Any]:
    """Nested sequences, numbers, arrays and tensors as an array of the dtype PyTorch infers."""
    if isinstance(data, Tensor):
        found = data._array
    elif isinstance(data, np.ndarray):
        found = native(data, op)
    elif isinstance(data, np.generic):
        found = np.asarray(data)
        if found.dtype.kind == "c" and dtype is not None and not dtype.is_complex:
            found = _real_part(data, dtype, op)
    elif isinstance(data, (bool, int, float, complex)):
        dtype = _inferred(data, op) if dtype is None else dtype
        found = _stored([data], dtype, op).reshape(())
    elif hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        found = np.asarray(data)
    else:
        shape = _shape(data, op)
        dtype = _inferred(data, op) if dtype is None else dtype
        found = _nested(data, shape, dtype, op)
    return quiet(cast, found, dtype.numpy if dtype is not None else found.dtype)


def _inferred(data: Any, op: str) -> Any:
    """The dtype of Python's data: that to which the dtypes of all elements promote.

    Raises:
        TypeError: text. RuntimeError: no number.
    """
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (np.generic, np.ndarray)) and data.dtype.kind not in "US":
        return dtypes.of(data.dtype)
    if isinstance(data, (bool, int, float, complex)):
        return _of_number(type(data))
    if _is_sequence(data):
        kinds = set(map(type, data)) if isinstance(data, (list, tuple)) else None
        if kinds and kinds <= NUMBERS:
            found = {_of_number(kind) for kind in kinds}
        else:
            found = {_inferred(each, op) for each in data}
        return functools.reduce(promote_types, found) if found else dtypes.default()
    if isinstance(data, (str, bytes)):
        raise fail(
            TypeError, op, f"invalid data type {type(data).__name__!r}: give numbers, not text"
        )
    raise fail(
        TypeError if op == "Tensor" else RuntimeError,
        op,
        f"Could not infer dtype of {type(data).__name__}: give numbers, sequences of them, or an "
        f"array",
    )


NUMBERS = {bool, int, float, complex}


def _of_number(kind: type) -> Any:
    if issubclass(kind, bool):
        return dtypes.bool
    if issubclass(kind, int):
        return dtypes.int64
    return dtypes.default() if issubclass(kind, float) else dtypes.default_complex()


def _is_sequence(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return True
    if isinstance(data, (str, bytes, dict, Tensor, np.ndarray)):
        return False
    return hasattr(data, "__len__") and hasattr(data, "__getitem__")


def _nested(data: Any, shape: tuple[int, ...], dtype: Any, op: str) -> np.ndarray[Any, Any]:
    """An array from nested sequences, of a dtype that holds what `dtype` holds.

    Raises:
        ValueError: ragged sequences; TypeError: an element that is no number.
    """
    if 0 in shape:
        return np.empty(shape, dtype.numpy)
    leaves: list[Any] = []
    _collect(data, shape, leaves, op)
    return _stored(leaves, dtype, op).reshape(shape)


def _stored(leaves: list[Any], dtype: Any, op: str) -> np.ndarray[Any, Any]:
    """Elements as PyTorch writes them into a tensor of `dtype`, in an array that is cast to it.

    Raises:
        TypeError: an element is not of that kind. RuntimeError: it does not fit. ValueError,
            OverflowError: it takes more than 64 bits.
    """
    kinds = set(map(type, leaves))
    if str in kinds:
        raise fail(TypeError, op, "invalid data type 'str': give numbers, not text")
    plain = kinds <= {bool, int, float}
    if dtype.is_complex:
        values = leaves if plain or kinds <= NUMBERS else [_complex(x, op) for x in leaves]
        return np.array(values, np.complex128)
    if dtype.is_floating_point:
        return np.array(leaves if plain else [_real(x, op) for x in leaves], np.float64)
    if dtype is dtypes.bool:
        return np.array([_truth(x, op) for x in leaves], bool)
    if dtype is dtypes.uint64:
        return np.array([_unsigned(x, op) for x in leaves], np.uint64)
    plain = kinds <= {bool, int}
    if not plain:
        leaves = [_whole(x, op) for x in leaves]
    try:
        found = np.array([x for x in leaves if isinstance(x, int)], np.int64)
    except OverflowError:
        raise fail(
            ValueError, op, "Overflow when unpacking long long: integers take 64 bits"
        ) from None
    if not plain:
        found = np.array([number_for(op, x, dtype.numpy) for x in leaves], np.int64)
    check_range(op, found, dtype.numpy)
    return found


def _real_part(x: Any, dtype: Any, op: str) -> Any:
    """What a real dtype takes from NumPy's complex numbers, as PyTorch asks them for it: a floating
    one the real part, bool whether Python's own kind is true.

    Raises:
        TypeError: any other.
    """
    if dtype.is_floating_point:
        return np.asarray(x.real)
    if dtype is dtypes.bool and isinstance(x, complex):
        return np.asarray(bool(x))
    raise fail(TypeError, op, f"must be real number, not complex: the dtype asked for is {dtype}")


def _real(x: Any, op: str) -> float:
    if isinstance(x, np.complexfloating):
        x = x.real
    if not hasattr(x, "__float__") and not hasattr(x, "__index__"):
        raise fail(TypeError, op, f"must be real number, not {type(x).__name__}")
    return float(x)


def _complex(x: Any, op: str) -> complex:
    return complex(x) if hasattr(x, "__complex__") else _real(x, op)


def _whole(x: Any, op: str) -> Any:
    if isinstance(x, float):
        return x
    try:
        return operator.index(x)
    except TypeError:
        name = type(x).__name__
        raise fail(TypeError, op, f"{name!r} object cannot be interpreted as an integer") from None


def _truth(x: Any, op: str) -> bool:
    return bool(x if isinstance(x, (bool, complex, np.bool_)) else _whole(x, op))


def _unsigned(x: Any, op: str) -> int:
    if not isinstance(x, int):
        raise fail(TypeError, op, f"an integer is required, got {type(x).__name__}")
    if not 0 <= x < 1 << 64:
        raise fail(OverflowError, op, f"torch.uint64 holds 0 to 2**64 - 1, got {x}")
    return x


DEEPEST = 64
"""Dimensions of NumPy's arrays."""


def _shape(data: Any, op: str) -> tuple[int, ...]:
    """The lengths of the first sequence at each depth.

    Raises:
        ValueError: text comes first in one, or they are nested deeper than arrays are.
    """
    shape: list[int] = []
    while True:
        if len(shape) > DEEPEST:  # a sequence that holds itself has no end
            raise fail(ValueError, op, f"too many dimensions {type(data).__name__!r}")
        if isinstance(data, np.ndarray):
            return (*shape, *data.shape)
        if isinstance(data, str) and shape:
            raise fail(
                ValueError, op, "too many dimensions 'str': elements must be numbers, not text"
            )
        if not _is_sequence(data):
            return tuple(shape)  # a number, or a tensor, which counts as one
        shape.append(len(data))
        if not shape[-1]:
            return tuple(shape)
        data = data[0]


def _collect(data: Any, shape: tuple[int, ...], leaves: list[Any], op: str, depth: int = 0) -> None:
    if not shape[depth:]:
        leaves.append(data)
        return
    if isinstance(data, (np.ndarray, Tensor)):
        if tuple(data.shape) != shape[depth:]:
            raise fail(
                ValueError,
                op,
                f"expected sequence of length {shape[depth]} at dim {depth} (got "
                f"{tuple(data.shape)})",
            )
        leaves.extend((data._array if isinstance(data, Tensor) else data).reshape(-1))
        return
    if not _is_sequence(data):
        raise fail(
            TypeError,
            op,
            f"expected a sequence at dim {depth}, got {type(data).__name__}: the nesting is ragged",
        )
    if len(data) != shape[depth]:
        raise fail(
            ValueError,
            op,
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})",
        )
    if len(shape) == depth + 1:
        leaves.extend(data)
        return
    for each in data:
        _collect(each, shape, leaves, op, depth + 1)


def native(array: np.ndarray[Any, Any], op: str) -> np.ndarray[Any, Any]:
    if not array.dtype.isnative:
        raise fail(
            ValueError,
            op,
            "given numpy array has byte order different from the native byte order: .astype() it "
            "first.",
        )
    dtypes.of(array.dtype)
    return array
