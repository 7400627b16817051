"""Distances and similarities of vectors: pairwise_distance, cosine_similarity, cdist, pdist. Stands
on generate.distances and ``ops``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels.generate.distances import condensed, distances, gradient
from flambeau.core.node import labelled
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.promotion import promote_types
from flambeau.core.rules import both
from flambeau.core.taken import SINGLE_OR_DOUBLE, refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray
SHORT = 32
"""Places of a row up to which differences cost no more than a product of matrices."""


@composite(numpy=True)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """``norm_p(x1 - x2 + eps)`` over the last dimension."""
    require_tensor("pairwise_distance", "x1", x1)
    require_tensor("pairwise_distance", "x2", x2)
    found = ops.norm(x1 - x2 + eps, p, max(x1.dim(), x2.dim()) - 1, keepdim)
    return labelled(found, "NormBackward1")


@composite(numpy=True)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` along `dim`.

    Raises:
        RuntimeError: integer or complex vectors.
    """
    require_tensor("cosine_similarity", "x1", x1)
    require_tensor("cosine_similarity", "x2", x2)
    common = promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise fail(
            RuntimeError,
            "cosine_similarity",
            f"expected common dtype to be floating point, yet common dtype is {common}",
        )
    if x1._array.shape != x2._array.shape:
        x1, x2 = ops.broadcast_tensors(x1, x2)
    x1, x2 = (x if x._array.dtype == common.numpy else x.to(common) for x in (x1, x2))
    first = x1 / _length(x1, dim, eps)
    second = x2 / _length(x2, dim, eps)
    return (first * second).sum(dim)


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The 2-norm, not below eps: the floor carries no gradient of its own."""
    found = ops.norm(x, 2, dim, True)
    low = found._array < eps
    if type(low) is nd and low.any():
        return found + wrap(
            np.where(low, found.dtype.numpy.type(eps) - found._array, found.dtype.numpy.type(0))
        )
    return found


def _slope(d: Any, far: Any, p: float, xp: Any) -> Any:
    """The gradient of ``|d|_p`` by one difference, times ``|d|_p**(p - 1)`` where p is finite."""
    found = xp.sign(d)
    if p == 1:
        return found
    size = xp.abs(d)
    if p == np.inf:
        return found * (size == far)
    return xp.where(d == 0, 0.0, found * xp.where(d == 0, 1.0, size) ** (p - 1))


def _worth(g: Any, far: Any, p: float, xp: Any) -> Any:
    """What a distance's slopes are multiplied with; where it is 0 there is no gradient."""
    if p in (1, np.inf):
        return g
    return xp.where(far == 0, 0.0, g / xp.where(far == 0, 1.0, far) ** (p - 1))


def _towards(g: Any, x: Any, y: Any, out: Any, p: float) -> Any:
    """The gradient by the rows x (*, n, d) of distances (*, n, m) to the rows y."""
    graph = type(g) is not nd
    if p == 0:
        return ops.zeros_like(x) if graph else np.zeros_like(x)
    weight = _worth(g, out, p, ops if graph else np)
    if p == 2:  # a sum of differences is a product of matrices; centred, so that little cancels
        middle = y.mean(-2)[..., None, :] if y.shape[-2] else 0
        return (x - middle) * weight.sum(-1)[..., None] - weight @ (y - middle)
    if graph:
        d = x.unsqueeze(-2) - y.unsqueeze(-3)
        return (_slope(d, out.unsqueeze(-1), p, ops) * weight.unsqueeze(-1)).sum(-2)
    weight = weight.astype(x.dtype, copy=False)
    found = gradient(weight, out, x, y, p)
    if found is not None:
        return found
    found = np.empty((*g.shape[:-1], x.shape[-1]), x.dtype)
    for i in range(x.shape[-2]):
        slope = _slope(x[..., i : i + 1, :] - y, out[..., i, :, None], p, np)
        found[..., i, :] = (slope * weight[..., i, :, None]).sum(-2)
    return found


@both
def _cdist_left(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    return _towards(g, x1, x2, out, p)


@both
def _cdist_right(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    return _towards(g.swapaxes(-1, -2), x2, x1, out.swapaxes(-1, -2), p)


def _norms(d: Any, p: float) -> Any:
    """The p-norms over the last dimension."""
    if p == 0:
        return np.count_nonzero(d, axis=-1)
    if p == 2:
        return np.sqrt(np.einsum("...k,...k->...", d, d))
    d = np.abs(d)
    if p == np.inf:
        return d.max(-1, initial=0)
    return d.sum(-1) if p == 1 else (d**p).sum(-1) ** (1 / p)


def _cdist_shape(x1: Any, x2: Any, *_: Any) -> Any:
    return (
        *np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2]),
        x1.shape[-2],
        x2.shape[-2],
    ), x1.dtype


@primitive(
    name="_cdist",
    node="Cdist",
    method=False,
    function=False,
    vjp={"x1": _cdist_left, "x2": _cdist_right},
    infer=_cdist_shape,
)
def _cdist(x1, x2, p: float, by_product: bool):
    """Distances of all rows to all rows, euclidean ones by a product of matrices if asked for."""
    if not by_product or x1.shape[-1] <= SHORT:
        found = distances(x1, x2, p)
        if found is None:
            found = _norms(x1[..., :, None, :] - x2[..., None, :, :], p)
        return found.astype(x1.dtype, copy=False)
    squares = [np.einsum("...k,...k->...", x, x)[..., None] for x in (x1, x2)]
    ones = [np.ones_like(square) for square in squares]
    left = np.concatenate((-2 * x1, squares[0], ones[0]), -1)
    right = np.concatenate((x2, ones[1], squares[1]), -1)
    found = left @ right.swapaxes(-1, -2)
    np.maximum(found, 0, found)
    return np.sqrt(found, found)


@composite()
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norm distance of every row of x1 to every row of x2.

    Args:
        compute_mode: whether euclidean distances go through a product of matrices: when more than
            25 rows (the default), "use_mm_for_euclid_dist" or "donot_use_mm_for_euclid_dist".

    Shape: (*, p, m), (*, r, m) -> (*, p, r).
    """
    require_tensor("cdist", "x1", x1)
    require_tensor("cdist", "x2", x2)
    modes = {
        None: 0,
        "use_mm_for_euclid_dist_if_necessary": 0,
        "use_mm_for_euclid_dist": 1,
        "donot_use_mm_for_euclid_dist": 2,
    }
    if compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for label, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise fail(
                RuntimeError,
                "cdist",
                f"cdist only supports at least 2D tensors, {label} got: {x.dim()}D",
            )
        if not x.is_floating_point():
            raise fail(
                RuntimeError,
                "cdist",
                f"cdist only supports floating-point dtypes, {label} got: {x.dtype}",
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise fail(
            RuntimeError,
            "cdist",
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: "
            f"{x2.shape[-1]}",
        )
    if x1.dtype != x2.dtype:
        raise fail(
            RuntimeError,
            "cdist",
            f"expected both tensors to have one dtype, but got {x1.dtype} and {x2.dtype}: convert "
            "one of them.",
        )
    if p < 0:
        raise fail(RuntimeError, "cdist", "cdist only supports non-negative p values")
    mode = modes[compute_mode]
    many = max(x1.shape[-2], x2.shape[-2]) > 25
    by_product = p == 2 and (mode == 1 or (mode == 0 and many))
    if not by_product and x1.numel() and x2.numel():
        refuse_dtype("cdist", x1._array.dtype, "", SINGLE_OR_DOUBLE)
    if x1.dtype.itemsize == 2:
        return ops._cdist(x1.float(), x2.float(), p, by_product).to(x1.dtype)
    return ops._cdist(x1, x2, p, by_product)


def _square(values: Any, n: int) -> Any:
    """What belongs to pairs of rows, as a symmetric matrix."""
    found = np.zeros((n, n), values.dtype)
    start = 0
    for i in range(n - 1):
        stop = start + n - 1 - i
        found[i, i + 1 :] = found[i + 1 :, i] = values[start:stop]
        start = stop
    return found


@both
def _pdist_rule(g: Any, input: Any, out: Any, p: float) -> Any:
    n = input.shape[0]
    if type(g) is nd:
        return _towards(_square(g, n), input, input, _square(out, n), p)
    rows, columns = (wrap(places) for places in np.triu_indices(n, 1))
    if p == 0:
        return ops.zeros_like(input)
    d = ops.index_select(input, 0, rows) - ops.index_select(input, 0, columns)
    slope = d if p == 2 else _slope(d, out.unsqueeze(1), p, ops)
    slope = slope * _worth(g, out, p, ops).unsqueeze(1)
    zero = ops.zeros_like(input)
    return ops.index_add(ops.index_add(zero, 0, rows, slope), 0, columns, -slope)


@primitive(
    name="_pdist",
    node="Pdist",
    function=False,
    method=False,
    vjp=_pdist_rule,
    infer=lambda input, p: ((input.shape[0] * (input.shape[0] - 1) // 2,), input.dtype),
)
def _pdist(input, p: float = 2.0):
    """The p-norm distances of all pairs of rows."""
    if len(input) > 1 and input.size:
        refuse_dtype("pdist", input.dtype, "", SINGLE_OR_DOUBLE)
    else:
        return np.zeros(len(input) * (len(input) - 1) // 2, input.dtype)
    found = condensed(input, p)
    if found is not None:
        return found
    n = input.shape[0]
    parts = [_norms(input[i] - input[i + 1 :], p) for i in range(n - 1)]
    found = np.concatenate(parts) if parts else np.empty(0)
    return np.asarray(found, input.dtype)


@composite()
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of all pairs of rows of (N, M): (N (N - 1) / 2).

    Raises:
        RuntimeError: not a matrix, or a negative p.
    """
    if input.dim() != 2:
        raise fail(RuntimeError, "pdist", f"pdist only supports 2D tensors, got: {input.dim()}D")
    if input.dtype.category not in ("float", "float8"):
        raise fail(
            RuntimeError, "pdist", f"pdist only supports floating-point dtypes, got: {input.dtype}"
        )
    if p < 0:
        raise fail(RuntimeError, "pdist", "pdist only supports non-negative p values")
    return ops._pdist(input, p)
