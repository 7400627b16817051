"""Pooling of regions (RoI): roi_align, roi_pool, and their position-sensitive forms.

All but roi_pool are linear in the image and separable: a region's row of bins is a matrix over the
image's rows, its column one over the columns. Those are made here in NumPy, the rest is two
products. Regions get no gradient, as in torchvision.

Reference: K. He et al., "Mask R-CNN", 2017, arXiv:1703.06870; R. Girshick, "Fast R-CNN", 2015,
arXiv:1504.08083; J. Dai et al., "R-FCN", 2016, arXiv:1605.06409; Z. Li et al., "Light-Head R-CNN",
2017, arXiv:1711.07264.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.overrides import handle_torch_function, has_torch_function

__all__ = [
    "PSRoIAlign",
    "PSRoIPool",
    "RoIAlign",
    "RoIPool",
    "ps_roi_align",
    "ps_roi_pool",
    "roi_align",
    "roi_pool",
]

_CHUNK = 64  # regions at a time: what lies between the two products stays small
Bins = tuple[np.ndarray, np.ndarray]


def _regions(op: str, input: Tensor, boxes: Any) -> tuple[np.ndarray, np.ndarray]:
    """(image of each region, its corners) of (K, 5) rows or of a list of boxes for each image.

    Raises:
        AssertionError: neither.
    """
    if isinstance(boxes, Tensor):
        if boxes.dim() != 2 or boxes.shape[1] != 5:
            raise AssertionError(
                f"{op}: boxes are (K, 5), the image's index first, or a list of (L, 4) for each "
                f"image; got {tuple(boxes.shape)}."
            )
        rows = boxes.detach().numpy()
        return rows[:, 0].astype(np.int64), rows[:, 1:]
    for each in boxes:
        if each.dim() != 2 or each.shape[1] != 4:
            raise AssertionError(f"{op}: boxes of an image are (L, 4), got {tuple(each.shape)}.")
    arrays = [each.detach().numpy() for each in boxes]
    image = np.repeat(np.arange(len(arrays)), [len(a) for a in arrays])
    empty = np.zeros((0, 4), input.detach().numpy().dtype)
    return image, np.concatenate([*arrays, empty])


def _whole_call(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A tracer notes the call, not what is inside; quantised images are read as their numbers and
    the result is quantised as they are.
    """

    @functools.wraps(function)
    def call(input: Any, boxes: Any, *args: Any, **kwargs: Any) -> Tensor:
        if isinstance(input, Tensor) and input.is_quantized:
            one = isinstance(boxes, Tensor)
            boxes = boxes.dequantize() if one else [each.dequantize() for each in boxes]
            found = function(input.dequantize(), boxes, *args, **kwargs)
            like = input.q_scale(), input.q_zero_point(), input.dtype
            return torch.quantize_per_tensor(found, *like)
        if has_torch_function((input,)):
            return handle_torch_function(call, (input,), input, boxes, *args, **kwargs)
        return function(input, boxes, *args, **kwargs)

    return call


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


def _sampled(start: np.ndarray, length: np.ndarray, bins: int, ratio: int, size: int) -> np.ndarray:
    """(K, bins, size): each bin the mean of ``ratio`` places read between two pixels."""
    matrix = np.zeros((len(start), bins, size), start.dtype)
    step = length / start.dtype.type(bins)
    counts = np.full(len(start), ratio) if ratio > 0 else np.ceil(step).astype(np.int64)
    for count in np.unique(counts[counts > 0]):
        (which,) = np.nonzero(counts == count)
        inner = (np.arange(count, dtype=start.dtype) + start.dtype.type(0.5)) / count
        place = np.arange(bins, dtype=start.dtype)[:, None] + inner
        place = start[which, None, None] + place * step[which, None, None]  # K, bins, count
        inside = (place >= -1) & (place <= size)
        place = np.clip(place, 0, size - 1)
        low = np.minimum(place.astype(np.int64), max(size - 2, 0))
        high = np.minimum(low + 1, size - 1)
        share = place - low
        rows, columns = which[:, None, None], np.arange(bins)[:, None]
        for index, weight in ((low, 1 - share), (high, share)):
            np.add.at(matrix, (rows, columns, index), inside * weight / count)
    return matrix


def _whole(start: np.ndarray, step: np.ndarray, bins: int, size: int) -> Bins:
    """First and last place (exclusive) of each bin of whole pixels, before any clipping."""
    n = np.arange(bins, dtype=step.dtype)
    low = np.floor(n * step[:, None] + start[:, None]).astype(np.int64)
    high = np.ceil((n + 1) * step[:, None] + start[:, None]).astype(np.int64)
    return low, high


def _rounded(values: np.ndarray) -> np.ndarray:
    """To the nearest integer, halves away from zero as C's ``round``."""
    return np.trunc(values + np.copysign(values.dtype.type(0.5), values))


def _pooled(input: Tensor, image: np.ndarray, down: np.ndarray, across: np.ndarray) -> Tensor:
    """``down @ image @ across^T`` for each region: (K, C, bins, bins)."""
    channels, height, width = input.shape[1:]
    parts = []
    for i in range(0, len(image), _CHUNK):
        for n in np.unique(image[i : i + _CHUNK]):
            (which,) = np.nonzero(image[i : i + _CHUNK] == n)
            rows, columns = (torch.from_numpy(m[i : i + _CHUNK][which]) for m in (down, across))
            k, bins = rows.shape[:2]
            flat = input[int(n)].transpose(0, 1).reshape(height, channels * width)
            half = rows.reshape(k * bins, height).matmul(flat).view(k, bins * channels, width)
            full = half.matmul(columns.transpose(1, 2)).view(k, bins, channels, -1)
            parts.append((which + i, full.transpose(1, 2)))
    if not parts:
        return input.new_zeros((0, channels, down.shape[1], across.shape[1]))
    order = np.argsort(np.concatenate([which for which, _ in parts]))
    return torch.cat([part for _, part in parts])[torch.from_numpy(order)].contiguous()


def _by_position(input: Tensor, image: np.ndarray, down: np.ndarray, across: np.ndarray) -> Tensor:
    """The same where each bin reads its own channel: (K, C / (bins * bins), bins, bins)."""
    high, wide = down.shape[1], across.shape[1]
    channels = input.shape[1] // (high * wide)
    maps = input.reshape(input.shape[0], channels, high, wide, *input.shape[2:])
    out = [
        torch.einsum("ph,cpqhw,qw->cpq", torch.from_numpy(d), maps[int(n)], torch.from_numpy(a))
        for n, d, a in zip(image, down, across, strict=True)
    ]
    return torch.stack(out) if out else input.new_zeros((0, channels, high, wide))


@_whole_call
def roi_align(
    input: Tensor,
    boxes: Any,
    output_size: Any,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Regions of an image in bins, each the mean of values read between pixels.

    Args:
        boxes: (K, 5) rows of image, x1, y1, x2, y2; or a list of (L, 4) for each image.
        output_size: bins, one number or (height, width).
        spatial_scale: what a box's coordinates are multiplied by.
        sampling_ratio: places read in a bin each way; 0 and less: as many as it has pixels.
        aligned: pixels' middles are at halves, as they should be; False is the first version.

    Shape: (N, C, H, W) to (K, C, *output_size).
    """
    image, corners = _regions("roi_align", input, boxes)
    high, wide = _pair(output_size)
    scaled = corners * corners.dtype.type(spatial_scale) - corners.dtype.type(0.5 * aligned)
    x, y = scaled[:, 0], scaled[:, 1]
    width, height = scaled[:, 2] - x, scaled[:, 3] - y
    if not aligned:
        width, height = np.maximum(width, 1), np.maximum(height, 1)
    down = _sampled(y, height, high, sampling_ratio, input.shape[2])
    across = _sampled(x, width, wide, sampling_ratio, input.shape[3])
    return _pooled(input, image, down, across)


def _channels(op: str, input: Tensor, bins: tuple[int, int]) -> None:
    if input.shape[1] % (bins[0] * bins[1]):
        raise RuntimeError(
            f"{op}: input channels must be a multiple of pooling height * pooling width; got "
            f"{input.shape[1]} of {bins[0]} * {bins[1]}."
        )


@_whole_call
def ps_roi_align(
    input: Tensor,
    boxes: Any,
    output_size: Any,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> Tensor:
    """``roi_align(aligned=True)`` where each bin reads its own share of the channels.

    Shape: (N, C * bins, H, W) to (K, C, *output_size).
    """
    image, corners = _regions("ps_roi_align", input, boxes)
    high, wide = _pair(output_size)
    _channels("ps_roi_align", input, (high, wide))
    scaled = corners * corners.dtype.type(spatial_scale) - corners.dtype.type(0.5)
    x, y = scaled[:, 0], scaled[:, 1]
    down = _sampled(y, scaled[:, 3] - y, high, sampling_ratio, input.shape[2])
    across = _sampled(x, scaled[:, 2] - x, wide, sampling_ratio, input.shape[3])
    out = _by_position(input, image, down, across)
    if sampling_ratio > 0:
        return out
    nowhere = ((scaled[:, 2:] - scaled[:, :2]) <= 0).any(1)  # the mean of no places
    return out.masked_fill(torch.from_numpy(nowhere)[:, None, None, None], float("nan"))


@_whole_call
def roi_pool(input: Tensor, boxes: Any, output_size: Any, spatial_scale: float = 1.0) -> Tensor:
    """Regions of an image in bins of whole pixels, each their maximum; 0 where it has none.

    Shape: (N, C, H, W) to (K, C, *output_size).
    """
    image, corners = _regions("roi_pool", input, boxes)
    high, wide = _pair(output_size)
    height, width = input.shape[2:]
    scaled = _rounded(corners * corners.dtype.type(spatial_scale))
    sides = np.maximum(scaled[:, 2:] - scaled[:, :2] + 1, 1)
    zero = np.zeros(len(image), sides.dtype)
    top, bottom = _whole(zero, sides[:, 1] / sides.dtype.type(high), high, height)
    left, right = _whole(zero, sides[:, 0] / sides.dtype.type(wide), wide, width)
    y, x = scaled[:, 1:2].astype(np.int64), scaled[:, 0:1].astype(np.int64)
    top, bottom = np.clip(top + y, 0, height), np.clip(bottom + y, 0, height)
    left, right = np.clip(left + x, 0, width), np.clip(right + x, 0, width)
    values = input.detach().numpy()
    chosen = np.zeros((len(image), values.shape[1], high, wide), np.int64)
    some = np.zeros((len(image), 1, high, wide), bool)
    for k, n in enumerate(image):
        for p in range(high):
            for q in range(wide):
                part = values[n, :, top[k, p] : bottom[k, p], left[k, q] : right[k, q]]
                if part.size:
                    row, column = np.divmod(part.reshape(len(part), -1).argmax(1), part.shape[2])
                    chosen[k, :, p, q] = (row + top[k, p]) * width + column + left[k, q]
                    some[k, 0, p, q] = True
    flat = input.flatten(2)[torch.from_numpy(image)].gather(2, torch.from_numpy(chosen).flatten(2))
    return flat.view(chosen.shape) * torch.from_numpy(some)


@_whole_call
def ps_roi_pool(input: Tensor, boxes: Any, output_size: Any, spatial_scale: float = 1.0) -> Tensor:
    """Regions in bins of whole pixels, each the mean of its own share of the channels.

    Shape: (N, C * bins, H, W) to (K, C, *output_size).
    """
    image, corners = _regions("ps_roi_pool", input, boxes)
    high, wide = _pair(output_size)
    _channels("ps_roi_pool", input, (high, wide))
    scaled = _rounded(corners * corners.dtype.type(spatial_scale))
    sides = np.maximum(scaled[:, 2:] - scaled[:, :2], 1)

    def means(axis: int, bins: int, size: int) -> np.ndarray:
        step = sides[:, axis] / sides.dtype.type(bins)
        low, high = (np.clip(a, 0, size - 1) for a in _whole(scaled[:, axis], step, bins, size))
        place = np.arange(size)
        inside = (place >= low[..., None]) & (place < high[..., None])
        return (inside / np.maximum(high - low, 1)[..., None]).astype(sides.dtype)

    return _by_position(
        input, image, means(1, high, input.shape[2]), means(0, wide, input.shape[3])
    )


class _Pool(nn.Module):
    """A pooling as a layer; the function's arguments are its attributes, printed in order."""

    function: Callable[..., Tensor]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._names: Sequence[str] = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, input: Tensor, rois: Any) -> Tensor:
        return type(self).function(input, rois, *(getattr(self, n) for n in self._names))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)}" for name in self._names)
        return f"{type(self).__name__}({told})"


class RoIAlign(_Pool):
    """``roi_align`` as a layer."""

    function = staticmethod(roi_align)

    def __init__(
        self,
        output_size: Any,
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
    ) -> None:
        super().__init__(
            output_size=output_size,
            spatial_scale=spatial_scale,
            sampling_ratio=sampling_ratio,
            aligned=aligned,
        )


class PSRoIAlign(_Pool):
    """``ps_roi_align`` as a layer."""

    function = staticmethod(ps_roi_align)

    def __init__(self, output_size: Any, spatial_scale: float, sampling_ratio: int) -> None:
        super().__init__(
            output_size=output_size, spatial_scale=spatial_scale, sampling_ratio=sampling_ratio
        )


class RoIPool(_Pool):
    """``roi_pool`` as a layer."""

    function = staticmethod(roi_pool)

    def __init__(self, output_size: Any, spatial_scale: float) -> None:
        super().__init__(output_size=output_size, spatial_scale=spatial_scale)


class PSRoIPool(_Pool):
    """``ps_roi_pool`` as a layer."""

    function = staticmethod(ps_roi_pool)

    def __init__(self, output_size: Any, spatial_scale: float) -> None:
        super().__init__(output_size=output_size, spatial_scale=spatial_scale)
