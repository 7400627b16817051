"""Which blocks of queries and keys a mask touches: `BlockMask`, and the functions that make masks.

A mask is a function of four index tensors. The blocks are bookkeeping for scripts that look at
them; attention itself asks the function. Stands on core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "indices",
    "noop_mask",
    "or_masks",
]

Mask = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Every pair counts."""
    return ops.ones((), dtype=dtypes.bool)  # type: ignore[no-any-return]


def and_masks(*mask_mods: Mask) -> Mask:
    """The mask of the pairs that all the given ones allow."""
    return _joined(mask_mods, lambda a, b: a & b, True)


def or_masks(*mask_mods: Mask) -> Mask:
    """The mask of the pairs that one of the given ones allows."""
    return _joined(mask_mods, lambda a, b: a | b, False)


def _joined(masks: tuple[Mask, ...], join: Callable[[Any, Any], Any], start: bool) -> Mask:
    if not all(map(callable, masks)):
        raise RuntimeError(f"All inputs should be callable mask_mods: {masks}")

    def mask(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        found: Tensor = ops.full((), start, dtype=dtypes.bool)
        for each in masks:
            found = join(found, each(b, h, q, k))
        return found

    return mask


def indices(batches: int, heads: int, queries: int, keys: int) -> list[Tensor]:
    """Index tensors that broadcast to (batches, heads, queries, keys)."""
    sizes = (batches, heads, queries, keys)
    return [
        ops.arange(size, dtype=dtypes.int32).reshape([-1 if d == k else 1 for d in range(4)])
        for k, size in enumerate(sizes)
    ]


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
) -> Tensor:
    """The boolean tensor (B, H, Q_LEN, KV_LEN) of a mask function; None means one for all."""
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    return mod_fn(*indices(*shape)).expand(shape).contiguous()


def create_block_mask(
    mask_mod: Mask,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = 128,
    _compile: bool = False,
    separate_full_blocks: bool = True,
    compute_dq_write_order: bool = False,
    dq_kv_order: Any = True,
) -> BlockMask:
    """The `BlockMask` of a mask function.

    Args:
        mask_mod: ``(batch, head, q_index, kv_index) -> bool``.
        B, H: batches and heads; None where the mask is the same for all.
        BLOCK_SIZE: queries and keys of a block.
        separate_full_blocks: list blocks without a hole on their own.
        compute_dq_write_order, dq_kv_order: choices of PyTorch's GPU kernels, without effect.
    """
    rows, columns = _sizes(BLOCK_SIZE)
    dense = create_mask(mask_mod, B, H, Q_LEN, KV_LEN)
    down, across = -(-Q_LEN // rows), -(-KV_LEN // columns)
    padding = [0, across * columns - KV_LEN, 0, down * rows - Q_LEN]
    padded = ops.constant_pad_nd(dense.to(dtypes.int64), padding)
    counts = padded.reshape(*dense.shape[:2], down, rows, across, columns).sum((3, 5))
    full = counts == rows * columns if separate_full_blocks else ops.zeros_like(counts).bool()
    partial = (counts > 0) & ~full
    by_rows: tuple[Any, Any] = (None, None)
    by_columns: tuple[Any, Any] = (None, None)
    if separate_full_blocks:
        by_rows, by_columns = _listed(full), _listed(full.transpose(-2, -1))
    return BlockMask(
        (Q_LEN, KV_LEN),
        *_listed(partial),
        *by_rows,
        *_listed(partial.transpose(-2, -1)),
        *by_columns,
        BLOCK_SIZE=(rows, columns),
        mask_mod=mask_mod,
    )


def _sizes(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _listed(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row of blocks how many are set, and the set ones' numbers before the others'."""
    order = ops.argsort(blocks.to(dtypes.int32), dim=-1, descending=True, stable=True)
    return blocks.sum(-1).to(dtypes.int32), order.to(dtypes.int32).contiguous()


def _dense(counts: Tensor, order: Tensor) -> Tensor:
    """The reverse of `_listed`, as int32."""
    ranks = ops.arange(order.shape[-1], dtype=dtypes.int32)
    listed = (ranks < counts.unsqueeze(-1)).to(dtypes.int32)
    return ops.zeros_like(order).scatter(-1, order.to(dtypes.int64), listed)  # type: ignore[no-any-return]


class BlockMask:
    """A mask, and which blocks of queries and keys it touches.

    Args:
        seq_lengths: numbers of queries and keys.
        kv_num_blocks, kv_indices: of each row of blocks how many are touched in part, and which.
        full_kv_num_blocks, full_kv_indices: the same of blocks without a hole, or None.
        q_num_blocks, q_indices, full_q_num_blocks, full_q_indices: the same by columns.
        BLOCK_SIZE: queries and keys of a block.
        mask_mod: the mask function.
    """

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        q_num_blocks: Tensor | None = None,
        q_indices: Tensor | None = None,
        full_q_num_blocks: Tensor | None = None,
        full_q_indices: Tensor | None = None,
        BLOCK_SIZE: tuple[int, int] = (128, 128),
        mask_mod: Mask = noop_mask,
        **order: Any,
    ) -> None:
        if kv_indices.ndim < 2:
            raise fail(RuntimeError, "BlockMask", "kv_indices must have at least 2 dimensions")
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = 128,
        mask_mod: Mask | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
        **order: Any,
    ) -> BlockMask:
        """A mask from its rows of blocks; the columns are worked out."""
        rows, columns = _sizes(BLOCK_SIZE)
        if seq_lengths is None:
            seq_lengths = (kv_indices.shape[-2] * rows, kv_indices.shape[-1] * columns)
        partial: tuple[Any, Any] = (None, None)
        full: tuple[Any, Any] = (None, None)
        if compute_q_blocks:
            partial = _listed(_dense(kv_num_blocks, kv_indices).transpose(-2, -1))
            if full_kv_num_blocks is not None and full_kv_indices is not None:
                full = _listed(_dense(full_kv_num_blocks, full_kv_indices).transpose(-2, -1))
        return cls(
            seq_lengths, kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices,
            *partial, *full, BLOCK_SIZE=(rows, columns), mask_mod=mask_mod or noop_mask,
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """Batches, heads, queries, keys."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """The number of pairs."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    def to_dense(self) -> Tensor:
        """One int32 for each block: 1 where the mask touches it."""
        found = _dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            found = found | _dense(self.full_kv_num_blocks, self.full_kv_indices)
        return found

    def sparsity(self) -> float:
        """How many of a hundred pairs lie in blocks that the mask does not touch."""
        touched = int(self.kv_num_blocks.sum())
        if self.full_kv_num_blocks is not None:
            touched += int(self.full_kv_num_blocks.sum())
        pairs = touched * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1]
        return 100 * (1 - pairs / self.numel())

    def to(self, device: Any) -> BlockMask:
        """The same mask: there is one device."""
        return self

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"
