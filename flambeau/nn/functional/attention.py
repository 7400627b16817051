"""Attention under PyTorch's names: scaled dot products, and the whole multi-head layer with its
masks.

The operation is in ``core.ops.attention``. Letters: L target length, S source length, N batch, E
width, h heads.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.ops.attention import scaled_dot_product_attention
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.functional.dropout import dropout

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

_NAME = "multi_head_attention_forward"


def _none_or_dtype(input: Tensor | None) -> Any:
    """The dtype of a tensor, None for None.

    Raises:
        RuntimeError: neither.
    """
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise fail(
        RuntimeError, "_none_or_dtype", "input to _none_or_dtype() must be None or torch.Tensor"
    )


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A mask to add to scores: a bool one becomes -inf where it is True.

    Raises:
        AssertionError: a mask that is neither bool nor floating.
    """
    if mask is None:
        return None
    is_float = mask.dtype.is_floating_point
    if mask.dtype.category != "bool" and not is_float:
        raise fail(
            AssertionError,
            _NAME,
            f"only bool and floating types of {mask_name} are supported, but it is {mask.dtype}",
        )
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type "
            "for both instead.",
            stacklevel=stack_level(),
        )
    if is_float:
        return mask
    return ops.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))


def _check(claim: bool, message: str) -> None:
    if not claim:
        raise fail(AssertionError, _NAME, message)


def _mha_shape_check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether the query has a batch; dimensions of all that come with it.

    Raises:
        AssertionError: they do not fit.
    """
    ndim = query.dim()
    if ndim not in (2, 3):
        raise fail(
            AssertionError,
            _NAME,
            f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor",
        )
    word = "batched" if ndim == 3 else "unbatched"
    _check(
        key.dim() == ndim and value.dim() == ndim,
        f"For {word} ({ndim}-D) `query`, expected `key` and `value` to be {ndim}-D but found "
        f"{key.dim()}-D and "
        f"{value.dim()}-D tensors respectively",
    )
    if key_padding_mask is not None:
        _check(
            key_padding_mask.dim() == ndim - 1,
            f"For {word} ({ndim}-D) `query`, expected `key_padding_mask` to be `None` or "
            f"{ndim - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _check(
            attn_mask.dim() in (2, 3),
            f"For {word} ({ndim}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but "
            f"found {attn_mask.dim()}-D "
            "tensor instead",
        )
        if ndim == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _check(
                tuple(attn_mask.shape) == expected,
                f"Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}",
            )
    return ndim == 3


def _in_projection_packed(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None
) -> list[Tensor]:
    """Query, key and value projected by one weight (3 E, E)."""
    width = q.size(-1)
    if k is v and q is k:
        return list(ops.linear(q, w, b).chunk(3, dim=-1))
    rows = [w[:width], w[width : 2 * width], w[2 * width :]]
    shifts = [None] * 3 if b is None else [b[:width], b[width : 2 * width], b[2 * width :]]
    return [
        ops.linear(x, row, shift) for x, row, shift in zip((q, k, v), rows, shifts, strict=True)
    ]


def _in_projection(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value projected by a weight each.

    Raises:
        AssertionError: a weight's shape does not fit.
    """
    width = q.size(-1)
    for name, weight, x in (("query", w_q, q), ("key", w_k, k), ("value", w_v, v)):
        expected = (width, x.size(-1))
        _check(
            tuple(weight.shape) == expected,
            f"expecting {name} weights shape of {expected}, but got {tuple(weight.shape)}",
        )
    return ops.linear(q, w_q, b_q), ops.linear(k, w_k, b_k), ops.linear(v, w_v, b_v)


def _square_mask(attn_mask: Tensor, length: int, source: int, heads: int) -> Tensor:
    """The mask as (1 or N h, L, S).

    Raises:
        RuntimeError: another shape.
    """
    expected: tuple[int, ...] = (
        (length, source) if attn_mask.dim() == 2 else (heads, length, source)
    )
    if attn_mask.dim() not in (2, 3):
        raise fail(RuntimeError, _NAME, f"attn_mask's dimension {attn_mask.dim()} is not supported")
    if tuple(attn_mask.shape) != expected:
        raise fail(
            RuntimeError,
            _NAME,
            f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be "
            f"{expected}.",
        )
    return attn_mask.unsqueeze(0) if attn_mask.dim() == 2 else attn_mask


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Projections, attention of every head, projection back: (L, N, E) and the weights (N, L, S)
    or None.

    Args:
        query: (L, N, E) or (L, E). key, value: (S, N, *), (S, *).
        key_padding_mask: (N, S), True (or -inf) where a key does not count.
        attn_mask: (L, S) or (N h, L, S), True (or -inf) where a query may not look.
        is_causal: a hint that attn_mask is the causal one.

    Raises:
        AssertionError, RuntimeError: shapes that do not fit.

    Reference: Vaswani et al., Attention is all you need, 2017, arXiv:1706.03762.
    """
    batched = _mha_shape_check(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    source = key.shape[0]
    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise fail(
            RuntimeError,
            _NAME,
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method "
            "`generate_square_subsequent_mask` to create this mask.",
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint alone is enough
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        if key_padding_mask is not None:
            is_causal = False
    _check(
        width == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}",
    )
    head = width // num_heads
    _check(head * num_heads == width, f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        _check(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
        )
        projections = (q_proj_weight, k_proj_weight, v_proj_weight)
        for name, each in zip("qkv", projections, strict=True):
            _check(
                each is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None"
            )
        shifts: Any = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = _in_projection(
            query, key, value, *(w for w in projections if w is not None), *shifts
        )
    else:
        _check(
            key.shape == value.shape,
            f"key shape {key.shape} does not match value shape {value.shape}",
        )
        _check(
            in_proj_weight is not None,
            "use_separate_proj_weight is False but in_proj_weight is None",
        )
        q, k, v = _in_projection_packed(query, key, value, in_proj_weight, in_proj_bias)  # type: ignore[arg-type]
    if attn_mask is not None:
        attn_mask = _square_mask(attn_mask, length, source, batch * num_heads)
    _check((bias_k is None) == (bias_v is None), "bias_k and bias_v must be given together")
    if bias_k is not None and bias_v is not None:
        _check(
            static_k is None and static_v is None, "bias cannot be added to static key or value."
        )
        k = ops.cat([k, bias_k.repeat(1, batch, 1)])
        v = ops.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _widened(attn_mask), _widened(key_padding_mask)
    q = q.reshape(length, batch * num_heads, head).transpose(0, 1)
    k = (
        k.reshape(k.shape[0], batch * num_heads, head).transpose(0, 1)
        if static_k is None
        else static_k
    )
    v = (
        v.reshape(v.shape[0], batch * num_heads, head).transpose(0, 1)
        if static_v is None
        else static_v
    )
    for name, each in (("static_k", static_k), ("static_v", static_v)):
        if each is not None:
            _check(
                each.size(0) == batch * num_heads,
                f"expecting {name}.size(0) of {batch * num_heads}, but got {each.size(0)}",
            )
            _check(
                each.size(2) == head, f"expecting {name}.size(2) of {head}, but got {each.size(2)}"
            )
    if add_zero_attn:
        k = ops.cat([k, ops.zeros(batch * num_heads, 1, head, dtype=k.dtype, device=k.device)], 1)
        v = ops.cat([v, ops.zeros(batch * num_heads, 1, head, dtype=v.dtype, device=v.device)], 1)
        attn_mask, key_padding_mask = _widened(attn_mask), _widened(key_padding_mask)
    source = k.size(1)
    if key_padding_mask is not None:
        _check(
            tuple(key_padding_mask.shape) == (batch, source),
            f"expecting key_padding_mask shape of {(batch, source)}, but got "
            f"{tuple(key_padding_mask.shape)}",
        )
        spread = key_padding_mask.reshape(batch, 1, 1, source).expand(-1, num_heads, -1, -1)
        spread = spread.reshape(batch * num_heads, 1, source)
        attn_mask = spread if attn_mask is None else attn_mask + spread
    if not training:
        dropout_p = 0.0
    if need_weights:
        _check(
            not (is_causal and attn_mask is None),
            "is_causal needs attn_mask where the weights are wanted",
        )
        scores = ops.bmm(q * math.sqrt(1.0 / head), k.transpose(-2, -1))
        weights = ops.softmax(scores if attn_mask is None else scores + attn_mask, -1)
        if dropout_p > 0.0:
            weights = dropout(weights, p=dropout_p)
        mixed = ops.bmm(weights, v).transpose(0, 1).reshape(length * batch, width)
        output = ops.linear(mixed, out_proj_weight, out_proj_bias).reshape(length, batch, width)
        weights = weights.reshape(batch, num_heads, length, source)
        if average_attn_weights:
            weights = weights.mean(dim=1)
        return (output, weights) if batched else (output.squeeze(1), weights.squeeze(0))
    if attn_mask is not None:
        attn_mask = (
            attn_mask.unsqueeze(0)
            if attn_mask.size(0) == 1
            else attn_mask.reshape(batch, num_heads, -1, source)
        )
    shape = (batch, num_heads, source, head)
    mixed = ops.scaled_dot_product_attention(
        q.reshape(batch, num_heads, length, head),
        k.reshape(shape),
        v.reshape(shape),
        attn_mask,
        dropout_p,
        is_causal,
    )
    mixed = mixed.permute(2, 0, 1, 3).reshape(length * batch, width)
    output = ops.linear(mixed, out_proj_weight, out_proj_bias).reshape(length, batch, width)
    return (output if batched else output.squeeze(1)), None


def _widened(mask: Tensor | None) -> Tensor | None:
    """A mask with a column for the key that was added."""
    return None if mask is None else ops.pad(mask, (0, 1))
