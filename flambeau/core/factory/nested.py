"""Python's data as arrays: numbers, nested sequences, arrays and tensors, with the dtype that
PyTorch infers.

The tensors around them are made in `factory.data`. Stands on dtypes and tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.kernels.float8 import cast
from flambeau.core.numbers import check_range, number_for
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
        if dtype is not None:
            _check_real(op, found, data, dtype)
    elif isinstance(data, (bool, int, float, complex)):
        return _number(data, dtype)
    elif hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        found = np.asarray(data)
    else:
        found = _nested(data, op)
        if dtype is not None:
            _check_real(op, found, data, dtype)
            check_range(op, found, dtype.numpy)
        else:
            if (
                found.dtype.kind == "f"
                and not getattr(data, "dtype", None)
                and _holds_python_floats(data)
            ):
                found = found.astype(dtypes.default().numpy)
            elif found.dtype.kind == "c" and _holds_python_floats(data):
                found = found.astype(dtypes.default_complex().numpy)
    return quiet(cast, found, dtype.numpy if dtype is not None else found.dtype)


def _check_real(op: str, found: Any, data: Any, dtype: Any) -> None:
    """Whether a real dtype is asked for real numbers. NumPy's complex ones lose their imaginary
    part on the way to a floating dtype; Python's are all true or false.

    Raises:
        TypeError: some are complex. RuntimeError: a floating dtype, and they are tensors.
    """
    if found.dtype.kind in "cW" and not dtype.is_complex:
        while isinstance(data, (list, tuple)):
            data = data[0]
        floating, boolean = dtype.is_floating_point, dtype.category == "bool"
        if (floating or (boolean and isinstance(data, complex))) and isinstance(data, np.generic):
            return
        if boolean and not isinstance(data, (np.generic, Tensor)):
            return
        raise fail(
            RuntimeError if floating and isinstance(data, Tensor) else TypeError,
            op,
            f"must be real number, not complex: the dtype asked for is {dtype}. Ask for a complex "
            "one, or give the real parts.",
        )


def _number(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if dtype is None:
        if isinstance(data, bool):
            return np.array(data)
        if isinstance(data, int):
            return np.array(_checked_int(data), np.int64)
        if isinstance(data, float):
            return np.array(data, dtypes.default().numpy)
        return np.array(data, dtypes.default_complex().numpy)
    if isinstance(data, complex):
        _check_real("tensor", np.asarray(data), data, dtype)
    if dtype.numpy.kind in "iu" and not isinstance(data, complex):
        if isinstance(data, int) and dtype.numpy != np.uint64:
            _checked_int(data)
        data = number_for("tensor", data, dtype.numpy)
    return quiet(cast, np.asarray(data), dtype.numpy)


def _checked_int(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise fail(ValueError, "tensor", "Overflow when unpacking long long: integers take 64 bits")
    return value


def _holds_python_floats(data: Any) -> bool:
    """Whether the innermost elements are Python numbers (of the default dtype), not NumPy's."""
    while isinstance(data, (list, tuple)) or (
        hasattr(data, "__len__") and not isinstance(data, (Tensor, np.ndarray))
    ):
        if not len(data):
            return True
        data = data[0]
    return not isinstance(data, (np.generic, np.ndarray, Tensor))


def _nested(data: Any, op: str) -> np.ndarray[Any, Any]:
    """An array from nested sequences.

    Raises:
        ValueError: ragged sequences; TypeError: an element that is no number.
    """
    if not isinstance(data, (list, tuple)):
        if (
            hasattr(data, "__len__")
            and hasattr(data, "__getitem__")
            and not isinstance(data, (str, bytes, dict))
        ):
            data = [data[k] for k in range(len(data))]
        else:
            typed = op == "Tensor" or isinstance(data, (str, bytes))
            raise fail(
                TypeError if typed else RuntimeError,
                op,
                f"Could not infer dtype of {type(data).__name__}: give numbers, sequences of "
                f"them, or an array",
            )
    if not data:
        return np.empty((0,), dtypes.default().numpy)
    shape = _shape(data)
    leaves: list[Any] = []
    _collect(data, shape, leaves, op)
    if not leaves:
        return np.empty(shape, dtypes.default().numpy)
    kinds = {type(x) for x in leaves}
    if any(isinstance(x, Tensor) for x in leaves):
        arrays = [x._array if isinstance(x, Tensor) else np.asarray(x) for x in leaves]
        wide = (
            np.result_type(*[a.dtype for a in arrays])
            if len({a.dtype for a in arrays}) > 1
            else arrays[0].dtype
        )
        return np.array([a.item() for a in arrays], wide).reshape(shape)
    if kinds <= {bool}:
        return np.array(leaves, bool).reshape(shape)
    if kinds <= {bool, int}:
        for x in leaves:
            _checked_int(x)
        return np.array(leaves, np.int64).reshape(shape)
    if kinds <= {bool, int, float}:
        return np.array(leaves, np.float64).reshape(shape)
    for x in leaves:
        if not isinstance(x, (bool, int, float, complex, np.generic)):
            if isinstance(x, str):
                raise fail(
                    ValueError if x is leaves[0] else TypeError,
                    op,
                    "too many dimensions 'str': elements must be numbers, not text",
                )
            if op == "Tensor":
                raise fail(TypeError, op, f"elements must be real numbers, not {type(x).__name__}")
            raise fail(
                RuntimeError,
                op,
                f"Could not infer dtype of {type(x).__name__}: elements must be numbers",
            )
    return np.array(leaves).reshape(shape)


def _shape(data: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(data, (list, tuple, np.ndarray)) or (
        isinstance(data, Tensor) and data._array.ndim
    ):
        if isinstance(data, (np.ndarray, Tensor)):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not data:
            break
        data = data[0]
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], leaves: list[Any], op: str, depth: int = 0) -> None:
    if not shape[depth:]:
        if isinstance(data, (list, tuple)):
            raise fail(
                TypeError, op, f"not a sequence expected at dim {depth}, got {type(data).__name__}"
            )
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
    if not isinstance(data, (list, tuple)):
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
    if len(shape) == depth + 1 and not any(
        isinstance(x, (list, tuple, np.ndarray, Tensor)) for x in data
    ):
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
