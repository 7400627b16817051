"""Distances and similarities of vectors: pairwise_distance, cosine_similarity, pdist. Stands on
``ops``."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.node import labelled
from flambeau.core.ops.windowing import refuse_dtype
from flambeau.core.promotion import promote_types
from flambeau.core.rules import both
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


@composite(numpy=True)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """``norm_p(x1 - x2 + eps)`` over the last dimension."""
    found = ops.norm(x1 - x2 + eps, p, max(x1.dim(), x2.dim()) - 1, keepdim)
    return labelled(found, "NormBackward1")


@composite(numpy=True)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` along `dim`.

    Raises:
        RuntimeError: integer vectors.
    """
    if not (x1.dtype.is_floating_point or x1.dtype.is_complex) and not (
        x2.dtype.is_floating_point or x2.dtype.is_complex
    ):
        raise fail(
            RuntimeError,
            "cosine_similarity",
            f"expected common dtype to be floating point, yet common dtype is {x1.dtype}",
        )
    x1, x2 = ops.broadcast_tensors(x1, x2)
    common = promote_types(x1.dtype, x2.dtype)
    x1, x2 = x1.to(common), x2.to(common)
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


def _pairs(n: int) -> tuple[Any, Any]:
    return np.triu_indices(n, 1)


@both
def _pdist_rule(g: Any, input: Any, out: Any, p: float) -> Any:
    rows, columns = _pairs(input.shape[0])
    if type(g) is not nd:
        return _pdist_graph(g, input, out, p, rows, columns)
    n = len(input)
    if p == 0 or not out.size:
        return np.zeros_like(input)
    weight, found = np.zeros((n, n), g.dtype), np.zeros_like(input)
    if p in (1, np.inf):
        weight[rows, columns] = g
    else:
        weight[rows, columns] = np.where(out == 0, 0, g / np.where(out == 0, 1, out) ** (p - 1))
    if p == 2:  # a sum of differences is a product of matrices; centred, so that little cancels
        weight += weight.T
        centred = input - input.mean(0)
        return (weight.sum(1)[:, None] * centred - weight @ centred).astype(input.dtype)
    far = np.zeros((n, n), out.dtype)
    far[rows, columns] = out
    for i in range(n - 1):
        d = input[i] - input[i + 1 :]
        slope = np.sign(d)
        if p == np.inf:
            slope *= np.abs(d) == far[i, i + 1 :, None]
        elif p != 1:
            slope *= np.abs(d) ** (p - 1)
        slope *= weight[i, i + 1 :, None]
        found[i] += slope.sum(0)
        found[i + 1 :] -= slope
    return found


def _pdist_graph(
    g: Tensor, input: Tensor, out: Tensor, p: float, rows: Any, columns: Any
) -> Tensor:
    i, j = wrap(rows), wrap(columns)
    d = ops.index_select(input, 0, i) - ops.index_select(input, 0, j)
    e = out.unsqueeze(1)
    if p == 0:
        return ops.zeros_like(input)
    if p == 1:
        slope = ops.sign(d)
    elif p == float("inf"):
        slope = ops.sign(d) * (ops.abs(d) == e)
    else:
        safe = ops.where(e == 0, 1.0, e)
        power = d if p == 2 else ops.sign(d) * ops.pow(ops.abs(d), p - 1)
        slope = ops.where(e == 0, 0.0, power / ops.pow(safe, p - 1))
    slope = slope * g.unsqueeze(1)
    zero = ops.zeros_like(input)
    return ops.index_add(ops.index_add(zero, 0, i, slope), 0, j, -slope)


def _norms(d: Any, p: float) -> Any:
    """The p-norms of rows."""
    if p == 0:
        return np.count_nonzero(d, axis=1)
    if p == 2:
        return np.sqrt(np.einsum("ij,ij->i", d, d))
    d = np.abs(d)
    if p == np.inf:
        return d.max(1, initial=0)
    return d.sum(1) if p == 1 else (d**p).sum(1) ** (1 / p)


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
    refuse_dtype("pdist", input.dtype, "f")
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
    if p < 0:
        raise fail(RuntimeError, "pdist", "pdist only supports non-negative p values")
    return ops._pdist(input, p)
