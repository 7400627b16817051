"""Sampling on a grid, and the grids of affine maps, as operations.

Sampling is linear in its input but not in its grid: where a graph of the gradient is wanted, the
rule is written in smaller operations. The sums are in ``core.kernels.grid``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.batch.array import by_sample
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import grid as grids
from flambeau.core.ops.windowing import refuse_dtype
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor, wrap

__all__ = ["affine_grid_generator", "grid_sample", "grid_sampler"]


def _grid_rule(
    g: Any,
    input: Any,
    grid: Any,
    mode: str,
    padding: str,
    align_corners: bool,
    needs: tuple[bool, bool],
) -> tuple[Any, Any]:
    if grad_enabled() and g._array.size:
        return _grid_gradients(g, input, grid, mode, padding, align_corners, needs)
    back = by_sample(grids.sample_gradient)(
        g._array, input._array, grid._array, mode, padding, align_corners
    )
    return wrap(back[0]) if needs[0] else None, wrap(back[1]) if needs[1] else None


def _grid_gradients(
    g: Any,
    input: Any,
    grid: Any,
    mode: str,
    padding: str,
    align_corners: bool,
    needs: tuple[bool, bool],
) -> tuple[Any, Any]:
    """Both gradients in differentiable operations: what is read where is fixed, the weights are
    not.

    Per axis the weight of a tap is a polynomial of the fraction ``part``, itself affine in the
    grid.
    """
    count, channels, *size = input.shape
    flat_grid = ops.reshape(grid, (count, -1, len(size)))
    flow = ops.reshape(g, (count, channels, -1))
    planes = ops.reshape(input, (count, channels, -1))
    axes: list[Any] = []
    for axis, n in enumerate(size):
        values = ops.select(flat_grid, 2, len(size) - 1 - axis)
        taps = grids.taps(values._array, n, mode, padding, align_corners)
        edge_rule = "zeros" if mode == "bicubic" else padding
        position, slope = grids.source_coordinates(values._array, n, edge_rule, align_corners)
        slope = np.zeros_like(slope) if mode == "nearest" else slope
        fraction = position - (np.rint(position) if mode == "nearest" else np.floor(position))
        constant = fraction - slope * values._array
        part = values * wrap(slope) + wrap(constant.astype(slope.dtype))
        weights, slopes = _polynomials(part, mode)
        axes.append(
            [
                (read, inside, weight, bend * wrap(slope))
                for (read, inside, *_), weight, bend in zip(taps, weights, slopes, strict=True)
            ]
        )
    total: Any = None
    per_axis: list[Any] = [None] * len(size)
    for chosen in grids.products(axes):
        index, inside = grids.places(chosen, size)
        where = wrap(np.ascontiguousarray(np.broadcast_to(index[:, None], flow.shape)))
        mask = wrap(inside.astype(grid._array.dtype))
        if needs[0]:
            share = flow * ops.unsqueeze(_product(chosen, None) * mask, 1)
            spread = ops.scatter_add(ops.zeros_like(planes), 2, where, share)
            total = spread if total is None else total + spread
        if needs[1]:
            seen = ops.sum(flow * ops.gather(planes, 2, where), 1) * mask
            for axis in range(len(size)):
                term = seen * _product(chosen, axis)
                per_axis[axis] = term if per_axis[axis] is None else per_axis[axis] + term
    return (
        ops.reshape(total, tuple(input.shape)) if needs[0] else None,
        ops.reshape(ops.stack(per_axis[::-1], -1), tuple(grid.shape)) if needs[1] else None,
    )


def _product(taps: Any, sloped: int | None) -> Any:
    result: Any = None
    for axis, (_, _, weight, slope) in enumerate(taps):
        factor = slope if axis == sloped else weight
        result = factor if result is None else result * factor
    return result


def _polynomials(part: Any, mode: str) -> tuple[list[Any], list[Any]]:
    """The taps' weights at ``part`` and their derivatives, as Tensors."""
    one = ops.ones_like(part)
    if mode == "nearest":
        return [one + part * 0], [part * 0]
    if mode == "bilinear":
        return [1 - part, part], [-one, one]
    a = -0.75

    def inner(x: Any) -> tuple[Any, Any]:
        return ((a + 2) * x - (a + 3)) * x * x + 1, (3 * (a + 2) * x - 2 * (a + 3)) * x

    def outer(x: Any) -> tuple[Any, Any]:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a, (3 * a * x - 10 * a) * x + 8 * a

    pairs = [outer(part + 1), inner(part), inner(1 - part), outer(2 - part)]
    signs = (1, 1, -1, -1)
    return [w for w, _ in pairs], [s * sign for (_, s), sign in zip(pairs, signs, strict=True)]


@primitive(
    vjp={("input", "grid"): _grid_rule},
    infer=lambda input, grid, mode, padding, align_corners: (
        (*input.shape[:2], *grid.shape[1:-1]),
        input.dtype,
    ),
    node=lambda node: f"GridSampler{len(node.shape) - 2}DBackward0",
    method=False,
    function=False,
)
def grid_sample(input, grid, mode: str, padding: str, align_corners: bool):
    """``out[n, :, o]``: ``input[n]`` read at the coordinates ``grid[n, o]`` in [-1, 1], last axis
    first.
    """
    count = input.ndim - 2
    if input.ndim != grid.ndim or count not in (2, 3):
        raise fail(
            RuntimeError,
            "grid_sample",
            "expected 4D or 5D input and grid with same number of dimensions, but got input with "
            "sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}.",
        )
    if input.shape[0] != grid.shape[0]:
        raise fail(
            RuntimeError,
            "grid_sample",
            "expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid "
            f"with sizes {list(grid.shape)}.",
        )
    if grid.shape[-1] != count:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected grid to have size {count} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}.",
        )
    if input.dtype != grid.dtype:
        raise fail(
            RuntimeError,
            "grid_sample",
            f"expected input and grid to have same dtype, but input has {of(input.dtype)} and "
            f"grid has {of(grid.dtype)}.",
        )
    if 0 in input.shape[2:]:
        raise fail(
            RuntimeError,
            "grid_sample",
            "expected input to have non-empty spatial dimensions, but input has sizes "
            f"{list(input.shape)}.",
        )
    if mode == "bicubic" and count == 3:
        raise fail(RuntimeError, "grid_sample", "bicubic interpolation only supports 4D input.")
    refuse_dtype("grid_sample", input.dtype, "f")
    return grids.sample(input, grid, mode, padding, align_corners)


_MODES = ("bilinear", "nearest", "bicubic")
_BORDERS = ("zeros", "border", "reflection")


@composite(name="grid_sampler", alias=("grid_sampler_2d", "grid_sampler_3d"))
def grid_sampler(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """:func:`grid_sample` with its modes by number, as PyTorch's native function takes them."""
    return ops.grid_sample(
        input, grid, _MODES[interpolation_mode], _BORDERS[padding_mode], bool(align_corners)
    )


@composite()
def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """The sampling grid (N, *S, d) of affine maps ``theta`` (N, d, d + 1) over ``size`` (N, C,
    *S).
    """
    spatial = tuple(size[2:])
    base = grids.affine([_line(n, bool(align_corners), theta.dtype) for n in spatial])
    grid = ops.matmul(wrap(base), ops.transpose(theta, 1, 2))
    return ops.reshape(grid, (size[0], *spatial, len(spatial)))


def _line(n: int, align_corners: bool, dtype: Any) -> Any:
    """The coordinates of an axis, rounded as linspace and the tensors' arithmetic round: sampling
    at the very places of pixels has another slope on either side.
    """
    if n <= 1:
        return np.zeros(1, dtype.numpy)
    line = ops.linspace(-1, 1, n, dtype=dtype)
    return (line if align_corners else line * (n - 1) / n)._array
