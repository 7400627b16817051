"""The largest and smallest and where they are: max, min, amax, amin, aminmax, argmax, argmin.

NaN wins everywhere. Ties: `amax`, `amin` and the full reductions share the gradient evenly, those
over one dimension give it to the first. `maximum` and `minimum` are elementwise: compare.
Stands on declare and along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive, reduction
from flambeau.core.dims import unreduce, wrap_dim
from flambeau.core.dtypes import REAL, of
from flambeau.core.errors import fail
from flambeau.core.folds import ALL, LEAST, fold_add, fold_max
from flambeau.core.kernels.generate.folds import fold
from flambeau.core.kernels.generate.places import places
from flambeau.core.ops.along import in_order, selected, spelled
from flambeau.core.ops.reduce import axes_of
from flambeau.core.rules import with_arrays
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []

nd = np.ndarray
UNSET: Any = object()


def check_whole(name: str, input: Any) -> None:
    """Refuse to reduce nothing to one element.

    Raises:
        RuntimeError: no elements.
    """
    if not input.size:
        raise fail(
            RuntimeError,
            name,
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the "
            "'dim' argument.",
        )


def check_dim(name: str, input: Any, dim: Any) -> int:
    """The dimension counted from the front, if it has elements.

    Raises:
        IndexError: it has none.
    """
    k = wrap_dim(dim, input.ndim, name)
    if input.ndim and not input.shape[k]:
        raise fail(
            IndexError, name, f"{name}(): Expected reduction dim {dim} to have non-zero size."
        )
    return k


def shares(input: Any, out: Any, axes: Any) -> Any:
    """Where `input` equals the reduced `out`: one over the number of such elements; else 0.

    Args:
        input: what was reduced.
        out: the results.
        axes: the reduced dimensions; None for all, where a NaN equals one. Along dimensions nothing
            equals a NaN: none of nothing is NaN.
    """
    mask = input == out
    if axes is None and input.dtype.kind in "fV":
        mask |= (input != input) & (out != out)
    count = fold_add(mask, axis=axes, keepdims=True)
    return np.divide(mask, count, dtype=np.float64).astype(input.dtype)


@primitive(function=False, method=False, infer=lambda input, out, axes: (input.shape, input.dtype))
def _shares(input, out, axes: Any):
    """`shares` as an operation: a constant for every gradient."""
    return shares(input, out, axes)


@with_arrays(lambda g, input, out: g * shares(input, out, None))
def _even_rule(g: Any, input: Any, out: Any) -> Any:
    return g * ops._shares(input, out, None)


def _each(dim: Any, ndim: int) -> tuple[int, ...]:
    """The reduced dimensions by number, all of them too."""
    axes = axes_of(dim, ndim, "amax")
    return tuple(range(ndim)) if axes is None else axes


def _even_dims_on_arrays(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    axes = _each(dim, len(shape))
    return unreduce(g, shape, dim, keepdim) * shares(
        input, unreduce(out, shape, dim, keepdim), axes
    )


@with_arrays(_even_dims_on_arrays)
def _even_dims_rule(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    axes = _each(dim, len(shape))
    return unreduce(g, shape, dim, keepdim) * ops._shares(
        input, unreduce(out, shape, dim, keepdim), axes
    )


@reduction(
    types=REAL,
    name="_max_all",
    node=lambda node: "MaxBackward1",
    function=False,
    method=False,
    vjp=_even_rule,
)
def _max_all(input):
    """The largest element."""
    check_whole("max", input)
    return _folded(np.maximum, input, None, False)


@reduction(
    types=REAL,
    name="_min_all",
    node=lambda node: "MinBackward1",
    function=False,
    method=False,
    vjp=_even_rule,
)
def _min_all(input):
    """The smallest element."""
    check_whole("min", input)
    return _folded(np.minimum, input, None, False)


def _pair_shape(input: Any, dim: Any, keepdim: bool = False, *rest: Any) -> Any:
    shape = list(input.shape)
    if shape:
        k = wrap_dim(dim, len(shape))
        shape[k : k + 1] = [1] if keepdim else []
    return (tuple(shape), input.dtype), (tuple(shape), np.dtype("i8"))


def _extreme(name: str, ufunc: Any, find: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None or isinstance(dim, (tuple, list)):
        raise fail(
            TypeError,
            name,
            f"argument 'dim' must be int, not {type(dim).__name__}: several dimensions are "
            f"a{name}'s.",
        )
    k = check_dim(name, input, dim)
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    if type(input) is nd and input.size >= LEAST:
        generated = places(name, input, k, keepdim)
        if generated is not None:
            return generated
    return _folded(ufunc, input, (k,), keepdim), find(input, k, None, keepdims=keepdim)


def _folded(ufunc: Any, input: Any, axes: tuple[int, ...] | None, keepdim: bool) -> Any:
    """The largest or smallest elements over axes."""
    if type(input) is nd and input.size >= (ALL if axes is None else LEAST):
        generated = fold("max" if ufunc is np.maximum else "min", input, axes, keepdim)
        if generated is not None:
            return generated
    return in_order(ufunc.reduce(input, axis=axes, keepdims=keepdim))


@primitive(
    types=REAL,
    name="_max_dim",
    node="Max",
    function=False,
    method=False,
    outputs=("values", "indices"),
    differentiable=("values",),
    result_name="max",
    infer=_pair_shape,
    vjp=selected,
)
def _max_dim(input, dim: Any, keepdim: bool = False):
    """The largest elements along `dim` and the first place of each."""
    return _extreme("max", np.maximum, nd.argmax, input, dim, keepdim)


@primitive(
    types=REAL,
    name="_min_dim",
    node="Min",
    function=False,
    method=False,
    outputs=("values", "indices"),
    differentiable=("values",),
    result_name="min",
    infer=_pair_shape,
    vjp=selected,
)
def _min_dim(input, dim: Any, keepdim: bool = False):
    """The smallest elements along `dim` and the first place of each."""
    return _extreme("min", np.minimum, nd.argmin, input, dim, keepdim)


@composite(method=True)
def max(
    input: Tensor,
    dim: Any = UNSET,
    keepdim: Any = UNSET,
    *,
    other: Any = UNSET,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The largest: of all elements, along `dim` (with indices), or elementwise with another.

    Raises:
        RuntimeError: no elements.
        IndexError: no elements along `dim`.
    """
    if type(dim) is int and type(input) in PLAIN and other is UNSET and out is None and not numpy:
        return _max_dim(input, dim, False if keepdim is UNSET else keepdim)
    if type(dim) is Tensor and keepdim is UNSET and other is UNSET and out is None and not numpy:
        return ops.maximum(input, dim)
    return (
        _choose("max", _max_all, _max_dim, "maximum", input, dim, keepdim, other, out, numpy)
        if (
            dim is not UNSET
            or other is not UNSET
            or out is not None
            or numpy
            or keepdim is not UNSET
        )
        else _max_all(input)
    )


@composite(method=True)
def min(
    input: Tensor,
    dim: Any = UNSET,
    keepdim: Any = UNSET,
    *,
    other: Any = UNSET,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The smallest: of all elements, along `dim` (with indices), or elementwise with another.

    Raises:
        RuntimeError: no elements.
        IndexError: no elements along `dim`.
    """
    if type(dim) is int and type(input) in PLAIN and other is UNSET and out is None and not numpy:
        return _min_dim(input, dim, False if keepdim is UNSET else keepdim)
    if type(dim) is Tensor and keepdim is UNSET and other is UNSET and out is None and not numpy:
        return ops.minimum(input, dim)
    return (
        _choose("min", _min_all, _min_dim, "minimum", input, dim, keepdim, other, out, numpy)
        if (
            dim is not UNSET
            or other is not UNSET
            or out is not None
            or numpy
            or keepdim is not UNSET
        )
        else _min_all(input)
    )


def _choose(
    name: str,
    whole: Any,
    along: Any,
    binary: str,
    input: Any,
    dim: Any,
    keepdim: Any,
    other: Any,
    out: Any,
    numpy: Any,
) -> Any:
    """Which overload the arguments mean."""
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            name,
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
        )
    named = spelled(name, numpy)
    dim, keepdim = named.get("dim", dim), named.get("keepdim", keepdim)
    if (
        isinstance(dim, Tensor)
        and dim._array.ndim == 0
        and dim._array.dtype.kind in "iu"
        and keepdim is not UNSET
    ):
        dim = int(dim)
    second = other if other is not UNSET else dim
    if isinstance(second, Tensor) and keepdim is UNSET:
        return getattr(ops, binary)(input, second, out=out)
    if dim is UNSET:
        if keepdim is not UNSET or other is not UNSET:
            raise fail(
                TypeError,
                name,
                f"{name}() received an invalid combination of arguments: keepdim goes with dim, "
                "other must be a Tensor.",
            )
        return whole(input, out=out)
    return along(input, dim, False if keepdim is UNSET else keepdim, out=out)


def _reduce_dims(name: str, ufunc: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    axes = axes_of(dim, input.ndim, name)
    if not input.size:
        if axes is None:
            check_whole(name, input)
        for k in axes or ():
            check_dim(name, input, k)
    return _folded(ufunc, input, axes, keepdim)


@reduction(types=REAL, vjp=_even_dims_rule)
def amax(input, dim: Any = (), keepdim: bool = False):
    """The largest elements over `dim` (all by default); ties share the gradient evenly."""
    return _reduce_dims("amax", np.maximum, input, dim, keepdim)


@reduction(types=REAL, vjp=_even_dims_rule)
def amin(input, dim: Any = (), keepdim: bool = False):
    """The smallest elements over `dim` (all by default); ties share the gradient evenly."""
    return _reduce_dims("amin", np.minimum, input, dim, keepdim)


def _aminmax_rule(
    g: Any, input: Any, min: Any, max: Any, shape: Any, dim: Any, keepdim: bool
) -> Any:
    axes = None if dim is None else axes_of(dim, len(shape), "aminmax")
    found = None
    for grad, value in zip(g, (min, max), strict=True):
        if grad is not None:
            part = unreduce(grad, shape, dim, keepdim) * ops._shares(
                input, unreduce(value, shape, dim, keepdim), axes
            )
            found = part if found is None else found + part
    return found


def _infer_aminmax(input: Any, dim: Any, keepdim: bool) -> Any:
    shape = fold_max(input, axis=axes_of(dim, input.ndim, "aminmax"), keepdims=keepdim).shape
    return (shape, input.dtype), (shape, input.dtype)


@primitive(
    types=REAL,
    name="_aminmax",
    node="Aminmax",
    outputs=("min", "max"),
    infer=_infer_aminmax,
    vjp=_aminmax_rule,
    function=False,
    method=False,
    result_name="aminmax",
)
def _aminmax(input, dim: Any, keepdim: bool):
    """The smallest and the largest elements."""
    if dim is None and not input.size:
        raise fail(
            RuntimeError,
            "aminmax",
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity.",
        )
    return (
        _reduce_dims("aminmax", np.minimum, input, dim, keepdim),
        _reduce_dims("aminmax", np.maximum, input, dim, keepdim),
    )


@composite(method=True)
def aminmax(
    input: Tensor, *, dim: Any = None, keepdim: bool = False, out: Any = None, **numpy: Any
) -> Any:
    """The smallest and the largest elements, of all or along `dim`.

    Raises:
        RuntimeError: no elements, or an `out` of another dtype.
        IndexError: none along `dim`.
    """
    if numpy:
        return aminmax(
            input, **{"dim": dim, "keepdim": keepdim, "out": out} | spelled("aminmax", numpy)
        )
    if isinstance(dim, (tuple, list)):
        raise fail(TypeError, "aminmax", f"argument 'dim' must be int, not {type(dim).__name__}")
    return ops._aminmax(input, dim, keepdim, out=out)


def _place(name: str, find: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    kind = of(input.dtype)
    if kind.category in ("bool", "complex"):
        raise fail(
            RuntimeError,
            name,
            f"{name}(): does not support {kind.category} input: convert it first.",
        )
    if dim is None:
        if not input.size:
            raise fail(
                IndexError,
                name,
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0.",
            )
        found = find(input)
        return np.full((1,) * input.ndim, found, np.int64) if keepdim else found
    k = check_dim(name, input, dim)
    if type(input) is nd and input.size >= LEAST:
        generated = places(name[3:], input, k, keepdim)
        if generated is not None:
            return generated[1]
    return find(input, axis=k, keepdims=keepdim) if input.ndim else np.zeros((), np.int64)


def _infer_place(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return fold_max(input, axis=axes_of(dim, input.ndim, "argmax"), keepdims=keepdim).shape, "i8"


@reduction(types=None, infer=_infer_place)
def argmax(input, dim: Any = None, keepdim: bool = False):
    """The index of the largest element along `dim`, or of all; the first of equal ones."""
    return _place("argmax", np.argmax, input, dim, keepdim)


@reduction(types=None, infer=_infer_place)
def argmin(input, dim: Any = None, keepdim: bool = False):
    """The index of the smallest element along `dim`, or of all; the first of equal ones."""
    return _place("argmin", np.argmin, input, dim, keepdim)
