"""Reductions over runs of a dimension: `segment_reduce`.

Segments are given by lengths or by offsets; each is a narrow view that the ordinary reductions
see. Scattered segments stand in ``scatter`` (`scatter_reduce`). Stands on operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__: list[str] = []

# What an empty segment gives, and how a segment joins what it starts from.
_START: dict[str, float] = {
    "sum": 0.0, "mean": 0.0, "max": -math.inf, "min": math.inf, "prod": 1.0,
}  # fmt: skip
_JOIN: dict[str, Callable[[Tensor, float], Tensor]] = {
    "sum": lambda part, start: part.sum(0) + start,
    "mean": lambda part, start: (part.sum(0) + start) / len(part),
    "max": lambda part, start: ops._run_extreme(part, start, np.maximum),
    "min": lambda part, start: ops._run_extreme(part, start, np.minimum),
    "prod": lambda part, start: ops._run_prod(part, start),
}


def _share(g, input, out):
    """The gradient of a run's extreme: elements that equal it share it, and those that are NaN."""
    holds = (input == out) | input.isnan()
    return ops.where(holds, g / holds.sum(0).clamp(min=1), 0)


def _others(g, input, out, start):
    """The gradient of a run's product: the product of the other elements. Where the element divides
    it, by division, as PyTorch has it.
    """
    one = ops.ones_like(input[:1])
    before = ops.cat([one, input[:-1]]).cumprod(0)
    after = ops.cat([one, input.flip(0)[:-1]]).cumprod(0).flip(0)
    divides = (input == input) & (input != 0)
    return g * ops.where(divides, out / input, before * after * start)


@primitive(
    function=False,
    method=False,
    vjp={"input": _share},
    infer=lambda input, start, fold: (input.shape[1:], input.dtype),
)
def _run_extreme(input, start: float, fold: Any):
    """The largest or smallest of a run and what it starts from; NaN wins."""
    return fold(fold.reduce(input, 0), input.dtype.type(start))


@primitive(
    function=False,
    method=False,
    vjp={"input": _others},
    infer=lambda input, start: (input.shape[1:], input.dtype),
)
def _run_prod(input, start: float):
    """The product of a run, from a start."""
    return np.multiply.reduce(input, 0, dtype=input.dtype) * input.dtype.type(start)


@composite()
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Tensor:
    """Reduce runs of `data` along `axis`.

    Args:
        reduce: ``sum``, ``mean``, ``max``, ``min`` or ``prod``.
        lengths: the length of each run, with the batch dimensions before `axis`.
        offsets: where each run starts, and where the last one ends; instead of `lengths`.
        unsafe: do not check that the lengths fill the dimension.
        initial: what each run starts from; an empty run gives it.

    Shape:
        `data` with the dimension `axis` replaced by the number of runs.

    Raises:
        RuntimeError: neither lengths nor offsets, an unknown reduction, lengths that do not fit.
        NotImplementedError: data that is not floating, or indices of another kind.
    """
    name = "segment_reduce"
    if reduce not in _START:
        raise fail(
            RuntimeError, name, f"reduce must be sum, mean, max, min or prod, got {reduce!r}"
        )
    if indices is not None:
        raise fail(RuntimeError, name, "indices are not supported: give lengths or offsets")
    if lengths is None and offsets is None:
        raise fail(RuntimeError, name, "Either lengths or offsets must be defined")
    if not data.dtype.is_floating_point:
        raise fail(NotImplementedError, name, f"expected floating data, got {data.dtype}")
    axis = axis + data.ndim if axis < 0 else axis
    bounds = _bounds(name, data, axis, lengths, offsets, unsafe)
    start = _START[reduce] if initial is None else float(initial)
    empty = math.nan if reduce == "mean" and initial is None else start
    flat = data.reshape(-1, *data.shape[axis:])  # batches, the dimension, the rest
    rows = []
    for batch, ends in zip(flat, bounds.reshape(len(flat), -1).tolist(), strict=True):
        for low, high in zip(ends, ends[1:], strict=False):
            part = batch[low:high]
            whole = ops.full(batch.shape[1:], empty, dtype=data.dtype)
            rows.append(_JOIN[reduce](part, start) if high > low else whole)
    shape = (*data.shape[:axis], bounds.shape[-1] - 1, *data.shape[axis + 1 :])
    return ops.stack(rows).reshape(shape) if rows else data.new_empty(shape)


def _bounds(
    name: str, data: Tensor, axis: int, lengths: Tensor | None, offsets: Tensor | None, unsafe: bool
) -> np.ndarray[Any, Any]:
    """Where the runs of each batch start and end."""
    given = offsets if lengths is None else lengths
    assert given is not None
    if given.dtype.is_floating_point:
        raise fail(NotImplementedError, name, f"expected integer segments, got {given.dtype}")
    if given.ndim - 1 != axis:
        raise fail(
            RuntimeError,
            name,
            f"Expected axis to be the last dimension of the segments, which is {given.ndim - 1}, "
            f"got {axis}",
        )
    values: np.ndarray[Any, Any] = given.detach().numpy()
    if lengths is None:
        return values
    if not unsafe and (values < 0).any():
        raise fail(RuntimeError, name, "lengths contains a negative value")
    if not unsafe and (values.sum(-1) != data.shape[axis]).any():
        raise fail(
            RuntimeError,
            name,
            f"Expected the lengths to sum to {data.shape[axis]}, the size of dimension {axis}, "
            f"unless unsafe=True",
        )
    first = np.zeros((*values.shape[:-1], 1), values.dtype)
    return np.concatenate([first, values.cumsum(-1)], -1)
