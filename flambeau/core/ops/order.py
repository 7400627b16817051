"""Order statistics: median, nanmedian, mode, quantile, nanquantile.

A median is an element of the input (the lower of two), a quantile may lie between.
Stands on sort and along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive, reduction
from flambeau.core.dims import wrap_dim
from flambeau.core.dtypes import REAL, Rule
from flambeau.core.errors import fail
from flambeau.core.ops.along import lanes_last, selected, spelled
from flambeau.core.ops.extrema import UNSET, _even_rule, _pair_shape
from flambeau.core.ops.sort import comparable, unstable_order
from flambeau.core.sampling import each_on_its_own
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

_NUMBERS = Rule("NUMBERS", refuses=frozenset({"bool", "complex", "float8"}))


def _middle(rows: Any, skip_nan: bool) -> Any:
    """The index of each row's median: of the first NaN if there is one, unless they are skipped."""
    size = rows.shape[-1]
    nan = rows != rows
    if not nan.any():
        k = (size - 1) // 2
        middle = np.partition(rows, k, axis=-1)[..., k : k + 1]
        # Of equal elements the first are the lower.
        nth = k - (rows < middle).sum(-1, keepdims=True)
        return np.argmax(np.cumsum(rows == middle, axis=-1) > nth, axis=-1)
    order = np.argsort(rows, axis=-1, kind="stable")
    count = nan.sum(-1)
    if skip_nan:
        k = np.maximum(size - count - 1, 0) // 2
    else:
        k = np.where(count > 0, size - count, (size - 1) // 2)
    return np.take_along_axis(order, k[..., None], -1)[..., 0]


def _median_whole(name: str, input: Any, skip_nan: bool) -> Any:
    if not input.size:
        return np.full(
            (), np.nan if input.dtype.kind in "fV" else np.iinfo(input.dtype).min, input.dtype
        )
    flat = np.ascontiguousarray(input).reshape(-1)
    return flat[_middle(comparable(name, flat), skip_nan)]


def _median_lanes(name: str, input: Any, dim: int, keepdim: bool, skip_nan: bool) -> Any:
    k = wrap_dim(dim, input.ndim, name)
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    if not input.shape[k]:
        raise fail(
            IndexError, name, f"{name}(): Expected reduction dim {dim} to have non-zero size."
        )
    places = np.expand_dims(
        np.array(_middle(lanes_last(comparable(name, input), k), skip_nan), order="C"), k
    )
    values = np.take_along_axis(input, places, k)
    return (values, places) if keepdim else (values.squeeze(k), places.squeeze(k))


def _declare_median(name: str, node: str, skip_nan: bool, words: str) -> Any:
    """The two overloads of `median` or `nanmedian`, and the function that chooses."""

    def whole(input):
        return _median_whole(name, input, skip_nan)

    def along(input, dim: int, keepdim: bool = False):
        return _median_lanes(name, input, dim, keepdim, skip_nan)

    whole.__doc__ = f"The median of all elements, {words}."
    along.__doc__ = f"The medians along `dim`, {words}, and where they are."
    private = {"function": False, "method": False}
    whole_entry = reduction(
        types=_NUMBERS,
        name=f"_{name}_all",
        node=lambda made: node + "Backward0",
        vjp=_even_rule,
        infer=lambda input: ((), input.dtype),
        **private,
    )(whole)
    along_entry = primitive(
        types=_NUMBERS,
        name=f"_{name}_dim",
        node=lambda made: node + "Backward1",
        outputs=("values", "indices"),
        differentiable=("values",),
        result_name=name,
        infer=_pair_shape,
        vjp=selected,
        **private,
    )(along)

    def median(
        input: Tensor, dim: Any = UNSET, keepdim: bool = False, *, out: Any = None, **numpy: Any
    ) -> Any:
        if numpy:
            named = spelled(name, numpy)
            dim, keepdim = named.get("dim", dim), named.get("keepdim", keepdim)
        if dim is UNSET:
            return whole_entry(input, out=out)
        return along_entry(input, dim, keepdim, out=out)

    median.__name__ = median.__qualname__ = name
    median.__doc__ = f"""The median, {words}: of all, or along `dim` (with indices).

    Of two middle ones the lower.

    Raises:
        IndexError: no elements along `dim`.
    """
    return composite(method=True)(median)


median = _declare_median("median", "Median", False, "NaN where one is among them")
nanmedian = _declare_median("nanmedian", "Nanmedian", True, "NaN left out")


@primitive(
    types=REAL,
    outputs=("values", "indices"),
    differentiable=("values",),
    infer=lambda input, dim, keepdim: _pair_shape(input, dim, keepdim),
    vjp=selected,
)
def mode(input, dim: int = -1, keepdim: bool = False):
    """The most frequent element along `dim` (the smallest of those), and its last place.

    Raises:
        IndexError: no elements along `dim`.
    """
    k = wrap_dim(dim, input.ndim, "mode")
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    if not input.shape[k]:
        raise fail(
            IndexError, "mode", f"mode(): Expected reduction dim {dim} to have non-zero size."
        )
    rows = lanes_last(comparable("mode", input), k)
    order = unstable_order(rows, -1)
    ranked = np.take_along_axis(rows, order, -1)
    place = np.arange(rows.shape[-1])
    starts = np.ones(rows.shape, bool)
    starts[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
    run = place - np.maximum.accumulate(
        np.where(starts, place, 0), axis=-1
    )  # length so far, less one
    best = np.argmax(run, axis=-1, keepdims=True)
    places = np.moveaxis(np.take_along_axis(order, best, -1), -1, k)
    values = np.take_along_axis(input, places, k)
    return (values, places.copy()) if keepdim else (values.squeeze(k), places.squeeze(k).copy())


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name: str, input: Any, q: Tensor, interpolation: str) -> None:
    kind = input._array.dtype
    if kind not in (np.float32, np.float64):
        raise fail(
            RuntimeError,
            name,
            f"{name}() input tensor must be either float or double dtype, not {input.dtype}.",
        )
    if q._array.ndim > 1:
        raise fail(
            RuntimeError,
            name,
            f"{name}() q must be a scalar or 1D tensor, it has {q._array.ndim} dimensions.",
        )
    if q._array.dtype != kind:
        raise fail(
            RuntimeError,
            name,
            f"{name}() q tensor must be same dtype as the input tensor: {q.dtype} and "
            f"{input.dtype}.",
        )
    if interpolation not in METHODS:
        raise fail(
            RuntimeError,
            name,
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}",
        )
    if not ((q._array >= 0) & (q._array <= 1)).all():
        raise fail(RuntimeError, name, f"{name}() q values must be in the range [0, 1].")


def _quantile(
    name: str,
    input: Tensor,
    q: Any,
    dim: Any,
    keepdim: bool,
    interpolation: str,
    skip_nan: bool,
    out: Any,
) -> Tensor:
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise fail(RuntimeError, name, f"{name}() q must be in the range [0, 1] but got {q}.")
        q = wrap(
            np.asarray(q, input._array.dtype if input._array.dtype.kind == "f" else np.float64)
        )
    _check_quantile(name, input, q, interpolation)
    ndim = input._array.ndim
    scalar = q._array.ndim == 0
    k = 0 if dim is None else wrap_dim(dim, ndim, name)
    if dim is None:
        rows = input.reshape(-1)
    else:
        rows = ops.movedim(input, k, -1).contiguous() if ndim else input.reshape(1)
    if not rows._array.shape[-1]:
        kind, text = (
            (IndexError, "Expected reduction dim to have non-zero size.")
            if dim is not None
            else (RuntimeError, "input tensor must be non-empty")
        )
        raise fail(kind, name, f"{name}() {text}")
    ordered = ops._sort(rows, -1, False)[0]
    size = rows._array.shape[-1]
    numbers = ordered._array == ordered._array
    count = (
        numbers.sum(-1, keepdims=True)
        if skip_nan
        else np.where(numbers.all(-1, keepdims=True), size, 0)
    )
    points = q.reshape(-1)
    last = wrap(np.maximum(count - 1, 0).astype(ordered._array.dtype))
    ranks = points * last
    if not skip_nan:  # a row with a NaN answers NaN, which is last in order
        broken = wrap(count == 0)
        ranks = ops.masked_fill(ranks, broken, size - 1)
    found = _between(ordered, ranks, interpolation)
    found = ops.movedim(found, -1, 0)
    if keepdim:
        shape = (
            [1] * ndim
            if dim is None
            else [1 if j == k else n for j, n in enumerate(input._array.shape)]
        )
        found = found.reshape(len(points), *shape)
    elif not ndim:
        found = found.reshape(len(points))
    found = ops.squeeze(found, 0) if scalar else found
    if out is not None:
        from flambeau.core.output import write_one

        return write_one(name, found, out)
    return found


def _between(ordered: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    """The ordered values at fractional ranks."""
    at = ranks._array
    if interpolation == "lower":
        return ops._take_along(ordered, -1, wrap(np.floor(at).astype(np.int64)))
    if interpolation == "higher":
        return ops._take_along(ordered, -1, wrap(np.ceil(at).astype(np.int64)))
    if interpolation == "nearest":
        return ops._take_along(ordered, -1, wrap(np.rint(at).astype(np.int64)))
    below = np.floor(at).astype(np.int64)
    low = ops._take_along(ordered, -1, wrap(below))
    high = ops._take_along(ordered, -1, wrap(np.ceil(at).astype(np.int64)))
    weight = (
        wrap(np.full(at.shape, 0.5, at.dtype))
        if interpolation == "midpoint"
        else ranks - wrap(below.astype(at.dtype))
    )
    return ops.lerp(low, high, weight)


@composite(method=True, numpy=True)
def quantile(
    input: Tensor,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Tensor:
    """The `q`-th quantiles along `dim` (of all elements by default); NaN where one is among them.

    Args:
        q: a number or a vector in [0, 1]; a vector puts its dimension first.
        interpolation: between two elements: linear, lower, higher, midpoint or nearest.

    Raises:
        RuntimeError: no floating tensor, `q` outside [0, 1] or of another dtype, an unknown
            interpolation.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False, out)


@composite(method=True, numpy=True)
def nanquantile(
    input: Tensor,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Tensor:
    """`quantile` with NaN left out; NaN where nothing else is.

    Raises:
        RuntimeError: as `quantile`.
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True, out)


each_on_its_own("nanquantile", "quantile")
