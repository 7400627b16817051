"""roi_align over a feature pyramid: each region from the level that suits its size.

Reference: T.-Y. Lin et al., 2016, arXiv:1612.03144, equation 1.
"""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.ops.boxes import box_area
from flambeau.vision.ops.roi import roi_align

__all__ = ["MultiScaleRoIAlign"]


class MultiScaleRoIAlign(nn.Module):
    """Regions of images, read from maps of several sizes.

    Args:
        featmap_names: which of the maps are used, fine to coarse.
        canonical_scale, canonical_level: regions of this size are read from this level, of twice
            the size from the next.
    """

    def __init__(
        self,
        featmap_names: list[str],
        output_size: Any,
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        size = (output_size, output_size) if isinstance(output_size, int) else output_size
        self.output_size = tuple(size)
        self.scales: list[float] | None = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def _levels(self, boxes: list[Tensor]) -> Tensor:
        """The index of each region's map."""
        assert self.scales is not None
        finest, coarsest = (-math.log2(self.scales[i]) for i in (0, -1))
        side = torch.sqrt(torch.cat([box_area(each) for each in boxes]))
        level = self.canonical_level + torch.log2(side / self.canonical_scale) + 1e-6
        return (torch.floor(level).clamp(finest, coarsest) - finest).long()

    def forward(
        self,
        x: dict[str, Tensor],
        boxes: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> Tensor:
        maps = [value for name, value in x.items() if name in self.featmap_names]
        if not image_shapes:
            raise ValueError("MultiScaleRoIAlign: images list should not be empty.")
        largest = [max(sizes) for sizes in zip(*image_shapes, strict=True)]
        self.scales = [  # powers of two, as strides are
            2.0 ** round(math.log2(float(each.shape[-2]) / largest[0])) for each in maps
        ]
        rows = torch.cat(
            [
                torch.cat([torch.full_like(each[:, :1], i), each], dim=1)
                for i, each in enumerate(boxes)
            ]
        )
        if len(maps) == 1:
            return roi_align(maps[0], rows, self.output_size, self.scales[0], self.sampling_ratio)
        levels = self._levels(boxes)
        out = maps[0].new_zeros((len(rows), maps[0].shape[1], *self.output_size))
        for i, (each, scale) in enumerate(zip(maps, self.scales, strict=True)):
            (which,) = torch.where(levels == i)
            out[which] = roi_align(
                each, rows[which], self.output_size, scale, self.sampling_ratio
            ).to(out.dtype)
        return out

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, "
            f"output_size={self.output_size}, sampling_ratio={self.sampling_ratio})"
        )
