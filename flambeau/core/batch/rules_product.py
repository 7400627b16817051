"""Batching rules of products: matmul and its kin, sums with products, the affine layer, systems of
equations, attention.

The samples' products are one call of `np.matmul`, or one product of taller matrices where the
right factor is shared. Stands on kernels.product.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.kernels.product import product, widen

__all__ = ["RULES", "times"]


def times(a: Any, b: Any) -> Any:
    """``a @ b`` of two factors of at least two dimensions.

    An inner dimension of one element is an outer product: a multiplication, where matmul would call
    BLAS once for each sample.
    """
    if a.shape[-1] == 1 and a.ndim > 2 and b.ndim > 2:
        return np.multiply(a, b, order="C")
    return product(a, b)


def _factors(args: list[Any], which: list[Any], first: int, second: int) -> Any:
    """Two factors and the ranks of their samples; None where the dtypes differ."""
    a, b = args[first], args[second]
    if a.dtype != b.dtype or a.dtype.kind == "b":
        return None
    return a, b, a.ndim - bool(which[first]), b.ndim - bool(which[second])


def _general(a: Any, b: Any, rank_a: int, rank_b: int) -> Any:
    """matmul of samples of any rank from one up, batches in front."""
    batch_a, batch_b = a.ndim > rank_a, b.ndim > rank_b
    if a.shape[-1] != b.shape[-2 if rank_b > 1 else -1]:
        return None
    if rank_a == 1:
        a = a[..., None, :]
    if rank_b == 1:
        b = b[..., None]
    rank = max(rank_a, rank_b, 2)
    if batch_a:
        a = a.reshape(a.shape[0], *(1,) * (rank - a.ndim + 1), *a.shape[1:])
    if batch_b:
        b = b.reshape(b.shape[0], *(1,) * (rank - b.ndim + 1), *b.shape[1:])
    found = times(a, b)
    if rank_a == 1:
        found = found[..., 0, :]
    return found[..., 0] if rank_b == 1 else found


def matmul(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    pair = _factors(args, which, 0, 1)
    return None if pair is None or min(pair[2:]) < 1 else _general(*pair)


def ranked(rank_a: int, rank_b: int) -> Any:
    """matmul where each factor has the rank it must have."""

    def rule(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
        pair = _factors(args, which, 0, 1)
        if pair is None or pair[2:] != (rank_a, rank_b):
            return None
        if rank_a == 3 and pair[0].shape[-3] != pair[1].shape[-3]:
            return None
        return _general(*pair)

    return rule


def vdot(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    pair = _factors(args, which, 0, 1)
    if pair is None or pair[2:] != (1, 1):
        return None
    return _general(pair[0].conj(), *pair[1:])


def added(rank_a: int, rank_b: int, summed: bool = False) -> Any:
    """``beta * input + alpha * (first @ second)``."""

    def rule(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
        input, a, b, beta, alpha = args
        pair = _factors(args, which, 1, 2)
        if pair is None or pair[2:] != (rank_a, rank_b) or input.dtype != a.dtype:
            return None
        if input.dtype.kind in "iu":
            return None
        if rank_a == 3 and a.shape[-3] != b.shape[-3]:
            return None
        found = _general(widen(a), widen(b), rank_a, rank_b)
        if found is None:
            return None
        if summed:
            found = found.sum(-3)
        rank = found.ndim - (bool(which[1]) or bool(which[2]))
        if input.ndim - bool(which[0]) > rank:
            return None
        if which[0]:
            missing = rank - (input.ndim - 1)
            input = input.reshape(size, *(1,) * missing, *input.shape[1:])
        if alpha != 1:
            found = found * alpha
        if beta != 0:
            found = found + (widen(input) if beta == 1 else widen(input) * beta)
        found = found.astype(input.dtype, copy=False)
        if found.ndim == rank:
            return None
        return found

    return rule


def affine(bias: Any, x: Any, weight: Any, flags: Any, size: int, kernel: Any) -> Any:
    """``x @ weight.T + bias`` where any of the three may be a batch."""
    many_bias, many_x, many_weight = flags
    if not many_weight and not many_bias:
        return kernel()
    rank = weight.ndim - many_weight
    if rank != 2 or x.dtype != weight.dtype or x.ndim - many_x < 1:
        return None
    if bias is not None and (bias.dtype != x.dtype or bias.ndim - many_bias != 1):
        return None
    lead = x.shape[1:-1] if many_x else x.shape[:-1]
    rows = math.prod(lead)
    x = x.reshape(*((size,) if many_x else ()), rows, x.shape[-1])
    found = times(widen(x), widen(weight).swapaxes(-1, -2))
    if bias is not None:
        found = found + (widen(bias)[:, None, :] if many_bias else widen(bias))
    found = found.astype(weight.dtype, copy=False)
    return found.reshape(size, *lead, found.shape[-1])


def linear(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    flags = (False, bool(which[0]), bool(which[1]))
    return affine(None, args[0], args[1], flags, size, lambda: op.kernel(*args))


def linear_with_bias(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    flags = tuple(map(bool, which))
    if flags == (True, False, False):
        return None
    return affine(args[0], args[1], args[2], flags, size, lambda: op.kernel(*args))


def bordered(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """A kernel of two matrices that broadcasts leading dimensions."""
    a, b = args[:2]
    rank_a, rank_b = a.ndim - bool(which[0]), b.ndim - bool(which[1])
    if rank_a < 2 or rank_b < 2 or any(which[2:]):
        return None
    rank = max(rank_a, rank_b)
    given = list(args)
    for k, own in ((0, rank_a), (1, rank_b)):
        array = args[k] if which[k] else args[k][None]
        given[k] = array.reshape(array.shape[0], *(1,) * (rank - own), *array.shape[1:])
        given[k] = np.broadcast_to(given[k], (size, *given[k].shape[1:]))
    return op.kernel(*given)


def solved(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """The solution of a system: a right side of one vector for each matrix is taken as a column."""
    a, b = args[:2]
    rank_a, rank_b = a.ndim - bool(which[0]), b.ndim - bool(which[1])
    shape_a, shape_b = a.shape[a.ndim - rank_a :], b.shape[b.ndim - rank_b :]
    if rank_b == 1 or (rank_b == rank_a - 1 and shape_b == shape_a[:-1]):
        if rank_b != 1:
            return None
        found = bordered(op, [a, b[..., None], *args[2:]], which, size)
        return None if found is None else (found[0][..., 0], *found[1:])
    return bordered(op, args, which, size)


def attended(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Attention broadcasts its leading dimensions."""
    present = [k for k in range(4) if args[k] is not None]
    rank = max(args[k].ndim - bool(which[k]) for k in present)
    given = list(args)
    for k in present:
        if which[k]:
            array = args[k]
            given[k] = array.reshape(size, *(1,) * (rank + 1 - array.ndim), *array.shape[1:])
        elif k < 3:
            given[k] = np.broadcast_to(args[k], (size, *args[k].shape))
            missing = rank + 1 - given[k].ndim
            given[k] = given[k].reshape(size, *(1,) * missing, *args[k].shape)
    return op.kernel(*given)


RULES = {
    "_addmm_linear": linear_with_bias,
    "_attention": attended,
    "_linalg_solve_ex": solved,
    "_matmul": matmul,
    "_mm_linear": linear,
    "addbmm": added(3, 3, True),
    "addmm": added(2, 2),
    "addmv": added(2, 1),
    "baddbmm": added(3, 3),
    "bmm": ranked(3, 3),
    "dot": ranked(1, 1),
    "linalg_solve_triangular": bordered,
    "mm": ranked(2, 2),
    "mv": ranked(2, 1),
    "vdot": vdot,
}
