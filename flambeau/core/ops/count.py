"""Counting into bins: bincount, histc, histogram, histogramdd. No gradients. Stands on declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from flambeau.core.declare import composite, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels.native.casts import recast
from flambeau.core.return_types import structseq
from flambeau.core.sampling import each_on_its_own
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []


@primitive(function=True)
def bincount(input, weights=None, minlength: int = 0):
    """How often each number 0, 1, 2, ... stands in a vector, or the sum of its `weights`.

    Raises:
        RuntimeError: no vector of non-negative integers, weights of another length, a negative
            `minlength`.
    """
    if input.dtype.kind not in "iu":
        raise fail(
            NotImplementedError,
            "bincount",
            f'"bincount_cpu" not implemented for {input.dtype}: convert the input to integers.',
        )
    if minlength < 0:
        raise fail(RuntimeError, "bincount", f"minlength should be >= 0, it is {minlength}.")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise fail(
            RuntimeError, "bincount", "bincount only supports 1-d non-negative integral inputs."
        )
    if weights is not None and weights.shape != input.shape:
        raise fail(
            RuntimeError,
            "bincount",
            f"weights should be 1-d and have the same length as input: {list(weights.shape)} and "
            f"{list(input.shape)}.",
        )
    if weights is None:
        return np.bincount(recast(input, "i8"), minlength=minlength)
    found = np.bincount(input, weights.astype(np.float64), minlength)
    return found.astype(weights.dtype if weights.dtype == np.float32 else np.float64)


def _range_of(name: str, values: Any, low: float, high: float) -> tuple[float, float]:
    """The bins' ends: those given, or the data's when both are equal; never without width.

    Raises:
        RuntimeError: the ends are not finite or in the wrong order.
    """
    if low == high and values.size:
        low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise fail(
            RuntimeError,
            name,
            f"{name}: range of [{low}, {high}] is not finite: clean the data, or give the range.",
        )
    if low > high:
        raise fail(
            RuntimeError,
            name,
            f"{name}: max must be larger than min, the range is [{low}, {high}].",
        )
    if low == high:
        low, high = low - 1, high + 1
    return low, high


@primitive()
def histc(input, bins: int = 100, min: Any = 0, max: Any = 0):
    """How many elements fall into each of `bins` equal bins from `min` to `max`.

    Both 0 mean the data's own.

    Raises:
        RuntimeError: no bins, or a range that is not one.
    """
    if input.dtype.kind not in "fV":
        raise fail(
            NotImplementedError,
            "histc",
            f'"histogram_cpu" not implemented for {input.dtype}: convert it to a floating type.',
        )
    if bins <= 0:
        raise fail(RuntimeError, "histc", f"bins must be > 0, it is {bins}.")
    values = input.reshape(-1)
    low, high = _range_of("histc", values, float(min), float(max))
    return _even_counts(values, bins, low, high).astype(input.dtype)


def _even_counts(values: Any, bins: int, low: float, high: float) -> Any:
    """Counts in equal bins, the last one closed; what lies outside is left out."""
    inside = (values >= low) & (values <= high)
    if not inside.all():
        values = values[inside]
    kind = values.dtype.type
    found = values - kind(low)
    found *= kind(bins)
    found /= kind(high) - kind(low)
    place = found.astype(np.int64)
    np.minimum(place, bins - 1, out=place)
    return np.bincount(place, minlength=bins)


def _edges(kind: Any, low: float, high: float, bins: int) -> Any:
    """Even edges, counted from both ends in the data's precision."""
    low, high = kind.type(low), kind.type(high)
    step = (high - low) / kind.type(bins)
    place = np.arange(bins + 1, dtype=kind)
    return np.where(
        place < (bins + 1) // 2, low + step * place, high - step * (bins - place)
    ).astype(kind)


def _check_floating(name: str, input: Any, found: bool) -> None:
    """Refuse other dtypes; halves only where the edges have to be `found` from the data."""
    there = ("float32", "float64", "float16", "bfloat16")
    if of(input.dtype).name not in there[: 2 if found and input.size else 4]:
        raise fail(
            NotImplementedError,
            name,
            f'"{name}_cpu" not implemented for {input.dtype}: convert to float32 or float64.',
        )


def _count_cells(
    points: Any, edges: list[Any], even: list[bool], weights: Any, density: bool
) -> Any:
    """How many points (N, D) fall into each cell of the grid that `edges` make."""
    shape = tuple(len(e) - 1 for e in edges)
    inside = np.ones(len(points), bool)
    places = []
    for column, e, regular in zip(points.T, edges, even, strict=True):
        if regular:
            step = (column - e[0]) * (len(e) - 1) / (e[-1] - e[0])
            place = np.where(np.isfinite(step), step, 0).astype(np.int64).clip(0, len(e) - 2)
            place = place - (column < e[place])
            place = place + (column >= e[np.minimum(place + 1, len(e) - 1)])
        else:
            place = np.searchsorted(e, column, "right") - 1
        place = np.where(column == e[-1], len(e) - 2, place)
        inside &= (column >= e[0]) & (column <= e[-1])
        places.append(place)
    kept = tuple(p[inside] for p in places)
    flat = np.ravel_multi_index(kept, shape) if shape else np.zeros(len(points), np.int64)
    size = int(np.prod(shape))
    if weights is None:
        found = np.bincount(flat, minlength=size).astype(points.dtype)
    else:
        found = np.zeros(size, points.dtype)
        np.add.at(
            found, flat, weights[inside]
        )  # in order and in the data's precision, as PyTorch adds
    found = found.reshape(shape)
    if density:
        volume = np.ones((), points.dtype)
        for e in edges:
            volume = np.multiply.outer(volume, np.diff(e))
        found = found / (found.sum() * volume)
    return found


def _grid(name: str, points: Any, bins: Any, range: Any) -> tuple[list[Any], list[bool]]:
    """The edges of each dimension, and whether they are even."""
    edges, even = [], []
    if range is not None and len(range) != 2 * points.shape[1]:
        raise fail(
            RuntimeError,
            name,
            f"torch.{name}: for a {points.shape[1]}-dimensional histogram range should have "
            f"{2 * points.shape[1]} elements, but got {len(range)}",
        )
    for k, each in enumerate(bins):
        if isinstance(each, Tensor):
            if each._array.ndim != 1 or not len(each._array):
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name}: bins tensor should have one dimension and at least one edge, "
                    f"it has shape {list(each._array.shape)}.",
                )
            if each._array.dtype != points.dtype:
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name}: input tensor and bins tensors should have the same dtype, but "
                    f"got input with dtype {points.dtype} and bins {each.dtype}",
                )
            edges.append(each._array)
            even.append(False)
            continue
        if each <= 0:
            raise fail(
                RuntimeError,
                name,
                f"torch.{name}: bins must be > 0, but got {each} for dimension {k}",
            )
        column = points[:, k]
        if range is not None:
            low, high = float(range[2 * k]), float(range[2 * k + 1])
            if not (np.isfinite(low) and np.isfinite(high)) or low > high:
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name}: range [{low}, {high}] must be finite, min not above max",
                )
        elif column.size:
            low, high = float(column.min()), float(column.max())
            if not (np.isfinite(low) and np.isfinite(high)):
                raise fail(
                    RuntimeError,
                    name,
                    f"torch.{name}: dimension {k}'s range [{low}, {high}] is not finite",
                )
        else:
            low, high = 0.0, 1.0
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(_edges(points.dtype, low, high, each))
        even.append(True)
    return edges, even


def _weights_of(name: str, weight: Any, points: Any, shape: Any) -> Any:
    if weight is None:
        return None
    if tuple(weight._array.shape) != tuple(shape):
        raise fail(
            RuntimeError,
            name,
            f"torch.{name}: if weight tensor is provided it should have the same shape as the "
            f"input tensor excluding its innermost dimension, but got {list(weight._array.shape)} "
            f"for {list(shape)}",
        )
    if weight._array.dtype != points.dtype:
        raise fail(
            RuntimeError,
            name,
            f"torch.{name}: if weight tensor is provided, input tensor and weight tensor should "
            f"have the same dtype, not {points.dtype} and {weight.dtype}",
        )
    return weight._array.reshape(-1)


@composite(method=True)
def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """Counts in bins, and the bins' edges.

    Args:
        bins: how many equal ones (over `range`, or the data's), or a tensor of edges.
        weight: what each element counts.
        density: scale so that the integral is 1.

    Raises:
        RuntimeError: bins, range or weights that do not fit.
    """
    a = input._array
    _check_floating("histogram", a, range is None and not isinstance(bins, Tensor))
    points = a.reshape(-1, 1)
    edges, even = _grid("histogram", points, [bins], range)
    weights = _weights_of("histogram", weight, a, a.shape)
    cells = _count_cells(points, edges, even, weights, density)
    found: tuple[Tensor, ...] = (wrap(cells), wrap(edges[0].copy()))
    if out is not None:
        from flambeau.core.output import write_one

        found = tuple(write_one("histogram", r, o) for r, o in zip(found, out, strict=True))
    return structseq("histogram", ("hist", "bin_edges"))(found)


@composite()
def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Counts of points (the last dimension) in the cells of a grid, and the grid's edges.

    Raises:
        RuntimeError: bins, range or weights that do not fit.
    """
    a = input._array
    listed = [bins] if isinstance(bins, int) else bins
    _check_floating(
        "histogramdd", a, range is None and any(not isinstance(b, Tensor) for b in listed)
    )
    if a.ndim < 2:
        raise fail(
            RuntimeError,
            "histogramdd",
            f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {a.ndim}",
        )
    count = a.shape[-1]
    given = [bins] * count if isinstance(bins, int) else list(bins)
    if len(given) != count:
        raise fail(
            RuntimeError,
            "histogramdd",
            f"torch.histogramdd: expected {count} sequences of bin edges or numbers of bins for a "
            f"{count}-dimensional histogram but got {len(given)}",
        )
    points = a.reshape(-1, count)
    edges, even = _grid("histogramdd", points, given, range)
    weights = _weights_of("histogramdd", weight, a, a.shape[:-1])
    hist = wrap(_count_cells(points, edges, even, weights, density))
    return structseq("histogramdd", ("hist", "bin_edges"))(
        (hist, tuple(wrap(e.copy()) for e in edges))
    )


each_on_its_own("histogram")
