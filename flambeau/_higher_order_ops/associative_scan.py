"""Running results of an associative function in a logarithmic number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

__all__ = ["associative_scan"]


def associative_scan(
    combine_fn: Callable[[Any, Any], Any],
    xs: Any,
    dim: int,
    reverse: bool = False,
    combine_mode: str = "pointwise",
) -> Any:
    """``out[k] = combine_fn(out[k - 1], xs[k])`` along a dimension, ``out[0] = xs[0]``.

    Args:
        combine_fn: associative; takes two trees as `xs` and gives one. It is called with many
            positions at once, which come first.
        xs: a tensor, or a tree of tensors of the same size along `dim`.
        reverse: from the last to the first.
        combine_mode: ``generic`` here; ``pointwise`` is for GPUs.

    Raises:
        ValueError: another mode, no tensors, sizes that differ.

    Reference: G. E. Blelloch, Prefix Sums and Their Applications, 1990.
    """
    name = "associative_scan"
    if combine_mode not in ("pointwise", "generic"):
        raise fail(ValueError, name, f"combine_mode must be 'generic', got {combine_mode!r}")
    leaves, spec = tree_flatten(xs)
    if not leaves or not all(isinstance(leaf, Tensor) for leaf in leaves):
        raise fail(ValueError, name, "expected xs to be a tensor or a tree of tensors")
    if combine_mode == "pointwise":
        raise fail(
            ValueError, name, "combine_mode 'pointwise' is for GPUs: give combine_mode='generic'"
        )
    dim = wrap_dim(dim, leaves[0].ndim)
    if len({leaf.shape[dim] for leaf in leaves}) > 1:
        raise fail(ValueError, name, f"expected one size along dimension {dim} for all of xs")

    def combined(left: list[Tensor], right: list[Tensor]) -> list[Tensor]:
        return tree_leaves(combine_fn(tree_unflatten(left, spec), tree_unflatten(right, spec)))

    rows = [leaf.movedim(dim, 0) for leaf in leaves]
    if reverse:
        rows = [row.flip(0) for row in rows]
    found = _scanned(combined, rows)
    if reverse:
        found = [row.flip(0) for row in found]
    return tree_unflatten([row.movedim(0, dim) for row in found], spec)


def _scanned(
    combined: Callable[[list[Tensor], list[Tensor]], list[Tensor]], rows: list[Tensor]
) -> list[Tensor]:
    """Neighbours are combined, the half as long line is scanned, and gives the places between."""
    count = rows[0].shape[0]
    if count < 2:
        return rows
    pairs = combined([row[0 : count - 1 : 2] for row in rows], [row[1::2] for row in rows])
    odd = _scanned(combined, pairs)  # the results at 1, 3, 5, ...
    first = [row[:1] for row in rows]
    if count == 2:
        even = first
    else:
        before = [row[: (count - 1) // 2] for row in odd]
        later = combined(before, [row[2::2] for row in rows])
        even = [flambeau.cat(pair) for pair in zip(first, later, strict=True)]
    return [_interleaved(*pair) for pair in zip(even, odd, strict=True)]


def _interleaved(even: Tensor, odd: Tensor) -> Tensor:
    count = odd.shape[0]
    woven = flambeau.stack((even[:count], odd), 1).flatten(0, 1)
    return flambeau.cat((woven, even[count:])) if even.shape[0] > count else woven
