"""`Abstract`: an array's shape, strides and dtype without its numbers. Meta tensors hold one.

It answers NumPy's protocols, so an operation's body is read on it as on an array. Views are taken
on a proxy array of the same geometry over one element's memory, which is never read. Stands on
NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["Abstract", "broadcast_shapes", "contiguous"]

VIEWS = frozenset(("swapaxes", "transpose", "squeeze", "diagonal"))
REDUCTIONS = frozenset(
    (
        "sum",
        "prod",
        "max",
        "min",
        "any",
        "all",
        "mean",
        "argmax",
        "argmin",
        "amax",
        "amin",
        "std",
        "var",
    )
)
SCANS = frozenset(
    (
        "cumsum",
        "cumprod",
        "sort",
        "flip",
        "roll",
        "copy",
        "ascontiguousarray",
        "nan_to_num",
        "tril",
        "triu",
    )
)


def contiguous(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Byte strides of a C-contiguous array."""
    strides = []
    step = itemsize
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(strides[::-1])


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of broadcast operands (of any rank: NumPy's own stops at 64).

    Raises:
        ValueError: they do not broadcast.
    """
    ndim = max(map(len, shapes), default=0)
    found = [1] * ndim
    for shape in shapes:
        for k, size in enumerate(shape, ndim - len(shape)):
            if size != 1:
                if found[k] not in (1, size):
                    raise ValueError("shapes do not broadcast")
                found[k] = size
    return tuple(found)


class Abstract(NDArrayOperatorsMixin):
    """An array without numbers."""

    __slots__ = ("dtype", "offset", "shape", "strides")

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        strides: tuple[int, ...] | None = None,
        offset: int = 0,
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.strides = contiguous(self.shape, self.dtype.itemsize) if strides is None else strides
        self.offset = offset

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def T(self) -> Abstract:
        return Abstract(self.shape[::-1], self.dtype, self.strides[::-1])

    @property
    def real(self) -> Abstract:
        return Abstract(self.shape, _real(self.dtype))

    @property
    def imag(self) -> Abstract:
        return Abstract(self.shape, _real(self.dtype))

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        raise NotImplementedError("a meta tensor has no value to decide by")

    def proxy(self) -> np.ndarray[Any, Any]:
        """An array of this geometry, whose elements must not be read."""
        return np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, self.strides)

    def astype(self, dtype: Any, **_: Any) -> Abstract:
        return Abstract(self.shape, dtype)

    def copy(self, order: str = "C") -> Abstract:
        return Abstract(self.shape, self.dtype)

    def reshape(self, *shape: Any) -> Abstract:
        sizes = list(shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)
        if -1 in sizes:
            rest = math.prod(n for n in sizes if n != -1)
            sizes[sizes.index(-1)] = self.size // rest if rest else 0
        return Abstract(tuple(sizes), self.dtype)

    def __getitem__(self, index: Any) -> Abstract:
        return _like(self.proxy()[index])

    def __getattr__(self, name: str) -> Any:
        if name in VIEWS:
            return lambda *args, **kwargs: _like(getattr(self.proxy(), name)(*args, **kwargs))
        if name in REDUCTIONS or name in SCANS:
            return lambda *args, **kwargs: _function(name, (self, *args), kwargs)
        raise AttributeError(name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce":
            return _function("sum" if ufunc is np.add else "max", inputs, kwargs)
        if method != "__call__":
            return NotImplemented
        types = tuple(x.dtype if hasattr(x, "dtype") else type(x) for x in inputs)
        found = ufunc.resolve_dtypes((*types, *(None,) * ufunc.nout))[len(inputs) :]
        shape = broadcast_shapes(*(getattr(x, "shape", ()) for x in inputs))
        results = tuple(Abstract(shape, dtype) for dtype in found)
        return results if ufunc.nout > 1 else results[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _function(function.__name__, args, kwargs)

    def __repr__(self) -> str:
        return f"Abstract({self.shape}, {self.dtype})"


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _like(array: Any) -> Abstract:
    return Abstract(array.shape, array.dtype, array.strides)


def _function(name: str, args: Any, kwargs: Any) -> Any:
    """The abstract result of a NumPy function of the vocabulary."""
    first = args[0]
    if name in REDUCTIONS:
        axis = kwargs.get("axis", args[1] if len(args) > 1 else None)
        return Abstract(
            _reduced(first.shape, axis, kwargs.get("keepdims", False)),
            _reduced_type(name, first, kwargs),
        )
    if name in SCANS:
        return Abstract(first.shape, first.dtype)
    if name == "where":
        shapes = [getattr(a, "shape", ()) for a in args]
        return Abstract(
            broadcast_shapes(*shapes), np.result_type(*(getattr(a, "dtype", a) for a in args[1:]))
        )
    if name in ("concatenate", "stack"):
        arrays, axis = args[0], kwargs.get("axis", args[1] if len(args) > 1 else 0)
        shape = list(arrays[0].shape)
        if name == "stack":
            shape.insert(axis % (len(shape) + 1), len(arrays))
        else:
            shape[axis] = sum(a.shape[axis] for a in arrays)
        return Abstract(tuple(shape), np.result_type(*(a.dtype for a in arrays)))
    if name in ("zeros_like", "empty_like", "ones_like", "full_like"):
        return Abstract(first.shape, kwargs.get("dtype") or first.dtype)
    if name == "broadcast_to":
        shape = args[1]
        strides = (0,) * (len(shape) - first.ndim) + tuple(
            0 if old == 1 and new != 1 else stride
            for old, new, stride in zip(
                first.shape, shape[len(shape) - first.ndim :], first.strides, strict=True
            )
        )
        return Abstract(shape, first.dtype, strides)
    if name in ("moveaxis", "swapaxes", "transpose", "squeeze", "expand_dims", "diagonal"):
        return _like(getattr(np, name)(first.proxy(), *args[1:], **kwargs))
    if name == "reshape":
        return first.reshape(args[1])
    if name == "matmul":
        a, b = args
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return Abstract((*batch, *a.shape[-2:-1], *b.shape[-1:]), np.result_type(a.dtype, b.dtype))
    raise NotImplementedError(
        f"numpy.{name} is outside the vocabulary that is read on meta tensors"
    )


def _reduced(shape: tuple[int, ...], axis: Any, keep: bool) -> tuple[int, ...]:
    if axis is None or axis == ():
        axes = set(range(len(shape)))
    else:
        axes = (
            {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
            if shape
            else set()
        )
    if keep:
        return tuple(1 if k in axes else n for k, n in enumerate(shape))
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def _reduced_type(name: str, first: Any, kwargs: Any) -> np.dtype[Any]:
    if kwargs.get("dtype") is not None:
        return np.dtype(kwargs["dtype"])
    if name in ("any", "all"):
        return np.dtype(bool)
    if name in ("argmax", "argmin"):
        return np.dtype("i8")
    return np.dtype(first.dtype)
