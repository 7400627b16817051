"""DropBlock: dropout of whole squares and cubes.

Reference: G. Ghiasi, T.-Y. Lin, Q. Le, "DropBlock: A regularization method for convolutional
networks", 2018, arXiv:1810.12890.
"""

from __future__ import annotations

import math

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["DropBlock2d", "DropBlock3d", "drop_block2d", "drop_block3d"]


def _drop(
    op: str, input: Tensor, p: float, block_size: int, inplace: bool, eps: float, training: bool
) -> Tensor:
    """Over the last dimensions: two where the operation's name says 2d, else three."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{op}: expected p between 0 and 1, got {p}.")
    dims = 2 if op.endswith("2d") else 3
    if input.ndim != dims + 2:
        raise ValueError(f"{op}: expected an input of {dims + 2} dimensions, got {input.ndim}.")
    if not training or p == 0.0:
        return input
    sizes = input.shape[2:]
    block = min(block_size, *sizes)
    if block % 2 == 0:
        raise ValueError(f"{op}: expected an odd block_size, got {block}. One more or less is.")
    middles = [n - block + 1 for n in sizes]
    # Each middle drops block^dims places: the share of middles is that much smaller.
    gamma = p * math.prod(sizes) / (block**dims * math.prod(middles))
    noise = torch.empty((*input.shape[:2], *middles), dtype=input.dtype, device=input.device)
    noise.bernoulli_(gamma)
    noise = F.pad(noise, [block // 2] * (2 * dims), value=0)
    pool = F.max_pool2d if dims == 2 else F.max_pool3d
    noise = 1 - pool(noise, kernel_size=block, stride=1, padding=block // 2)
    scale = noise.numel() / (eps + noise.sum())
    return input.mul_(noise).mul_(scale) if inplace else input * noise * scale


def drop_block2d(
    input: Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
) -> Tensor:
    """Zeroes squares of ``block_size``, a share p of the whole. Shape: (N, C, H, W)."""
    return _drop("drop_block2d", input, p, block_size, inplace, eps, training)


def drop_block3d(
    input: Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
) -> Tensor:
    """Zeroes cubes of ``block_size``, a share p of the whole. Shape: (N, C, D, H, W)."""
    return _drop("drop_block3d", input, p, block_size, inplace, eps, training)


class DropBlock2d(nn.Module):
    """``drop_block2d`` as a layer."""

    function = staticmethod(drop_block2d)

    def __init__(
        self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06
    ) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, block_size={self.block_size}, "
            f"inplace={self.inplace})"
        )


class DropBlock3d(DropBlock2d):
    """``drop_block3d`` as a layer."""

    function = staticmethod(drop_block3d)
