"""Attention over nested tensors, whose sequences are of uneven length: they are padded, attended to
under a mask, and cut again. As in PyTorch this is for evaluation alone, where it has kernels for
them.

Stands on nested, which it reaches through the package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["attention", "is_uneven", "layer_output"]


def is_uneven(x: Any) -> bool:
    """Whether sequences are of uneven length: a nested tensor in the layout of parts."""
    return type(x) is not Tensor and x.is_nested is True and x.layout is flambeau.strided


def _check(module: Any, x: Tensor, attention: Any, reason: str) -> None:
    if x.dim() != 3:
        reason = f"input not batched; expected query.dim() of 3 but got {x.dim()}"
    elif not attention.batch_first:
        reason = "batch_first was not True"
    elif module.training:
        reason = "training is enabled"
    elif flambeau.is_grad_enabled() and (
        x.requires_grad or any(p.requires_grad for p in module.parameters())
    ):
        reason = "grad is enabled and query or projection weights or biases requires_grad"
    elif attention.num_heads % 2:
        reason = "self.num_heads is not even"
    elif not flambeau.backends.mha.get_fastpath_enabled():
        reason = "torch.backends.mha.get_fastpath_enabled() was not True"
    if reason:
        raise fail(
            AssertionError,
            "MultiheadAttention",
            "MultiheadAttention does not support NestedTensor outside of its fast path. The fast "
            f"path was not hit because {reason}. Pad the sequences and give a key_padding_mask.",
        )


def _padded(x: Any) -> tuple[Tensor, Tensor, list[int]]:
    """The sequences side by side, which places are padding, and the lengths."""
    lengths = [len(part) for part in x.unbind()]
    whole: Tensor = x.to_padded_tensor(0.0)
    places = flambeau.arange(whole.shape[1])
    return whole, places >= flambeau.tensor(lengths).unsqueeze(1), lengths


def _cut(x: Tensor, lengths: list[int]) -> Any:
    return flambeau.nested.as_nested_tensor([row[:n] for row, n in zip(x, lengths, strict=True)])


def attention(
    module: Any, query: Any, key: Any, value: Any, masks: Any, need_weights: bool, average: bool
) -> Any:
    """`MultiheadAttention` of a nested tensor to itself.

    Args:
        masks: those given; none may be.

    Raises:
        AssertionError: PyTorch has no kernel for the case: in training, with gradients, with masks.
    """
    reason = ""
    if query is not key or key is not value:
        reason = "non-self attention was used (query, key, and value are not the same Tensor)"
    elif any(mask is not None for mask in masks):
        reason = "neither key_padding_mask nor attn_mask are supported with NestedTensor input"
    _check(module, query, module, reason)
    whole, padding, lengths = _padded(query)
    out, weights = module(
        whole, whole, whole, padding, need_weights=need_weights, average_attn_weights=average
    )
    return _cut(out, lengths), weights


def layer_output(module: Any, src: Any, masks: Any, run: Callable[..., Tensor]) -> Any:
    """An encoder layer's output for a nested tensor.

    Args:
        masks: those given; none may be.
        run: the layer's computation, of a padded batch and its padding.

    Raises:
        AssertionError: as of `attention`.
    """
    given = any(mask is not None for mask in masks)
    reason = "neither src_key_padding_mask nor src_mask are supported with NestedTensor input"
    _check(module, src, module.self_attn, reason if given else "")
    whole, padding, lengths = _padded(src)
    if not whole.numel():  # no sequence has an element
        return src
    return _cut(run(whole, src_key_padding_mask=padding), lengths)
