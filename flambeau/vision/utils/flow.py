"""Optical flow as colours: the angle chooses the hue, the length the saturation.

Reference: Baker et al., "A Database and Evaluation Methodology for Optical Flow", ICCV 2007.
"""

from __future__ import annotations

import math
from functools import cache

import flambeau as torch
from flambeau.core.tensor import Tensor

__all__ = ["flow_to_image"]

# From one pure colour to the next: (steps, the channel that changes, whether it rises, the
# channel that stays full).
_ARCS = ((15, 1, True, 0), (6, 0, False, 1), (4, 2, True, 1),
         (11, 1, False, 2), (13, 0, True, 2), (6, 2, False, 0))  # fmt: skip


@cache
def _wheel() -> Tensor:
    """The wheel's 55 colours, (55, 3)."""
    colors = []
    for steps, moving, rises, full in _ARCS:
        for step in range(steps):
            color = [0.0, 0.0, 0.0]
            color[full] = 255.0
            ramp = 255 * step // steps
            color[moving] = float(ramp if rises else 255 - ramp)
            colors.append(color)
    return torch.tensor(colors)


@torch.no_grad()
def flow_to_image(flow: Tensor) -> Tensor:
    """Colour a flow field, relative to its longest vector.

    Shape: (N, 2, H, W) or (2, H, W), to uint8 (N, 3, H, W) or (3, H, W).

    Raises:
        ValueError: another shape, or another dtype than float32.
    """
    if flow.dtype != torch.float32:
        raise ValueError(f"flow_to_image: flow is float32, got {flow.dtype}.")
    if flow.dim() not in (3, 4) or flow.size(-3) != 2:
        raise ValueError(
            f"flow_to_image: flow has shape (2, H, W) or (N, 2, H, W), got {tuple(flow.shape)}."
        )
    field = flow if flow.dim() == 4 else flow[None]
    field = field / (field.pow(2).sum(dim=1).sqrt().max() + torch.finfo(torch.float32).eps)
    length = field.pow(2).sum(dim=1).sqrt()
    wheel = _wheel()
    place = (torch.atan2(-field[:, 1], -field[:, 0]) / math.pi + 1) / 2 * (len(wheel) - 1)
    below = place.floor()
    share = (place - below)[..., None]
    index = below.to(torch.int64)
    hue = (1 - share) * (wheel[index] / 255) + share * (wheel[(index + 1) % len(wheel)] / 255)
    color = 1 - length[..., None] * (1 - hue)  # N, H, W, 3
    image = (255 * color).floor().to(torch.uint8).permute(0, 3, 1, 2).contiguous()
    return image if flow.dim() == 4 else image[0]
