"""embedding_bag: sums, means and maxima of bags of rows. Kernels here are short; rows by number
are ``embedding``'s."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import embedding as kernels
from flambeau.core.kernels import embedding_bag as bags
from flambeau.core.rules import both
from flambeau.core.sampling import each_on_its_own
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray
SUM, MEAN, MAX = range(3)


def _share(
    flat: Any, bag: Any, counted: Any, sizes: Any, count: int, mode: int, by_frequency: bool
) -> Any:
    """What each row looked up is worth in its bag, before per-sample weights."""
    share = counted.astype("f8")
    if mode == MEAN:
        share = share / np.maximum(sizes, 1)[bag]
    if by_frequency:
        share = share / np.bincount(flat, minlength=count)[flat]
    return share


def _rows_at(rows: Any, flat: Any, shape: Any) -> Any:
    from flambeau.sparse.rows import rows_at

    return rows_at(rows, flat, shape)


@both
def _weight_rule(
    g: Any,
    weight: Any,
    indices: Any,
    per_sample_weights: Any,
    bag: Any,
    sizes: Any,
    top: Any,
    mode: int,
    scale_grad_by_freq: bool,
    sparse: bool,
    padding_idx: int,
    weight_shape: Any,
) -> Any:
    g = g[0] if isinstance(g, (tuple, list)) else g
    if g is None:
        return None
    graph = isinstance(g, Tensor)
    flat, owner, lengths = (
        each._array if isinstance(each, Tensor) else each for each in (indices, bag, sizes)
    )
    count, width = weight_shape
    if mode == MAX:
        chosen = top._array if isinstance(top, Tensor) else top
        if graph:
            places = wrap(np.maximum(chosen, 0) * width + np.arange(width))
            live = g * wrap((chosen >= 0).astype(g._array.dtype))
            zeros = wrap(np.zeros(count * width, g._array.dtype))
            return ops.index_add(zeros, 0, places.reshape(-1), live.reshape(-1)).reshape(
                count, width
            )
        return bags.maxima_back(g, chosen, weight_shape)
    counted = (flat != padding_idx) & (owner >= 0)
    place = np.maximum(owner, 0)
    share = _share(flat, place, counted, lengths, count, mode, scale_grad_by_freq)
    kept = None
    if padding_idx >= 0:  # left out, and not times nought: what arrives there may be no number
        kept = np.flatnonzero(counted)
        flat, place, share = flat[kept], place[kept], share[kept]
    if graph:
        rows = ops.index_select(g, 0, wrap(place)) * wrap(share.astype(g._array.dtype)[:, None])
        if per_sample_weights is not None:
            weights = per_sample_weights
            if kept is not None:
                weights = ops.index_select(weights, 0, wrap(kept))
            rows = rows * weights.unsqueeze(1)
        if sparse:
            return _rows_at(rows, flat, weight_shape)
        return ops.index_add(wrap(np.zeros(weight_shape, g._array.dtype)), 0, wrap(flat), rows)
    if per_sample_weights is not None:
        share = share * (per_sample_weights if kept is None else per_sample_weights[kept])
    if sparse:
        return _rows_at(g[place] * share.astype(g.dtype)[:, None], flat, weight_shape)
    if not len(g):
        return np.zeros(weight_shape, g.dtype)
    return bags.sums_back(g, flat, place, share.astype(g.dtype), count)


@both
def _sample_rule(g: Any, weight: Any, indices: Any, bag: Any, padding_idx: int) -> Any:
    g = g[0] if isinstance(g, (tuple, list)) else g
    if g is None:
        return None
    if isinstance(g, Tensor):
        flat, owner = indices._array, bag._array
        live = ((flat != padding_idx) & (owner >= 0)).astype(g._array.dtype)
        rows = ops.index_select(g, 0, wrap(np.maximum(owner, 0))) * ops.index_select(
            weight, 0, indices
        )
        return rows.sum(1) * wrap(live)
    live = (indices != padding_idx) & (bag >= 0)
    wide = np.dtype("f4") if g.dtype.itemsize == 2 else g.dtype  # halves are rounded once
    rows = g[np.maximum(bag, 0)].astype(wide, copy=False)
    found = (rows * weight[indices].astype(wide, copy=False)).sum(1)
    return (found * live).astype(g.dtype, copy=False)


@primitive(
    name="_embedding_bag_all",
    node="EmbeddingBag",
    function=False,
    method=False,
    outputs=("out", "bag", "sizes", "top"),
    differentiable=("out",),
    vjp={"weight": _weight_rule, "per_sample_weights": _sample_rule},
)
def _embedding_bag_all(
    weight,
    indices,
    offsets,
    per_sample_weights=None,
    mode: int = SUM,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
    include_last_offset: bool = False,
    padding_idx: int = -1,
):
    """The bags, the bag of every index, the bags' sizes, and where maxima came from."""
    kernels.check_indices("embedding_bag", indices, weight.shape[0], RuntimeError)
    starts = offsets[:-1] if include_last_offset else offsets
    count = len(starts)
    limit = int(offsets[-1]) if include_last_offset and len(offsets) else len(indices)
    bag = np.searchsorted(starts, np.arange(len(indices)), side="right") - 1
    bag[limit:] = -1
    live = (bag >= 0) & (indices != padding_idx)
    chosen, place = indices[live], bag[live]
    sizes = np.bincount(place, minlength=count)[:count].astype("i8")
    wide = "f8" if weight.dtype == np.float64 else "f4"
    table, index = weight, chosen
    if weight.dtype != wide:  # the rows that are looked up, not the whole table
        table, index = weight[chosen].astype(wide), np.arange(len(chosen))
    top = np.empty(0, "i8")
    if mode == MAX:
        found, top = bags.maxima(table, index, place, count)
        if table is not weight and len(chosen):
            top = np.where(top < 0, top, chosen[top])
    else:
        factors = None
        if per_sample_weights is not None:
            factors = per_sample_weights[live].astype(wide, copy=False)
        found = bags.sums(table, index, place, factors, count)
        if mode == MEAN:
            found /= np.maximum(sizes, 1)[:, None].astype(wide)
    return found.astype(weight.dtype, copy=False), bag.astype("i8"), sizes, top


_WEIGHTS = frozenset({"float16", "bfloat16", "float32", "float64"})


def _check(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    per_sample_weights: Tensor | None,
    mode: int,
    last: bool,
) -> None:
    """Dtypes and offsets.

    Raises:
        RuntimeError: they do not fit.
    """
    name = "embedding_bag"
    for word, each in (("indices", indices), ("offsets", offsets)):
        if each._array.dtype.kind != "i" or each._array.dtype.itemsize not in (4, 8):
            raise fail(
                RuntimeError,
                name,
                f"Expected tensor for argument '{word}' to have one of the following scalar "
                "types: Long, Int; but got "
                f"torch.{of(each._array.dtype).legacy}Tensor instead. Convert it with .long().",
            )
    if weight.dtype.name not in _WEIGHTS:
        raise fail(
            RuntimeError,
            name,
            f"Expected tensor for argument 'weight' to be one of {', '.join(sorted(_WEIGHTS))}; "
            f"but got {weight.dtype}. Convert it with .float().",
        )
    if last and not offsets.numel():
        raise fail(RuntimeError, name, "include_last_offset: number of offset should be at least 1")
    if offsets.numel() and (int(offsets[0]) != 0):
        raise fail(
            RuntimeError,
            name,
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
            "from position 0. However, got "
            f"{int(offsets[0])}",
        )
    if offsets.numel() and int(offsets[-1]) > indices.numel():
        raise fail(
            RuntimeError,
            name,
            f"offsets[-1] can not be greater than input's length {indices.numel()} but got "
            f"offsets[-1] of {int(offsets[-1])}",
        )
    if per_sample_weights is not None:
        if mode != SUM:
            raise fail(RuntimeError, name, "per_sample_weights only supported with mode='sum'")
        if per_sample_weights.dtype != weight.dtype:
            raise fail(
                RuntimeError,
                name,
                f"expected weight ({weight.dtype}) and per_sample_weights "
                f"({per_sample_weights.dtype}) to have same dtype",
            )


@composite()
def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Sums (mode 0), means (1) or maxima (2) of bags of rows: the bags, and what the way back
    needs.

    Raises:
        RuntimeError: an index outside the table, dtypes or offsets that do not fit.
    """
    _check(weight, indices, offsets, per_sample_weights, mode, include_last_offset)
    skipped = -1
    if padding_idx is not None:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise fail(
                RuntimeError,
                "embedding_bag",
                f"padding_idx must be within the number of embeddings, -{rows} through "
                f"{rows - 1}, but got {padding_idx}",
            )
        skipped = padding_idx % rows
    return ops._embedding_bag_all(
        weight,
        indices,
        offsets,
        per_sample_weights,
        mode,
        scale_grad_by_freq,
        sparse,
        include_last_offset,
        skipped,
    )


each_on_its_own("embedding_bag")
