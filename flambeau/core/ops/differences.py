"""Differences and integrals on a grid: diff, gradient, trapezoid, trapz, cumulative_trapezoid.

Composites, so differentiable. Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops
from flambeau.core.dims import wrap_dim, wrap_dims
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__: list[str] = []


@composite(method=True, numpy=True)
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The `n`-th differences of neighbours along `dim`; of bools, whether they differ.

    Args:
        prepend, append: what is joined to the input's ends first.

    Raises:
        RuntimeError: a 0-d tensor, a negative `n`, ends of another shape.
    """
    if not input._array.ndim:
        raise fail(RuntimeError, "diff", "diff expects input to be at least one-dimensional")
    if n < 0:
        raise fail(RuntimeError, "diff", f"order must be non-negative but got {n}")
    k = wrap_dim(dim, input._array.ndim, "diff")
    parts = [t for t in (prepend, input, append) if t is not None]
    for t in parts:
        if t._array.ndim != input._array.ndim:
            raise fail(
                RuntimeError,
                "diff",
                "diff expects prepend or append to be the same dimension as input",
            )
        if any(
            a != b
            for j, (a, b) in enumerate(zip(t._array.shape, input._array.shape, strict=True))
            if j != k
        ):
            raise fail(
                RuntimeError,
                "diff",
                "diff expects the shape of tensor to prepend or append to match that of input "
                f"except along the differencing dimension; input has {list(input._array.shape)}, "
                f"it has {list(t._array.shape)}",
            )
    if n == 0:
        return _written("diff", input.clone(), out)
    found = ops.cat(parts, k) if len(parts) > 1 else input
    for _ in range(min(n, found._array.shape[k])):
        size = found._array.shape[k]
        ahead, behind = ops.narrow(found, k, 1, size - 1), ops.narrow(found, k, 0, size - 1)
        found = ops.logical_xor(ahead, behind) if found._array.dtype.kind == "b" else ahead - behind
    return _written("diff", found, out)


def _written(name: str, found: Tensor, out: Any) -> Tensor:
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one(name, found, out)


def _spacings(spacing: Any, dims: tuple[int, ...], input: Tensor) -> list[Any]:
    """A number or a vector of coordinates for each dimension.

    Raises:
        RuntimeError: another number of them than of dimensions, or coordinates that do not fit.
    """
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, Tensor):
        spacing = [spacing]
    if not isinstance(spacing, (list, tuple)):
        return [spacing] * len(dims)
    if len(spacing) != len(dims):
        raise fail(
            RuntimeError,
            "gradient",
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to the number of dims: {len(dims)}, but got {len(spacing)}.",
        )
    for each, k in zip(spacing, dims, strict=True):
        if isinstance(each, Tensor) and (
            each._array.ndim != 1 or len(each._array) != input._array.shape[k]
        ):
            raise fail(
                RuntimeError,
                "gradient",
                f"torch.gradient expected the coordinates of dimension {k} to be a vector of "
                f"{input._array.shape[k]} numbers, got shape {list(each._array.shape)}.",
            )
    return list(spacing)


def _along(input: Tensor, k: int, spacing: Any, edge_order: int) -> Tensor:
    """The derivative along one dimension: central differences inside, one-sided at the edges."""

    def part(start: int, stop: int) -> Tensor:
        size = input._array.shape[k]
        first = start if start >= 0 else start + size
        last = stop if stop > 0 else stop + size
        return ops.narrow(input, k, first, last - first)

    shape = [-1 if j == k else 1 for j in range(input._array.ndim)]
    if isinstance(spacing, Tensor):
        step = diff(spacing)
        before, after = step[:-1].reshape(shape), step[1:].reshape(shape)
        first, second, last, last_but_one = (
            step[0],
            step[1] if len(step) > 1 else None,
            step[-1],
            step[-2] if len(step) > 1 else None,
        )
        a = -after / (before * (before + after))
        b = (after - before) / (before * after)
        c = before / (after * (before + after))
        inside = a * part(0, -2) + b * part(1, -1) + c * part(2, 0)
    else:
        first = second = last = last_but_one = spacing
        inside = (part(2, 0) - part(0, -2)) / (2 * spacing)
    if edge_order == 1:
        low = (part(1, 2) - part(0, 1)) / first
        high = (part(-1, 0) - part(-2, -1)) / last
    else:
        a, b, c = _edge(first, second)
        low = a * part(0, 1) + b * part(1, 2) + c * part(2, 3)
        a, b, c = _edge(last, last_but_one)
        high = -c * part(-3, -2) - b * part(-2, -1) - a * part(-1, 0)
    return ops.cat([low, inside, high], k)


def _edge(h: Any, next_h: Any) -> tuple[Any, Any, Any]:
    """The second-order derivative's coefficients at an edge; points `h` and `next_h` apart."""
    a = -(2 * h + next_h) / (h * (h + next_h))
    b = (h + next_h) / (h * next_h)
    c = -h / (next_h * (h + next_h))
    return a, b, c


@composite()
def gradient(
    input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """The derivatives of a sampled function along each dimension in `dim` (all by default).

    Args:
        spacing: the step, a step for each dimension, or each dimension's coordinates.
        edge_order: 1 or 2, the accuracy at the edges.

    Raises:
        RuntimeError: fewer than `edge_order` + 1 samples, uint8, spacings that do not fit.
    """
    ndim = input._array.ndim
    dims = wrap_dims(dim, ndim, "gradient", empty_is_all=False)
    if edge_order not in (1, 2):
        raise fail(
            RuntimeError, "gradient", "torch.gradient only supports edge_order=1 and edge_order=2."
        )
    if input._array.dtype == np.uint8:
        raise fail(RuntimeError, "gradient", "torch.gradient does not support uint8 input.")
    for k in dims:
        if input._array.shape[k] < edge_order + 1:
            raise fail(
                RuntimeError,
                "gradient",
                "torch.gradient expected each dimension size to be at least edge_order+1, "
                f"dimension {k} has {input._array.shape[k]}.",
            )
    return tuple(
        _along(input, k, h, edge_order)
        for k, h in zip(dims, _spacings(spacing, dims, input), strict=True)
    )


def _steps(name: str, y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The distances between sample points, shaped to stand beside the sums of neighbours.

    Raises:
        RuntimeError: `x` has another number of points.
    """
    if not x._array.ndim:
        raise fail(
            RuntimeError,
            name,
            f"{name}: x must have at least one dimension: give dx= for an even step.",
        )
    k = dim
    if x._array.ndim == 1:
        if len(x._array) != y._array.shape[k]:
            raise fail(
                RuntimeError,
                name,
                f"{name}: There must be one `x` value for each sample point: {len(x._array)} and "
                f"{y._array.shape[k]}.",
            )
        return diff(x).reshape([-1 if j == k else 1 for j in range(y._array.ndim)])
    if x._array.ndim < y._array.ndim:
        x = x.reshape((1,) * (y._array.ndim - x._array.ndim) + tuple(x._array.shape))
    k = k - y._array.ndim
    return diff(x, dim=k)


@composite(alias=("trapz",), numpy=True)
def trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral of samples along `dim` by the trapezoidal rule.

    Args:
        x: the sample points; evenly `dx` (1) apart without.

    Raises:
        RuntimeError: a bool tensor, or points that do not fit.
    """
    k, size, pair = _pairs("trapezoid", y, x, dx, dim)
    if size == 0:
        return ops.sum(y, k) * 0.0 if y._array.dtype.kind != "f" else ops.sum(y, k)
    if x is not None:
        return (_steps("trapezoid", y, x, k) * pair).sum(k) / 2.0
    step = 1 if dx is None else dx
    ends = ops.select(y, k, 0) + ops.select(y, k, size - 1)
    return (ops.sum(y, k) - ends * 0.5) * step


@composite(numpy=True)
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The running integral of samples along `dim` by the trapezoidal rule.

    Raises:
        RuntimeError: a bool tensor, or points that do not fit.
    """
    k, size, pair = _pairs("cumulative_trapezoid", y, x, dx, dim)
    if x is not None:
        return ops.cumsum(_steps("cumulative_trapezoid", y, x, k) * pair, k) / 2.0
    return ops.cumsum(pair * ((1 if dx is None else dx) / 2.0), k)


def _pairs(name: str, y: Tensor, x: Any, dx: Any, dim: int) -> tuple[int, int, Any]:
    """(dimension, samples, sums of neighbours)."""
    if isinstance(x, (int, float)):
        raise fail(
            TypeError,
            name,
            f"{name}() received an invalid combination of arguments: x must be a Tensor, dx is a "
            "keyword.",
        )
    if x is not None and dx is not None:
        raise fail(
            TypeError, name, f"{name}() received an invalid combination of arguments: give x or dx."
        )
    if y._array.dtype.kind == "b" or (x is not None and x._array.dtype.kind == "b"):
        raise fail(
            RuntimeError,
            name,
            f"{name}: received a bool input for `{'y' if y._array.dtype.kind == 'b' else 'x'}`, "
            "but bool is not supported",
        )
    k = wrap_dim(dim, y._array.ndim, name)
    size = y._array.shape[k]
    if size == 0:
        return k, 0, y
    return k, size, ops.narrow(y, k, 1, size - 1) + ops.narrow(y, k, 0, size - 1)
