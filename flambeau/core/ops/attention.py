"""Scaled dot-product attention as one node: masks, causality, dropout, grouped queries. The sums
are in ``kernels.attention``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import attention as kernels
from flambeau.core.kernels import attention_half as halves
from flambeau.core.kernels.native.casts import recast
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


def _wide(*arrays: Any) -> tuple[Any, ...]:
    return tuple(
        recast(a, "f4") if a is not None and a.dtype.itemsize == 2 and a.dtype.kind in "fV" else a
        for a in arrays
    )


@both
def _attention_rule(
    g: Any, query: Any, key: Any, value: Any, attn_mask: Any, sums: Any, scale: float,
    causal: bool, in_half: bool, needs: Any,
) -> Any:  # fmt: skip
    g = g[0] if isinstance(g, (tuple, list)) else g
    if g is None:
        return None, None, None, None
    if type(query) is nd and in_half:
        (mask,) = _wide(attn_mask)
        return *halves.attend_backward(g, query, key, value, mask, scale, causal, needs), None
    if type(query) is nd:
        dtype = g.dtype
        g, query, key, value, attn_mask, sums = _wide(g, query, key, value, attn_mask, sums)
        found = kernels.attend_backward(g, query, key, value, attn_mask, sums, scale, causal, needs)
        return tuple(None if each is None else each.astype(dtype, copy=False) for each in found)
    # made again from the inputs, so that the graph leads back to them
    soft = _softmax(query, key, attn_mask, scale, causal)
    pulled = ops.matmul(g, value.mT)
    slope = soft * (pulled - (pulled * soft).sum(-1, keepdim=True))
    return (
        ops.matmul(slope, key) * scale if needs[0] else None,
        ops.matmul(slope.mT, query) * scale if needs[1] else None,
        ops.matmul(soft.mT, g) if needs[2] else None,
        slope if needs[3] else None,
    )


def _softmax(query: Tensor, key: Tensor, mask: Tensor | None, scale: float, causal: bool) -> Tensor:
    """The weights in operations; zeros in a row that may look nowhere."""
    scores = ops.matmul(query * scale, key.mT)
    if causal:
        mask = wrap(kernels.causal_mask(query.size(-2), key.size(-2)))
    if mask is None:
        return ops.softmax(scores, -1)
    if mask.dtype.category == "bool":
        scores = scores.masked_fill(~mask, float("-inf"))
    else:
        scores = scores + mask
    nowhere = wrap(np.isneginf(scores._array).all(-1, keepdims=True))
    return ops.softmax(scores, -1).masked_fill(nowhere, 0.0)


def _shapes(
    query: Any, key: Any, value: Any, attn_mask: Any, scale: float, causal: bool = False,
    in_half: bool = False,
) -> Any:  # fmt: skip
    lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    rows = (*lead, query.shape[-2])
    return ((*rows, value.shape[-1]), query.dtype), ((*rows, 2), query.dtype)


@primitive(
    name="_attention",
    node="ScaledDotProductFlashAttentionForCpu",
    outputs=("out", "sums"),
    differentiable=("out",),
    function=False,
    method=False,
    infer=_shapes,
    vjp={("query", "key", "value", "attn_mask"): _attention_rule},
)
def _attention(
    query, key, value, attn_mask=None, scale: float = 1.0, causal: bool = False,
    in_half: bool = False,
):  # fmt: skip
    """``softmax(scale query key^T + attn_mask) value``; each row's maximum and one over its sum."""
    if in_half:
        (mask,) = _wide(attn_mask)
        return halves.attend(query, key, value, mask, scale, causal)
    dtype = query.dtype
    q, k, v, mask = _wide(query, key, value, attn_mask)
    found, sums = kernels.attend(q, k, v, mask, scale, causal)
    return found.astype(dtype, copy=False), sums


def _check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    is_causal: bool,
    grouped: bool,
) -> None:
    """Dtypes and shapes.

    Raises:
        RuntimeError: they do not fit.
    """
    name = "scaled_dot_product_attention"
    if attn_mask is None:
        q, k, v = query._array, key._array, value._array
        if (
            type(q) is type(k) is type(v) is np.ndarray
            and q.dtype is k.dtype is v.dtype
            and q.dtype.kind == "f"
            and q.shape[:-2] == k.shape[:-2] == v.shape[:-2]
            and q.ndim > 1
            and q.shape[-1] == k.shape[-1]
            and k.shape[-2] == v.shape[-2]
        ):
            return
    if not query.dtype == key.dtype == value.dtype:
        raise fail(
            RuntimeError,
            name,
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead.",
        )
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise fail(
            RuntimeError,
            name,
            "Expected query, key, and value to all be at least 2 dimensional, but got query.dim(): "
            f"{query.dim()}, key.dim(): {key.dim()} and value.dim(): {value.dim()} instead.",
        )
    if query.dtype.category in ("bool", "int"):
        raise fail(
            RuntimeError, name, f"expected a floating dtype, but found {query.dtype}: use .float()"
        )
    refuse_dtype(name, query._array.dtype, "f")
    if query.size(-1) != key.size(-1):
        raise fail(
            RuntimeError,
            name,
            f"query and key must agree in their last dimension, but have {query.size(-1)} and "
            f"{key.size(-1)}.",
        )
    if key.size(-2) != value.size(-2):
        raise fail(
            RuntimeError,
            name,
            f"key and value must have the same length, but have {key.size(-2)} and "
            f"{value.size(-2)}.",
        )
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2] and not grouped:
        try:
            np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
        except ValueError:
            raise fail(
                RuntimeError,
                name,
                "the batches and heads of query, key and value do not broadcast: got "
                f"{list(query.shape)}, {list(key.shape)} and {list(value.shape)}. Fewer heads of "
                "keys than of queries need enable_gqa=True.",
            ) from None
    if attn_mask is None:
        return
    kind = attn_mask.dtype.category
    if kind != "bool" and attn_mask.dtype != query.dtype and attn_mask.dtype.name != "float32":
        raise fail(
            RuntimeError,
            name,
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            "attn_mask.dtype: "
            f"{attn_mask.dtype} and query.dtype: {query.dtype} instead.",
        )
    if is_causal:
        raise fail(RuntimeError, name, "Explicit attn_mask should not be set when is_causal=True")


def _is_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """Whether PyTorch takes its fused kernel, which rounds what lies between in halves."""
    if query._array.dtype.itemsize != 2:
        return False
    shape = query.shape
    return (
        query.dim() == key.dim() == value.dim() == 4
        and shape[:2] == key.shape[:2] == value.shape[:2]
        and shape[-1] == value.size(-1)
        and 0 < key.size(-2) <= halves.BLOCK
        and (mask is None or not mask.requires_grad)
    )


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values repeated so that every query head has its own.

    Raises:
        RuntimeError: the heads do not divide.
    """
    heads, keys, values = query.size(-3), key.size(-3), value.size(-3)
    if keys == 0 or values == 0 or heads % keys or heads % values:
        raise fail(
            RuntimeError,
            "scaled_dot_product_attention",
            f"Number of heads in key ({keys}) and value ({values}) must divide the number of "
            f"heads in query ({heads}).",
        )
    return key.repeat_interleave(heads // keys, -3), value.repeat_interleave(heads // values, -3)


@composite(function=False)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query key^T scale + attn_mask) value``.

    Args:
        query: (N, *, Hq, L, E). key: (N, *, H, S, E). value: (N, *, H, S, Ev).
        attn_mask: bool (True may look) or numbers to add, broadcast to (N, *, Hq, L, S).
        dropout_p: the part of the weights that is dropped (always: pass 0 in evaluation).
        is_causal: query i looks at keys up to i.
        scale: ``1 / sqrt(E)`` by default.
        enable_gqa: query heads share keys and values.

    Raises:
        RuntimeError: shapes or dtypes that do not fit, or both a mask and is_causal.

    Reference: Vaswani et al., Attention is all you need, 2017, arXiv:1706.03762.
    """
    _check(query, key, value, attn_mask, is_causal, enable_gqa)
    width = query._array.shape[-1]
    factor = (1.0 / math.sqrt(width) if width else 1.0) if scale is None else scale
    if enable_gqa:
        key, value = _grouped(query, key, value)
    if (
        attn_mask is not None
        and attn_mask.dtype != query.dtype
        and attn_mask.dtype.category != "bool"
    ):
        attn_mask = attn_mask.to(query.dtype)
    if dropout_p > 0.0:
        dtype = query.dtype
        if dtype.itemsize == 2:  # rounded once, at the end
            query, key, value = query.float(), key.float(), value.float()
        weights = _softmax(query, key, attn_mask, factor, is_causal)
        return ops.matmul(ops.dropout(weights, dropout_p, True), value).to(dtype)
    in_half = _is_fused(query, key, value, attn_mask)
    return ops._attention(query, key, value, attn_mask, factor, is_causal, in_half)[0]
