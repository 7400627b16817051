"""Attention whose scores a function changes: `flex_attention`, computed as its definition reads.

`score_mod` and `mask_mod` are called once, on index tensors that broadcast over the batch, the
heads, the queries and the keys. Block masks stand in ``block_mask``. Stands on core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

from flambeau.core import dtypes
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.attention.block_mask import (
    BlockMask,
    and_masks,
    create_block_mask,
    create_mask,
    indices,
    noop_mask,
    or_masks,
)

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "FlexKernelOptions",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]


_DEFAULT_SPARSE_BLOCK_SIZE = 128  # libraries import it


class AuxRequest(NamedTuple):
    """Which further results are wanted."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """The further results: the log of the softmax's denominators, the largest scores."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


class FlexKernelOptions(TypedDict, total=False):
    """Options of PyTorch's GPU kernels: accepted, without effect."""

    BACKEND: str
    PRESCALE_QK: bool


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: FlexKernelOptions | None = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """``softmax(score_mod(query @ key.T * scale)) @ value`` over the pairs that the mask allows.

    Args:
        score_mod: ``(score, batch, head, q_index, kv_index) -> score``.
        block_mask: its ``mask_mod`` says which pairs count; a query without any gives zeros.
        scale: default ``1 / sqrt(E)``.
        enable_gqa: groups of query heads may share a head of keys and values.
        return_lse, return_aux: also give the logarithm of each query's denominator.

    Shape:
        query (B, Hq, L, E), key (B, H, S, E), value (B, H, S, Ev); result (B, Hq, L, Ev).

    Raises:
        NotImplementedError: not four dimensions, or the largest scores are asked for.
        ValueError: numbers of heads, batches or dtypes that do not go together.

    Reference:
        J. Dong et al., Flex Attention: A Programming Model for Generating Optimized Attention
        Kernels, 2024, arXiv:2412.05496.
    """
    _check(query, key, value, enable_gqa)
    if return_aux is not None and return_aux.max_scores:
        raise fail(NotImplementedError, "flex_attention", "the largest scores are not given back")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    exact = dtypes.float64 if query.dtype is dtypes.float64 else dtypes.float32
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query.to(exact) @ key.to(exact).transpose(-2, -1)) * scale  # B, H, L, S
    where = indices(*scores.shape)
    if score_mod is not None:
        scores = score_mod(scores, *where).to(exact)
    if block_mask is not None:
        scores = ops.where(block_mask.mask_mod(*where), scores, -math.inf)
    lse = scores.logsumexp(-1)
    weights = ops.exp(scores - ops.where(lse == -math.inf, 0.0, lse).unsqueeze(-1))
    out = (weights @ value.to(exact)).to(query.dtype)
    if return_aux is not None:
        return out, AuxOutput(lse=lse if return_aux.lse else None)
    return (out, lse) if return_lse else out


def _check(query: Tensor, key: Tensor, value: Tensor, enable_gqa: bool) -> None:
    name = "flex_attention"
    if not query.ndim == key.ndim == value.ndim == 4:
        raise fail(
            NotImplementedError,
            name,
            f"expected four dimensions (batch, heads, length, embedding), got query {query.ndim}, "
            f"key {key.ndim}, value {value.ndim}",
        )
    if not query.dtype is key.dtype is value.dtype:
        raise fail(
            ValueError,
            name,
            f"expected one dtype, got query {query.dtype}, key {key.dtype}, value {value.dtype}",
        )
    heads, shared = query.shape[1], key.shape[1]
    if heads != shared and not enable_gqa:
        raise fail(
            ValueError,
            name,
            f"query has {heads} heads, key and value {shared}. Set enable_gqa=True where groups "
            "of query heads share them",
        )
    if heads % shared:
        raise fail(ValueError, name, f"{heads} query heads do not share {shared} heads evenly")
