"""Reductions that add, multiply, ask: sum, mean, prod, any, all, count_nonzero, logsumexp, nansum.

The largest and smallest are in extrema, variance and its kin in statistics, norms in vector_norm.
Stands on declare and dims.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite, ops, primitive, reduction
from flambeau.core.dims import reduced_size, spread, unreduce, wrap_dims
from flambeau.core.dtypes import FLOAT, SUM
from flambeau.core.errors import fail
from flambeau.core.folds import ALL, LEAST, fold_add, fold_and, fold_max, fold_multiply, fold_or
from flambeau.core.kernels import late
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.kernels.product import widen
from flambeau.core.ops.along import in_order, spelled
from flambeau.core.rules import with_arrays
from flambeau.core.tensor import Tensor, wrap

__all__ = ["axes_of", "folded", "total"]

MEAN = dtypes.Rule("MEAN", refuses=frozenset({"bool", "int", "float8"}), error=RuntimeError)
LONG = 1 << 16
BLOCK = 64


def axes_of(dim: Any, ndim: int, name: str) -> tuple[int, ...] | None:
    """A reduction's axes for NumPy: None (all) for no dimensions or an empty list of them."""
    if dim is None or (type(dim) in (tuple, list) and not dim):
        return None
    return wrap_dims(dim, ndim, name)


def total(input: Any, axes: tuple[int, ...] | None, keepdim: bool) -> Any:
    """The sum, with rounding errors that grow slowly.

    NumPy adds pairwise along the fastest dimension only: a long leading dimension is folded in
    blocks of 64 first, again and again.
    """
    if type(input) is not np.ndarray or input.size < (ALL if axes is None else LEAST):
        return in_order(fold_add(input, axes, None, None, keepdim))
    generated = fold("sum", input, axes, keepdim)
    if generated is None and axes is None and input.dtype.kind == "c":
        generated = _sum_of_pairs(input, keepdim)
    if generated is not None:
        return generated
    input = widen(input)
    if axes is None or input.size < LONG or input.dtype.kind not in "fc":
        return in_order(fold_add(input, axes, None, None, keepdim))
    if axes == (0,) and len(input) > 2 * BLOCK and input.flags.c_contiguous:
        while len(input) > 2 * BLOCK:
            whole = len(input) // BLOCK * BLOCK
            blocks = fold_add(input[:whole].reshape(-1, BLOCK, *input.shape[1:]), axis=1)
            if whole < len(input):
                blocks[-1] += fold_add(input[whole:], axis=0)
            input = blocks
        return fold_add(input, axis=0, keepdims=keepdim)
    return in_order(fold_add(input, axes, None, None, keepdim))


def _sum_of_pairs(input: Any, keepdim: bool) -> Any:
    """The sum of all complex numbers, as the columns of a matrix of real ones; None where no code
    is made for that.
    """
    if not input.flags.c_contiguous:
        return None
    whole = input.size // BLOCK * BLOCK
    flat = input.reshape(-1)
    rows = flat[:whole].view(input.real.dtype).reshape(-1, 2 * BLOCK)
    columns = fold("sum", rows, (0,), False)
    if columns is None:
        return None
    found = fold_add(columns.view(input.dtype)) + fold_add(flat[whole:])
    return np.full((1,) * input.ndim, found) if keepdim else found


def folded(input: Any, dim: Any = None, keepdim: bool = False, *_: Any) -> Any:
    """The abstract result of a reduction: the reduced shape, the input's dtype."""
    return fold_add(
        input, axis=axes_of(dim, input.ndim, "dim"), keepdims=keepdim
    ).shape, input.dtype


def numbered(name: str, at: int = 1) -> Any:
    """PyTorch numbers the overloads: 0 is the one without `dim`."""
    return lambda node: f"{name}Backward{int(node.params[at] is not None)}"


fold = late.placed("generate.folds", "fold")
log_sums = late.placed("generate.softmax", "log_sums")
_expanded = late.native("views", "expand", np.broadcast_to)
_quotient = lazily("div", np.true_divide)
_unequal = lazily("ne", np.not_equal)


def _sum_on_arrays(g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    return _expanded(unreduce(g, shape, dim, keepdim), shape)


@with_arrays(_sum_on_arrays)
def _sum_rule(g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    return spread(unreduce(g, shape, dim, keepdim), shape)


@reduction(types=SUM, upcast="large", node=numbered("Sum"), infer=folded, vjp=_sum_rule)
def sum(input, dim: Any = None, keepdim: bool = False, *, dtype: Any = None):
    """The sum over dimensions `dim` (all of them by default). Integers are summed in int64."""
    if dim is None and input.size < ALL:
        return fold_add(input, None, None, None, keepdim)
    return total(input, axes_of(dim, input.ndim, "sum"), keepdim)


@reduction(
    types=SUM,
    upcast="large",
    infer=folded,
    vjp=lambda g, input, shape, dim, keepdim: ops._zero_where_nan(
        spread(unreduce(g, shape, dim, keepdim), shape), input
    ),
)
def nansum(input, dim: Any = None, keepdim: bool = False, *, dtype: Any = None):
    """The sum with NaN counted as zero.

    Raises:
        RuntimeError: complex input.
    """
    if input.dtype.kind == "c":
        raise fail(
            RuntimeError,
            "nansum",
            "nansum does not support complex inputs: sum real and imaginary parts apart.",
        )
    axes = axes_of(dim, input.ndim, "nansum")
    if input.dtype.kind in "fV":
        if type(input) is np.ndarray and input.size >= LEAST:
            generated = fold("numbers", input, axes, keepdim)
            if generated is not None:
                return generated
            input = widen(input)
        input = np.where(np.isnan(input), input.dtype.type(0), input)
    return total(input, axes, keepdim)


@primitive(
    function=False,
    method=False,
    vjp={"input": lambda g, mark: ops._zero_where_nan(g, mark)},
    infer=lambda input, mark: (input.shape, input.dtype),
)
def _zero_where_nan(input, mark):
    """`input`, with zeros where `mark` is NaN."""
    return np.where(mark == mark, input, input.dtype.type(0))


@reduction(types=None, function=False, method=False, infer=folded)
def _is_number_count(input, dim: Any, keepdim: bool):
    """How many elements are not NaN, in the input's dtype."""
    mask = input == input
    return fold_add(mask, axis=axes_of(dim, input.ndim, "nanmean"), keepdims=keepdim).astype(
        input.dtype
    )


@composite(method=True)
def nanmean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    **numpy: Any,
) -> Tensor:
    """The mean of the elements that are not NaN.

    Raises:
        RuntimeError: integer input.
    """
    if numpy:
        return nanmean(
            input,
            **{"dim": dim, "keepdim": keepdim, "dtype": dtype, "out": out}
            | spelled("nanmean", numpy),
        )
    kind = input._array.dtype.kind
    if kind not in "fcV":
        raise fail(
            RuntimeError,
            "nanmean",
            f"expected input to have floating point or complex dtype but got {input.dtype}",
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise fail(
            RuntimeError,
            "nanmean",
            f"could not infer output dtype. Optional dtype must be either a floating point or "
            f"complex dtype. Got: {dtype}",
        )
    found = ops.nansum(input, dim, keepdim, dtype=dtype) / ops._is_number_count(input, dim, keepdim)
    if out is not None:
        from flambeau.core.output import write_one

        return write_one("nanmean", found, out)
    return found


def _mean_on_arrays(g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    part = _quotient(g, reduced_size(shape, dim))
    return _expanded(unreduce(part, shape, dim, keepdim), shape)


@with_arrays(_mean_on_arrays)
def _mean_rule(g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    return spread(unreduce(g, shape, dim, keepdim), shape) / reduced_size(shape, dim)


@reduction(types=MEAN, upcast="large", node=numbered("Mean"), infer=folded, vjp=_mean_rule)
def mean(input, dim: Any = None, keepdim: bool = False, *, dtype: Any = None):
    """The mean over `dim` (all dimensions by default): ``sum / count``. NaN for no elements.

    Raises:
        RuntimeError: an integer or bool dtype.
    """
    if dim is None and input.size < ALL:
        found = fold_add(input, None, None, None, keepdim)
    else:
        found = total(input, axes_of(dim, input.ndim, "mean"), keepdim)
    return found / found.dtype.type(reduced_size(input.shape, dim))


def _others(input: Any, dim: int) -> Any:
    """At every place the product of all other elements along `dim`, without a division."""
    size = input.shape[dim]
    one = wrap(np.ones_like(input._array[(slice(None),) * dim + (slice(1),)]))
    before = ops.cat([one, ops.cumprod(input.narrow(dim, 0, size - 1), dim)], dim)
    after = ops.flip(ops.cumprod(ops.flip(input.narrow(dim, 1, size - 1), (dim,)), dim), (dim,))
    return before * ops.cat([after, one], dim)


def _prod_rule(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    if not shape:
        return g
    if not math.prod(shape):
        return unreduce(g, shape, dim, keepdim) * input
    clean = bool(input._array.all()) if type(input._array) is np.ndarray else True
    g, out = unreduce(g, shape, dim, keepdim), unreduce(out, shape, dim, keepdim)
    if clean:
        return g * (out / input)
    if dim is None:
        return g * _others(input.reshape(-1), 0).reshape(shape)
    return g * _others(input, wrap_dims(dim, len(shape))[0])


def _prod_on_arrays(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    if not input.ndim or not input.size or not input.all():
        return _prod_rule(wrap(g), wrap(input), wrap(out), shape, dim, keepdim)._array
    return unreduce(g, shape, dim, keepdim) * (unreduce(out, shape, dim, keepdim) / input)


@reduction(
    types=SUM,
    node=numbered("Prod"),
    infer=folded,
    vjp=with_arrays(_prod_on_arrays)(_prod_rule),
)
def prod(input, dim: Any = None, keepdim: bool = False, *, dtype: Any = None):
    """The product over one dimension, or of all elements. Integers are multiplied in int64; 16-bit
    floats are rounded at every factor, as in PyTorch.

    Raises:
        TypeError: several dimensions.
    """
    if dim is not None and type(dim) is not int and not hasattr(dim, "__index__"):
        raise fail(
            TypeError,
            "prod",
            f"argument 'dim' must be int, not {type(dim).__name__}. Multiply one dimension at a "
            "time.",
        )
    axes = axes_of(dim, input.ndim, "prod")
    if type(input) is np.ndarray and input.size >= LEAST and input.dtype.itemsize != 2:
        generated = fold("prod", input, axes, keepdim)
        if generated is not None:
            return generated
    if input.dtype == "f2":  # NumPy's own fold of a row keeps single precision
        return in_order(_product_step_by_step(input, axes, keepdim))
    return in_order(fold_multiply(input, axis=axes, keepdims=keepdim))


def _product_step_by_step(input: Any, axes: Any, keepdim: bool) -> Any:
    if not input.size or not input.ndim:
        return fold_multiply(input, axis=axes, keepdims=keepdim)
    if axes is None:
        found = np.multiply.accumulate(input.reshape(-1))[-1]
        return found.reshape((1,) * input.ndim) if keepdim else found
    axis = axes if isinstance(axes, int) else axes[0]
    found = np.multiply.accumulate(input, axis).take(-1, axis)
    return np.expand_dims(found, axis) if keepdim else found


def _truth_type(dtype: Any) -> Any:
    """uint8 stands for bool in PyTorch's oldest scripts: any and all keep it."""
    return dtype if dtype == np.uint8 else np.dtype(bool)


def _truth_axes(dim: Any, ndim: int, name: str) -> tuple[int, ...] | None:
    """Unlike other reductions', an empty list of dimensions reduces none."""
    return None if dim is None else wrap_dims(dim, ndim, name, empty_is_all=False)


def _infer_truth(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if isinstance(dim, (tuple, list)) and not len(dim):
        return input.shape, _truth_type(input.dtype)
    shape = fold_add(input, axis=axes_of(dim, input.ndim, "any"), keepdims=keepdim).shape
    return shape, _truth_type(input.dtype)


def _asked(name: str, ufunc: Any, input: Any, axes: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Whether any element is true (the largest bool), or all are (the smallest)."""
    if axes is not None and type(input) is np.ndarray and input.size >= LEAST:
        truth = input if input.dtype == np.bool_ else _unequal(input, input.dtype.type(0))
        generated = fold(name, truth, axes, keepdim)
        if generated is not None:
            return generated
    return in_order(ufunc(input, axis=axes, keepdims=keepdim))


@reduction(types=None, infer=_infer_truth)
def any(input, dim: Any = None, keepdim: bool = False):
    """Whether any element is true, over dimensions `dim` (all of them by default)."""
    axes = _truth_axes(dim, input.ndim, "any")
    found = _asked("max", fold_or, input, axes, keepdim)
    return found.astype(np.uint8) if input.dtype == np.uint8 else found


@reduction(types=None, infer=_infer_truth)
def all(input, dim: Any = None, keepdim: bool = False):
    """Whether all elements are true, over dimensions `dim` (all of them by default)."""
    axes = _truth_axes(dim, input.ndim, "all")
    found = _asked("min", fold_and, input, axes, keepdim)
    return found.astype(np.uint8) if input.dtype == np.uint8 else found


@reduction(
    types=None,
    infer=lambda input, dim: (
        fold_add(input, axis=axes_of(dim, input.ndim, "count_nonzero")).shape,
        "i8",
    ),
)
def count_nonzero(input, dim: Any = None):
    """How many elements are not zero."""
    if input.dtype.kind in "fi" and input.size >= LEAST and type(input) is np.ndarray:
        input = _unequal(input, input.dtype.type(0))  # NumPy's own count asks number by number
    found = np.count_nonzero(input, axis=axes_of(dim, input.ndim, "count_nonzero"))
    return in_order(np.asarray(found, dtype=np.int64))


def _logsumexp_on_arrays(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    return unreduce(g, shape, dim, keepdim) * np.exp(input - unreduce(out, shape, dim, keepdim))


@with_arrays(_logsumexp_on_arrays)
def _logsumexp_rule(g: Any, input: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    return unreduce(g, shape, dim, keepdim) * (input - unreduce(out, shape, dim, keepdim)).exp()


@reduction(types=FLOAT, infer=folded, vjp=_logsumexp_rule, alias=("special_logsumexp",))
def logsumexp(input, dim: Any, keepdim: bool = False):
    """``log(sum(exp(input)))`` over `dim`; the largest is taken out first: nothing overflows."""
    if dim is None:
        raise fail(
            TypeError,
            "logsumexp",
            "argument 'dim' must be tuple of ints, not NoneType. Name the dimensions: "
            "tuple(range(input.ndim)) for all.",
        )
    axes = axes_of(dim, input.ndim, "logsumexp")
    if not input.size:
        return np.log(fold_add(np.exp(input), axis=axes, keepdims=keepdim))
    if type(input) is np.ndarray and input.size >= LEAST:
        generated = log_sums(input, axes, keepdim)
        if generated is not None:
            return generated
    real = input.real if input.dtype.kind == "c" else input
    top = fold_max(real, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, real.dtype.type(0))
    parts = np.exp(input - top)
    if input.dtype.itemsize == 2:  # rounded at every step, but for the sum's
        sums = fold_add(parts.astype("f4"), axis=axes, keepdims=keepdim).astype(input.dtype)
    else:
        sums = fold_add(parts, axis=axes, keepdims=keepdim)
    found = np.log(sums)
    return in_order(found + (top if keepdim else top.reshape(found.shape)))
