"""Sampling (N, C, *S) at real coordinates: nearest, linear and cubic, with three kinds of border.

The grid (N, *O, d) holds coordinates in [-1, 1], the last spatial axis first. Every mode is a
product over axes of T taps, each an integer position, a weight and the weight's slope; one loop
over
the taps' product serves forward and backward, in two dimensions and three.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels.generate import sampled
from flambeau.core.kernels.interpolate import cubic_weights
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.windows import is_half

__all__ = [
    "affine",
    "places",
    "products",
    "sample",
    "sample_gradient",
    "source_coordinates",
    "taps",
]

Tap = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # position, inside, weight, slope


def source_coordinates(
    grid: np.ndarray, size: int, padding: str, align_corners: bool, once: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Grid values as positions on an axis of ``size``, and d position / d grid value.

    `once`: float32 positions are rounded once, as a multiply-add does. PyTorch's are in two
    dimensions, and are not in three.
    """
    real = grid.dtype.type
    if align_corners:
        slope, position = real((size - 1) / 2), (grid + 1) / 2 * real(size - 1)
    else:
        slope = real(size / 2)
        wide = np.dtype("f8") if once and grid.dtype.char == "f" else grid.dtype
        position = (((grid + 1).astype(wide) * wide.type(size) - 1) / 2).astype(grid.dtype)
    slopes = np.full(grid.shape, slope, grid.dtype)
    if padding == "reflection":
        low, high = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
        position, sign = _reflect(position, low, high)
        slopes *= sign
    if padding in ("border", "reflection"):
        slopes = np.where((position <= 0) | (position >= size - 1), real(0), slopes)
        position = _clipped(position, size)
    return position, slopes


def _clipped(position: np.ndarray, size: int) -> np.ndarray:
    """On the axis; ``np.clip`` would widen bfloat16."""
    real = position.dtype.type
    return np.minimum(np.maximum(position, real(0)), real(size - 1))


def _reflect(position: np.ndarray, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    real = position.dtype.type
    if low == high:
        return np.zeros_like(position), np.zeros_like(position)
    start, span = real(low / 2), real((high - low) / 2)
    sign = np.where(position < start, real(-1), real(1))
    position = np.abs(position - start)
    flips = np.floor(position / span)
    extra = np.fmod(position, span)
    odd = np.fmod(flips, 2) != 0
    return np.where(odd, span - extra + start, extra + start), np.where(odd, -sign, sign)


def taps(
    grid: np.ndarray, size: int, mode: str, padding: str, align_corners: bool, once: bool = False
) -> list[Tap]:
    zero = np.zeros((), grid.dtype)
    if mode == "bicubic":  # the border rule applies to each of the four positions read
        position, slopes = source_coordinates(grid, size, "zeros", align_corners, once)
        base = np.floor(position)
        part = position - base
        weights = cubic_weights(part)
        bends = _cubic_slopes(part) * slopes
        result = []
        for tap in range(4):
            read = base + (tap - 1)
            if padding == "reflection":
                low, high = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
                read = _reflect(read, low, high)[0]
            if padding != "zeros":
                read = _clipped(read, size)
            result.append((*_inside(read, size), weights[tap], bends[tap]))
        return result
    position, slopes = source_coordinates(grid, size, padding, align_corners, once)
    if mode == "nearest":
        return [(*_inside(np.rint(position), size), np.ones_like(grid), np.zeros_like(grid) + zero)]
    base = np.floor(position)
    part = position - base
    return [
        (*_inside(base, size), base + 1 - position, -slopes),
        (*_inside(base + 1, size), part, slopes),
    ]


def _cubic_slopes(part: np.ndarray, a: float = -0.75) -> np.ndarray:
    def inner(x: np.ndarray) -> np.ndarray:
        return (3 * (a + 2) * x - 2 * (a + 3)) * x

    def outer(x: np.ndarray) -> np.ndarray:
        return (3 * a * x - 10 * a) * x + 8 * a

    slopes = [outer(part + 1), inner(part), -inner(1 - part), -outer(2 - part)]
    return np.stack(slopes).astype(part.dtype)


def _inside(read: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    inside = (read >= 0) & (read < size)
    return np.where(inside, read, 0).astype(np.intp), inside


def sample(
    input: np.ndarray, grid: np.ndarray, mode: str, padding: str, align_corners: bool
) -> np.ndarray:
    """``out[n, :, o] = input[n]`` at ``grid[n, o]``; 16-bit floats are not widened, as in
    PyTorch.
    """
    count, channels, *size = input.shape
    shape = grid.shape[1:-1]
    if not input.size or not grid.size:
        return np.zeros((count, channels, *shape), input.dtype)
    planes = np.ascontiguousarray(input).reshape(count, channels, -1)
    axes = _axes(grid, size, mode, padding, align_corners)
    total = np.zeros((count, channels, prod(shape)), input.dtype)
    if mode == "bicubic":  # rows first, each summed before it is weighted
        zero = input.dtype.type(0)
        for row in axes[0]:
            line = np.zeros_like(total)
            for column in axes[1]:
                index, inside = places((row, column), size)
                weight = np.where(inside, column[2], zero)
                line += np.take_along_axis(planes, index[:, None], 2) * weight[:, None]
            total += line * row[2][:, None]
        return total.reshape(count, channels, *shape)
    corners = [_combined(chosen, size) for chosen in product(*axes)]
    made = sampled.mixed(planes, *_stacked(corners))
    if made is not None:
        return made.reshape(count, channels, *shape)  # type: ignore[no-any-return]
    for index, weight in corners:
        total += np.take_along_axis(planes, index[:, None], 2) * weight[:, None]
    return total.reshape(count, channels, *shape)


def sample_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    grid: np.ndarray,
    mode: str,
    padding: str,
    align_corners: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of :func:`sample` in input and grid."""
    if not grad.size:
        return np.zeros_like(input), np.zeros_like(grid)
    if is_half(input.dtype):
        args = (_wide(grad), _wide(input), _wide(grid))
        back, bend = sample_gradient(*args, mode, padding, align_corners)
        return recast(back, input.dtype), bend.astype(grid.dtype)
    count, channels, *size = input.shape
    planes = np.ascontiguousarray(input).reshape(count, channels, -1)
    flow = np.ascontiguousarray(grad).reshape(count, channels, -1)
    axes = _axes(grid, size, mode, padding, align_corners)
    corners = [_combined(chosen, size) for chosen in product(*axes)]
    lanes = np.arange(count * channels).reshape(count, channels, 1) * prod(size)
    back = np.zeros(count * channels * prod(size), input.dtype if len(size) == 3 else "f8")
    _scatter(back, lanes, flow, corners)
    if mode == "nearest":
        bend = np.zeros_like(grid)
    elif len(size) == 3:
        bend = _bend_in_turns(flow, planes, corners, axes).reshape(grid.shape)
        for k, n in enumerate(reversed(size)):
            bend[..., k] *= source_coordinates(grid[..., k], n, padding, align_corners)[1]
    else:
        bend = _bend(flow, planes, corners, axes, size).reshape(grid.shape)
    return back.astype(input.dtype, copy=False).reshape(input.shape), bend


def _scatter(back: Any, lanes: Any, flow: Any, corners: list[Any]) -> None:
    """Add the gradient of every sample to the places it was read from: in 3 dimensions sample after
    sample in the dtype itself, as PyTorch does.
    """
    if back.dtype == np.float64:
        size = len(back) // (flow.shape[0] * flow.shape[1])
        if sampled.spread(flow, *_stacked(corners), back, size):
            return
        for index, weight in corners:
            where = (lanes + index[:, None]).ravel()
            back += np.bincount(where, (flow * weight[:, None]).ravel(), len(back))
        return
    where = np.stack([lanes + index[:, None] for index, _ in corners], -1)
    parts = np.stack([flow * weight[:, None] for _, weight in corners], -1)
    np.add.at(back, where.ravel(), parts.ravel())


def _stacked(corners: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights of all corners, (corners, N, O)."""
    return np.stack([index for index, _ in corners]), np.stack([weight for _, weight in corners])


def _bend(flow: Any, planes: Any, corners: list[Any], axes: Any, size: list[int]) -> Any:
    """The gradient of the coordinates, (N, O, d)."""
    slopes = np.zeros((len(size), *flow.shape[::2]), flow.dtype)
    made = sampled.pulled(planes, _stacked(corners)[0], flow)
    for number, (chosen, (index, _)) in enumerate(zip(product(*axes), corners, strict=True)):
        if made is not None:
            seen = made[number]
        else:
            seen = (flow * np.take_along_axis(planes, index[:, None], 2)).sum(1)
        for axis in range(len(size)):
            turned = [(*t[:2], t[3], t[2]) if a == axis else t for a, t in enumerate(chosen)]
            slopes[axis] += seen * _combined(tuple(turned), size)[1]
    return np.moveaxis(slopes[::-1], 0, -1)


def _bend_in_turns(flow: Any, planes: Any, corners: list[Any], axes: Any) -> Any:
    """The gradient of the positions, (N, O, 3), of linear sampling: channel after channel, corner
    after corner, as PyTorch rounds it.
    """
    chosen = list(product(*axes))
    index = np.stack([where for where, _ in corners])  # (8, N, O)
    inside = np.stack([z[1] & y[1] & x[1] for z, y, x in chosen])
    weights = [np.stack([each[2 - k][2] for each in chosen]) for k in range(3)]  # x, y, z
    signs = np.array(list(product((-1, 1), repeat=3)), flow.dtype)[..., None, None]
    pairs = [(weights[1] * signs[:, 2], weights[2]), (weights[0] * signs[:, 1], weights[2])]
    pairs.append((weights[0] * signs[:, 0], weights[1]))
    found = np.zeros((9, *flow.shape[::2]), flow.dtype)
    sums = [found[0].copy() for _ in pairs]
    batch = np.arange(len(planes))[:, None]
    for channel in range(flow.shape[1]):
        read = np.where(inside, planes[batch, channel, index], flow.dtype.type(0))
        for k, (first, second) in enumerate(pairs):
            found[0] = sums[k]
            np.multiply(read * first * second, flow[:, channel], out=found[1:])
            sums[k] = np.add.reduce(found, 0)
    return np.stack(sums, -1)


def _axes(
    grid: np.ndarray, size: list[int], mode: str, padding: str, align_corners: bool
) -> list[list[Tap]]:
    flat = grid.reshape(grid.shape[0], -1, len(size))
    once = len(size) == 2
    return [
        taps(flat[..., len(size) - 1 - axis], n, mode, padding, align_corners, once)
        for axis, n in enumerate(size)
    ]


def products(axes: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Every choice of one tap per axis."""
    return product(*axes)


def places(chosen: tuple[Any, ...], size: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Flat positions (N, O) of one tap per axis, and which of them lie inside."""
    index: np.ndarray | int = 0
    inside: Any = True
    for (read, within, *_), n in zip(chosen, size, strict=True):
        index = index * n + read
        inside = inside & within
    return np.where(inside, index, 0), inside


def _combined(chosen: tuple[Tap, ...], size: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Flat positions (N, O) and the product of the weights, zero where a tap lies outside."""
    index, inside = places(chosen, size)
    weight = chosen[-1][2]
    for tap in chosen[-2::-1]:
        weight = weight * tap[2]
    return index, np.where(inside, weight, weight.dtype.type(0))


def _wide(array: np.ndarray) -> np.ndarray:
    return recast(array, "f4")


def affine(lines: list[np.ndarray]) -> np.ndarray:
    """The homogeneous base grid (prod(S), d + 1) of an identity transform, from each axis's
    coordinates.
    """
    mesh = np.meshgrid(*lines, indexing="ij")
    columns = [axis.ravel() for axis in reversed(mesh)]
    return np.stack([*columns, np.ones_like(columns[0])], -1)
