"""What the declarations of convolution, pooling and resampling share: sizes from arguments, checks.

Stands on errors and NumPy; the sums are in ``core.kernels``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "batched",
    "dimensional",
    "only",
    "refuse_dtype",
    "refuse_mixed",
    "require_tensor",
    "single",
    "sizes",
    "unbatched",
]

Ints = tuple[int, ...]
_WORDS = {1: "one", 2: "two", 3: "three"}


def sizes(op: str, name: str, value: Any, count: int) -> Ints:
    """An int or a sequence of ``count`` ints (or of one) as a tuple of ``count``.

    Raises:
        RuntimeError: a sequence of another length. TypeError: not integers.
    """
    if type(value) is int:
        return (value,) * count
    if type(value) is tuple and len(value) == count and all(type(n) is int for n in value):
        return value
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        found = tuple(_integer(op, name, n) for n in value)
        if len(found) == 1:
            return found * count
        if len(found) != count:
            raise fail(
                RuntimeError,
                op,
                f"expected {name} to be a single integer value or a list of {count} values to "
                "match the spatial "
                f"dimensions, but got {name}={list(found)}. Give one int, or {_WORDS[count]} of "
                "them.",
            )
        return found
    return (_integer(op, name, value),) * count


def single(op: str, name: str, value: Any) -> int:
    """An int, or a sequence of one."""
    return sizes(op, name, value, 1)[0]


def _integer(op: str, name: str, value: Any) -> int:
    if not isinstance(value, (bool, float, complex, str)) and value is not None:
        try:
            return value.__index__()
        except (AttributeError, TypeError):
            pass
    raise fail(
        TypeError,
        op,
        f"argument '{name}' must be an int or a tuple of ints, but got {type(value).__name__}: "
        f"{value!r}.",
    )


def batched(op: str, array: Any, count: int, filled: int | None = None) -> Any:
    """The array with a batch axis: (C, *S) becomes (1, C, *S).

    Args:
        filled: how many dimensions, from the last on, may not be empty: all but N by default.

    Raises:
        RuntimeError: neither ``count + 1`` nor ``count + 2`` dimensions, or an empty one besides N.
    """
    if array.ndim == count + 1:
        array = array[None]
    elif array.ndim != count + 2:
        raise fail(
            RuntimeError,
            op,
            f"Expected {count + 1}D (unbatched) or {count + 2}D (batched) input, but got input of "
            "size "
            f"{list(array.shape)}. Reshape it to (N, C, "
            f"{', '.join('DHW'[3 - count :] if count > 1 else 'L')}).",
        )
    if 0 in array.shape[-(count + 1 if filled is None else filled) :]:
        raise fail(
            RuntimeError,
            op,
            f"Expected {count + 1}D or {count + 2}D tensor with optional 0 dim batch size for "
            f"input, but got {list(array.shape)}: only the batch may be empty.",
        )
    return array


def refuse_dtype(op: str, dtype: np.dtype[Any], allowed: str, also: tuple[str, ...] = ()) -> None:
    """Raise unless the dtype's kind is in ``allowed`` (bfloat16 counts as f) or its name in
    ``also``.

    Raises:
        NotImplementedError: as PyTorch's dispatch does.
    """
    kind = "f" if dtype.name == "bfloat16" else dtype.kind
    if kind not in allowed and dtype.name not in also:
        raise fail(
            NotImplementedError,
            op,
            f"\"{op}\" not implemented for '{of(dtype).legacy}'. Convert the input with .float() "
            "first.",
        )


def refuse_mixed(op: str, input: Any, *parameters: Any) -> None:
    """Raise unless all parameters have the input's dtype, or float32 beside a 16-bit input.

    Raises:
        RuntimeError: one has another.
    """
    given = [each.dtype for each in parameters if each is not None]
    narrow = input.dtype.itemsize == 2 and input.dtype.kind in "fV"
    if given and (any(d != given[0] for d in given) or given[0] != input.dtype):
        if narrow and all(d == np.float32 for d in given):
            return
        names = ", ".join(sorted({str(of(d)) for d in given}))
        raise fail(
            RuntimeError,
            op,
            f"mixed dtype (CPU): input is {of(input.dtype)}, weight, bias and running statistics "
            f"are {names}. Convert the input with .to({of(given[0])}), or the module.",
        )


def require_tensor(op: str, name: str, value: Any) -> None:
    """Raise unless ``value`` is a Tensor.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, Tensor):
        raise fail(TypeError, op, f"argument '{name}' must be Tensor, not {type(value).__name__}")


def unbatched(result: np.ndarray, ndim: int) -> np.ndarray:
    """The result without the batch axis that :func:`batched` added."""
    return result if result.ndim == ndim else result[0]


def only(g: Any) -> Any:
    """The gradient of the one differentiable output among several."""
    return g[0] if isinstance(g, (tuple, list)) else g


def dimensional(prefix: str, suffix: str) -> Callable[[Any], str]:
    """A node's name with its number of dimensions, read off the first size among its parameters;
    PyTorch pools lines as images of one row, and squeezes them."""

    def name(node: Any) -> str:
        count = next((len(p) for p in node.params or () if isinstance(p, tuple)), 2)
        if count == 1:
            return "SqueezeBackward1"
        return f"{prefix}{count}D{suffix}Backward0"

    return name
