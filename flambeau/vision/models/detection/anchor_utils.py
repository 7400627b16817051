"""Anchors at every place of feature maps: of sizes and ratios, and SSD's default boxes."""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.detection.image_list import ImageList

__all__ = ["AnchorGenerator", "DefaultBoxGenerator"]


class AnchorGenerator(nn.Module):
    """Anchors of several sizes and ratios, a set for each feature map.

    Args:
        sizes: for each map the anchors' sizes (the root of the area).
        aspect_ratios: for each map their ratios, height over width.
    """

    def __init__(
        self, sizes: Any = ((128, 256, 512),), aspect_ratios: Any = ((0.5, 1.0, 2.0),)
    ) -> None:
        super().__init__()
        if not isinstance(sizes[0], (list, tuple)):
            sizes = tuple((s,) for s in sizes)
        if not isinstance(aspect_ratios[0], (list, tuple)):
            aspect_ratios = (aspect_ratios,) * len(sizes)
        self.sizes = sizes
        self.aspect_ratios = aspect_ratios
        self.cell_anchors = [self.generate_anchors(s, r) for s, r in zip(sizes, aspect_ratios)]

    def generate_anchors(
        self, scales: Any, aspect_ratios: Any, dtype: Any = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        """Anchors around 0, whole numbers."""
        tall = torch.sqrt(torch.as_tensor(aspect_ratios, dtype=dtype))
        size = torch.as_tensor(scales, dtype=dtype)
        w = ((1 / tall)[:, None] * size).view(-1)
        h = (tall[:, None] * size).view(-1)
        return (torch.stack([-w, -h, w, h], dim=1) / 2).round()

    def set_cell_anchors(self, dtype: Any, device: Any) -> None:
        """The anchors in another dtype."""
        self.cell_anchors = [each.to(dtype) for each in self.cell_anchors]

    def num_anchors_per_location(self) -> list[int]:
        """For each map."""
        return [len(s) * len(r) for s, r in zip(self.sizes, self.aspect_ratios)]

    def grid_anchors(self, grid_sizes: list[list[int]], strides: list[list[int]]) -> list[Tensor]:
        """The anchors of each map, row by row."""
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise AssertionError(
                f"AnchorGenerator: {len(self.cell_anchors)} sets of anchors for {len(grid_sizes)} "
                "feature maps. Give sizes and aspect_ratios as many entries as there are maps."
            )
        anchors = []
        for (height, width), stride, base in zip(grid_sizes, strides, self.cell_anchors):
            y, x = (
                torch.arange(0, n, dtype=torch.int32) * s for n, s in zip((height, width), stride)
            )
            rows, columns = torch.meshgrid(y, x, indexing="ij")
            rows, columns = rows.reshape(-1), columns.reshape(-1)
            shifts = torch.stack((columns, rows, columns, rows), dim=1)
            anchors.append((shifts.view(-1, 1, 4) + base.view(1, -1, 4)).reshape(-1, 4))
        return anchors

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """The anchors of all maps, for each image."""
        grids = [list(each.shape[-2:]) for each in feature_maps]
        height, width = image_list.tensors.shape[-2:]
        self.set_cell_anchors(feature_maps[0].dtype, None)
        anchors = self.grid_anchors(grids, [[height // g[0], width // g[1]] for g in grids])
        return [torch.cat(anchors) for _ in image_list.image_sizes]


class DefaultBoxGenerator(nn.Module):
    """SSD's boxes: for each map of one scale and several ratios, in shares of the image.

    Args:
        aspect_ratios: for each map; every ratio is used both ways.
        min_ratio, max_ratio: the first and last scale, where ``scales`` does not say them.
        steps: pixels between the middles; default: by the maps' sizes.
        clip: keep widths and heights within the image.
    """

    def __init__(
        self,
        aspect_ratios: list[list[int]],
        min_ratio: float = 0.15,
        max_ratio: float = 0.9,
        scales: list[float] | None = None,
        steps: list[int] | None = None,
        clip: bool = True,
    ) -> None:
        super().__init__()
        if steps is not None and len(aspect_ratios) != len(steps):
            raise ValueError(
                "DefaultBoxGenerator: aspect_ratios and steps should have the same length"
            )
        self.aspect_ratios = aspect_ratios
        self.steps = steps
        self.clip = clip
        maps = len(aspect_ratios)
        if scales is not None:
            self.scales = scales
        elif maps > 1:
            step = (max_ratio - min_ratio) / (maps - 1.0)
            self.scales = [min_ratio + step * k for k in range(maps)] + [1.0]
        else:
            self.scales = [min_ratio, max_ratio]
        self._wh_pairs = [self._pairs(k) for k in range(maps)]

    def _pairs(self, k: int) -> Tensor:
        """(w, h) of the boxes of one map."""
        scale = self.scales[k]
        between = math.sqrt(scale * self.scales[k + 1])
        pairs = [[scale, scale], [between, between]]
        for ratio in self.aspect_ratios[k]:
            root = math.sqrt(ratio)
            pairs += [[scale * root, scale / root], [scale / root, scale * root]]
        return torch.as_tensor(pairs, dtype=torch.float32)

    def num_anchors_per_location(self) -> list[int]:
        """For each map."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def _grid(self, grids: list[list[int]], height: int, width: int, dtype: Any) -> Tensor:
        """(cx, cy, w, h) in shares of the image."""
        boxes = []
        for k, (rows, columns) in enumerate(grids):
            down, across = (
                (rows, columns)
                if self.steps is None
                else (height / self.steps[k], width / self.steps[k])
            )
            y = ((torch.arange(0, rows) + 0.5) / down).to(dtype)
            x = ((torch.arange(0, columns) + 0.5) / across).to(dtype)
            y, x = torch.meshgrid(y, x, indexing="ij")
            pairs = self._wh_pairs[k].to(dtype)
            pairs = pairs.clamp(min=0, max=1) if self.clip else pairs
            middles = torch.stack((x.reshape(-1), y.reshape(-1)), dim=-1)
            middles = middles[:, None].expand(-1, len(pairs), -1).reshape(-1, 2)
            boxes.append(torch.cat((middles, pairs.repeat(rows * columns, 1)), dim=1))
        return torch.cat(boxes, dim=0)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(aspect_ratios={self.aspect_ratios}, clip={self.clip}, "
            f"scales={self.scales}, steps={self.steps})"
        )

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """The boxes of all maps in pixels, for each image."""
        grids = [list(each.shape[-2:]) for each in feature_maps]
        height, width = image_list.tensors.shape[-2:]
        boxes = self._grid(grids, height, width, feature_maps[0].dtype)
        middle, half = boxes[:, :2], 0.5 * boxes[:, 2:]
        edges = torch.tensor([width, height])
        out = torch.cat(((middle - half) * edges, (middle + half) * edges), dim=-1)
        return [out for _ in image_list.image_sizes]
