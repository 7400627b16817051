"""The batching rules, by families: one table from an operation's name to its rule.

Here stand those that shift dimensions or whose kernels take leading dimensions anyway; products,
layers and indexing have files of their own. Stands on NumPy and the rules' files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.batch import rules_index, rules_layer, rules_product

__all__ = ["RULES"]

Rule = Callable[[Any, list[Any], list[Any], int], Any]


def at(op: Any, name: str) -> int:
    """The place of a parameter."""
    found: int = op.names.index(name)
    return found


def along(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """One tensor and a dimension (or several, or all) to work along."""
    if not which[0] or any(which[1:]):
        return None
    place = op.names.index("dim") if "dim" in op.names else op.names.index("dims")
    input, dim = args[0], args[place]
    shape = input.shape[1:]
    ndim = len(shape)
    given = list(args)
    if not ndim:
        if dim not in (None, (), [], 0, -1, (0,), (-1,), [0], [-1]):
            return None
        given[0] = input[:, None]
        given[place] = (1,) if isinstance(dim, (tuple, list)) else 1
        return _each(op.kernel(*given), lambda a: a.reshape(size))
    everything = dim is None or (dim in ((), []) and op.name not in KEEPS_EMPTY)
    if everything:
        given[0] = input.reshape(size, -1)
        given[place] = 1
        if "keepdim" not in op.names:
            return op.kernel(*given)
        keep = at(op, "keepdim")
        given[keep] = False
        ones = (size, *(1,) * ndim) if args[keep] else (size,)
        return _each(op.kernel(*given), lambda a: a.reshape(ones))
    given[place] = _shifted(dim, ndim)
    return op.kernel(*given)


KEEPS_EMPTY = frozenset(("_flip", "_roll"))
"""Where no dimensions means none, not all."""


def _shifted(dim: Any, ndim: int) -> Any:
    """A sample's dimensions as the batch's.

    Raises:
        IndexError: there is no such dimension.
    """
    if isinstance(dim, (tuple, list)):
        return tuple(_shifted(each, ndim) for each in dim)
    if not -ndim <= dim < ndim:
        raise IndexError(dim)
    return dim % ndim + 1


def _each(found: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(found, tuple):
        return tuple(change(np.asarray(each)) for each in found)
    return change(np.asarray(found))


def leading(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """The kernel takes leading dimensions as they come: one batch, the rest plain."""
    if sum(map(bool, which)) != 1 or not which[0]:
        return None
    return op.kernel(*args)


def aligned(least: int) -> Rule:
    """The kernel broadcasts leading dimensions: batches are put in front of equal ranks, of at
    least `least` dimensions.
    """

    def rule(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
        places = [i for i, _ in op.tensors if args[i] is not None]
        ranks = [args[i].ndim - bool(which[i]) for i in places]
        if min(ranks) < least:
            return None
        given = list(args)
        for i in places:
            if which[i]:
                missing = max(ranks) - (args[i].ndim - 1)
                given[i] = args[i].reshape(size, *(1,) * missing, *args[i].shape[1:])
        return op.kernel(*given)

    return rule


def everything(last: str) -> Rule:
    """A reduction of all elements, by NumPy's reduction `last` along the flattened sample."""

    def rule(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
        flat = args[0].reshape(size, -1)
        return getattr(np, last)(flat, axis=1) if flat.shape[1] else None

    return rule


def folded(rank: Callable[[Any, list[Any]], int], several: tuple[int, ...] = (0,)) -> Rule:
    """The kernel's first dimension is a batch already (`rank` says of how many dimensions its
    input then is): samples are taken together there. `several`: the arguments that have it.
    """

    def rule(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
        if any(flag for i, flag in enumerate(which) if flag and i not in several):
            return None
        wanted = rank(op, args)
        given = list(args)
        count = 0
        alone = False
        for i in several:
            array = args[i]
            if array is None:
                continue
            if not which[i]:
                array = np.broadcast_to(array, (size, *array.shape))
            alone = array.ndim == wanted  # a sample without its own batch
            count = 1 if alone else array.shape[1]
            given[i] = array if alone else array.reshape(size * count, *array.shape[2:])
        if not count:
            return None
        shape = (size,) if alone else (size, count)
        return _each(op.kernel(*given), lambda a: a.reshape(*shape, *a.shape[1:]))

    return rule


def _windows(op: Any, args: list[Any]) -> int:
    return len(args[at(op, "kernel")]) + 2


def to_shape(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Zeros of a shape with the gradient in a part of it."""
    if not which[0] or any(which[1:]):
        return None
    given = list(args)
    shape = args[at(op, "shape")]
    ndim = len(shape)
    if not ndim:
        return None
    given[at(op, "shape")] = (size, *shape)
    for name in ("dim", "dim1", "dim2"):
        if name in op.names:
            given[at(op, name)] = _shifted(args[at(op, name)], ndim)
    return op.kernel(*given)


def view_backward(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    grad, shape, index = args
    found = np.zeros((size, *shape), grad.dtype)
    found[(slice(None), *(index if isinstance(index, tuple) else (index,)))] = grad
    return found


def reshaped(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, shape = args
    sizes = np.broadcast_to(np.empty(()), input.shape[1:]).reshape(shape).shape
    return input.reshape(size, *sizes)


def same(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Element by element, whatever the other arguments are."""
    if not which[0] or any(which[1:]):
        return None
    return op.kernel(*args)


def cloned(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    return np.array(args[0], order="C")


def converted(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    return op.kernel(args[0], args[1])


def repeated(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, repeats = args
    missing = len(repeats) - (input.ndim - 1)
    return np.tile(input.reshape(size, *(1,) * missing, *input.shape[1:]), (1, *repeats))


def rolled(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, shifts, dims = args
    if not dims:
        shift = shifts[0] if isinstance(shifts, (tuple, list)) else shifts
        return np.roll(input.reshape(size, -1), shift, 1).reshape(input.shape)
    return op.kernel(input, shifts, _shifted(dims, input.ndim - 1))


def diag_embedded(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, offset, dim1, dim2 = args
    return op.kernel(input, offset, _shifted(dim1, input.ndim), _shifted(dim2, input.ndim))


def trace(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    diagonal = args[0].diagonal(0, 1, 2)
    return None if diagonal.dtype.kind not in "fc" else diagonal.sum(-1, dtype=diagonal.dtype)


def padded_constant(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, pad, value = args
    if any(which[1:]) or len(pad) // 2 > input.ndim - 1:
        return None
    return op.kernel(*args)


def glued(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Concatenation."""
    tensors, dim = args
    flags = which[0]
    grown = [a if b else np.broadcast_to(a, (size, *a.shape)) for a, b in zip(tensors, flags)]
    full = [a for a in grown if a.shape[1:] != (0,)] or grown[:1]
    return np.concatenate(full, _shifted(dim, full[0].ndim - 1))


def piled(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Stacking."""
    tensors, dim = args
    grown = [a if b else np.broadcast_to(a, (size, *a.shape)) for a, b in zip(tensors, which[0])]
    return np.stack(grown, _shifted(dim, grown[0].ndim))


_ALONG = (
    "sum nansum _is_number_count mean prod any all count_nonzero logsumexp amax amin argmax argmin "
    "_cumsum_reverse cumsum cumprod logcumsumexp _var _std _vector_norm _max_dim _min_dim _aminmax "
    "_var_mean _std_mean _sort _sort_stable topk kthvalue _median_dim _nanmedian_dim mode cummax "
    "cummin _flip glu _softmax _log_softmax _fft_c2c _fft_r2c _fft_c2r"
).split()

_LEADING = (
    "tril triu linalg_cholesky_ex linalg_inv_ex _linalg_det linalg_slogdet linalg_matrix_exp "
    "linalg_lu_factor_ex linalg_lu linalg_qr linalg_svd linalg_eigh linalg_eig frexp"
).split()

RULES: dict[str, Rule] = {
    **dict.fromkeys(_ALONG, along),
    **dict.fromkeys(_LEADING, leading),
    "_cat": glued,
    "_fill": leading,
    "_fill_in_place": leading,
    "_zero": leading,
    "_clone": cloned,
    "_to_copy": converted,
    "_diag_embed": diag_embedded,
    "_max_all": everything("max"),
    "_min_all": everything("min"),
    "_repeat": repeated,
    "_reshape_copy": reshaped,
    "_roll": rolled,
    "_select_backward": to_shape,
    "_slice_backward": to_shape,
    "_stack": piled,
    "_view_backward": view_backward,
    "average_pool": folded(_windows),
    "average_pool_spread": folded(_windows),
    "average_pool_to": folded(_windows),
    "constant_pad_nd": padded_constant,
    "diagonal_backward": to_shape,
    "max_pool": folded(_windows),
    "max_pool_gather": folded(_windows, (0, 1)),
    "max_pool_indices": folded(_windows),
    "max_pool_spread": folded(_windows, (0, 1)),
    "max_pool_values": folded(_windows),
    "trace": trace,
    "unfold_backward": to_shape,
    **rules_index.RULES,
    **rules_layer.RULES,
    **rules_product.RULES,
}
