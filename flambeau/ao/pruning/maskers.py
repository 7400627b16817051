"""Sparsifiers: blocks of small weights go, or all that is far from the diagonal. Stands on
sparsifier."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.pruning.sparsifier import BaseSparsifier
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["NearlyDiagonalSparsifier", "WeightNormSparsifier"]


def _padded(data: Tensor, block: tuple[int, int]) -> Tensor:
    """A matrix made larger so that blocks fill it; what is added is 1."""
    rows, columns = ((-size) % step for size, step in zip(data.shape[-2:], block, strict=True))
    return F.pad(data, (0, columns, 0, rows), value=1)


def _folded(chosen: Tensor, along: int, size: Any, block: tuple[int, int]) -> Tensor:
    """A matrix that is 0 at chosen places of its unfolded blocks, else 1."""
    whole = [step * -(-length // step) for length, step in zip(size, block, strict=True)]
    count = math.prod(whole) // math.prod(block)
    ones = flambeau.ones(1, math.prod(block), count)
    mask = ones.scatter(along, chosen, 0.0)
    return F.fold(mask, whole, block, stride=block)[0, 0, : size[0], : size[1]]


class WeightNormSparsifier(BaseSparsifier):
    """In the blocks with the smallest weights, the smallest go.

    Args:
        sparsity_level: the part of the blocks. sparse_block_shape: rows and columns of a block.
        zeros_per_block: how many weights of a block go; all by default.
        norm: what is small: 1 or 2, or a function of the weights.

    Raises:
        NotImplementedError: another norm. ValueError: in a step: more zeros than a block has.
    """

    def __init__(
        self,
        sparsity_level: float = 0.5,
        sparse_block_shape: tuple[int, int] = (1, 4),
        zeros_per_block: int | None = None,
        norm: Callable[[Tensor], Tensor] | int | None = None,
    ) -> None:
        if zeros_per_block is None:
            zeros_per_block = math.prod(sparse_block_shape)
        norms: dict[Any, Callable[[Tensor], Tensor]] = {
            1: lambda t: t.abs(), 2: lambda t: t * t, None: lambda t: t * t,
        }  # fmt: skip
        if not callable(norm) and norm not in norms:
            raise NotImplementedError(f"L-{norm} is not yet implemented.")
        self.norm_fn = norm if callable(norm) else norms[norm]
        super().__init__(
            {
                "sparsity_level": sparsity_level,
                "sparse_block_shape": sparse_block_shape,
                "zeros_per_block": zeros_per_block,
            }
        )

    def _small_blocks(self, data: Tensor, level: float, block: tuple[int, int]) -> Tensor:
        """0 in the blocks that go."""
        means = data
        if math.prod(block) > 1:
            means = F.avg_pool2d(data[None, None], block, stride=block, ceil_mode=True)
        means = means.flatten()
        count = max(0, min(len(means) - 1, round(level * len(means))))
        order = means.sort().indices[:count]
        chosen = order.expand(1, math.prod(block), count)
        return _folded(chosen, 2, data.shape, block)

    def _small_members(self, data: Tensor, block: tuple[int, int], zeros: int) -> Tensor:
        """0 at the smallest weights of every block."""
        members = F.unfold(_padded(data, block)[None, None], block, stride=block)
        return _folded(members.sort(1).indices[:, :zeros], 1, data.shape, block)

    def update_mask(  # type: ignore[override]
        self,
        module: nn.Module,
        tensor_name: str,
        sparsity_level: float,
        sparse_block_shape: tuple[int, int],
        zeros_per_block: int,
        **kwargs: Any,
    ) -> None:
        """Write a tensor's mask."""
        size = math.prod(sparse_block_shape)
        if zeros_per_block > size:
            raise ValueError(
                "Number of zeros per block cannot be more than the total number of elements in "
                "that block."
            )
        if zeros_per_block < 0:
            raise ValueError("Number of zeros per block should be positive.")
        mask = module.parametrizations[tensor_name][0].mask  # type: ignore[index, union-attr]
        if sparsity_level <= 0 or zeros_per_block == 0:
            mask.data = flambeau.ones_like(mask)
            return
        if sparsity_level >= 1 and zeros_per_block == size:
            mask.data = flambeau.zeros_like(mask)
            return
        data = self.norm_fn(getattr(module, tensor_name))
        if sparsity_level >= 1:
            found = flambeau.zeros_like(data)
        else:
            found = self._small_blocks(data, sparsity_level, sparse_block_shape)
        if zeros_per_block != size:
            members = self._small_members(data, sparse_block_shape, zeros_per_block)
            found = flambeau.logical_or(found, members)
        mask.data = found


class NearlyDiagonalSparsifier(BaseSparsifier):
    """All goes but a band along the diagonal.

    Args:
        nearliness: the width of the band, an odd number.

    Raises:
        ValueError: in a step: it is even, or wider than the tensor.
    """

    def __init__(self, nearliness: int = 1) -> None:
        super().__init__({"nearliness": nearliness})

    def update_mask(  # type: ignore[override]
        self, module: nn.Module, tensor_name: str, nearliness: int, **kwargs: Any
    ) -> None:
        """Write a tensor's mask."""
        mask = module.parametrizations[tensor_name][0].mask  # type: ignore[index, union-attr]
        height, width = mask.shape
        if nearliness % 2 == 0:
            raise ValueError("nearliness can only be an odd number")
        reach = nearliness // 2
        if reach >= min(height, width):
            raise ValueError("nearliness cannot be larger than the dimensions of tensor.")
        mask.data = flambeau.ones_like(mask).tril(reach).triu(-reach)
