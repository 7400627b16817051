"""`MultiheadAttention` whose projections can be observed; what is between them is computed with
numbers. Stands on ao.nn.quantized and ao.quantization.prepare."""

from __future__ import annotations

import math
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.quantizable.observing import observed
from flambeau.ao.nn.quantized.combining import FloatFunctional
from flambeau.ao.quantization.prepare import DeQuantStub, QuantStub
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["MultiheadAttention"]

PROJECTIONS = ("linear_Q", "linear_K", "linear_V")


class MultiheadAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention` whose projections are layers of their own.

    Args, Shape: as there.
    """

    _FLOAT_MODULE: Any = nn.MultiheadAttention

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            embed_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim,
            batch_first, **made,
        )  # fmt: skip
        self.linear_Q = nn.Linear(embed_dim, embed_dim, bias, **made)
        self.linear_K = nn.Linear(self.kdim, embed_dim, bias, **made)
        self.linear_V = nn.Linear(self.vdim, embed_dim, bias, **made)
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias, **made)  # type: ignore[assignment]
        self.q_scaling_product = FloatFunctional()
        self.quant_attn_output, self.quant_attn_output_weights = QuantStub(), QuantStub()
        self.dequant_q, self.dequant_k = DeQuantStub(), DeQuantStub()
        self.dequant_v = DeQuantStub()

    def _get_name(self) -> str:
        return "QuantizableMultiheadAttention"

    @classmethod
    def from_float(cls, other: Any) -> MultiheadAttention:
        """Of an `nn.MultiheadAttention`, with observers where it has a qconfig.

        Raises:
            AssertionError: it is of another class, or has no qconfig at all.
        """
        if type(other) is not cls._FLOAT_MODULE or not hasattr(other, "qconfig"):
            raise AssertionError("The float module must be nn.MultiheadAttention with a 'qconfig'")
        made = cls(
            other.embed_dim, other.num_heads, other.dropout, other.in_proj_bias is not None,
            other.bias_k is not None, other.add_zero_attn, other.kdim, other.vdim,
            other.batch_first,
        )  # fmt: skip
        made.qconfig, own = other.qconfig, dict(other.named_parameters(recurse=False))
        for name, value in own.items():
            setattr(made, name, value)
        made.out_proj.weight, made.out_proj.bias = other.out_proj.weight, other.out_proj.bias
        weights = (
            other.in_proj_weight.chunk(3)
            if other._qkv_same_embed_dim
            else (other.q_proj_weight, other.k_proj_weight, other.v_proj_weight)
        )
        bias = other.in_proj_bias
        biases = (None,) * 3 if bias is None else bias.chunk(3)
        for name, weight, part in zip(PROJECTIONS, weights, biases, strict=True):
            layer = getattr(made, name)
            layer.weight = nn.Parameter(weight.detach().clone())
            layer.bias = None if part is None else nn.Parameter(part.detach().clone())
        return observed(made, other.training)

    @classmethod
    def from_observed(cls, other: Any) -> Any:
        """The form that computes with integers is of another class.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "Observed attention is converted by "
            "torch.ao.nn.quantized.MultiheadAttention.from_observed."
        )

    def dequantize(self) -> nn.MultiheadAttention:
        """The `nn.MultiheadAttention` of the quantised weights."""
        made = nn.MultiheadAttention(
            self.embed_dim, self.num_heads, self.dropout, self.in_proj_bias is not None,
            self.bias_k is not None, self.add_zero_attn, self.kdim, self.vdim, self.batch_first,
        )  # fmt: skip
        with flambeau.no_grad():
            for name in ("bias_k", "bias_v"):
                if getattr(self, name) is not None:
                    getattr(made, name).copy_(getattr(self, name))
            parts = [_weight_and_bias(getattr(self, name)) for name in PROJECTIONS]
            if made._qkv_same_embed_dim:
                made.in_proj_weight.copy_(flambeau.cat([w for w, _ in parts]))
            else:
                names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
                for name, (weight, _) in zip(names, parts, strict=True):
                    getattr(made, name).copy_(weight)
            weight, bias = _weight_and_bias(self.out_proj)
            made.out_proj.weight.copy_(weight)
            if made.in_proj_bias is not None:
                made.in_proj_bias.copy_(flambeau.cat([b for _, b in parts]))
                made.out_proj.bias.copy_(bias)
        return made.train(self.training)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The attended values, and what each query attended to.

        Raises:
            AssertionError: `is_causal` without a mask.
        """
        if is_causal and attn_mask is None:
            raise AssertionError("Need attn_mask if specifying the is_causal hint.")
        if self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        q = self.q_scaling_product.mul_scalar(self.linear_Q(query), 1 / math.sqrt(self.head_dim))
        q, k, v = self.dequant_q(q), self.dequant_k(self.linear_K(key)), self.linear_V(value)
        v = self.dequant_v(v)
        length, batch, _ = q.shape
        k, v, added = self._longer(k, v)
        q, k, v = (self._heads(x) for x in (q, k, v))  # (N, heads, length, head_dim)
        scores = q @ k.transpose(-2, -1)
        for mask in (attn_mask, None if key_padding_mask is None else key_padding_mask[:, None, :]):
            if mask is not None:
                scores = scores + self._addend(mask, added, batch, scores)
        weights = F.dropout(scores.softmax(-1), self.dropout, self.training)
        found = (weights @ v).permute(2, 0, 1, 3).reshape(length, batch, self.embed_dim)
        found = self.out_proj(self.quant_attn_output(found))
        found = found.transpose(0, 1) if self.batch_first else found
        weights = self.quant_attn_output_weights(weights)
        if not need_weights:
            return found, None
        return found, weights.mean(1) if average_attn_weights else weights

    def _longer(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, int]:
        """Keys and values with those that are learned, or zero, behind."""
        more: list[Any] = []
        if self.bias_k is not None:
            more.append((self.bias_k, self.bias_v))
        if self.add_zero_attn:
            zeros = k.new_zeros(1, 1, self.embed_dim)
            more.append((zeros, zeros))
        for first, second in more:
            k = flambeau.cat([k, first.expand(1, *k.shape[1:])])
            v = flambeau.cat([v, second.expand(1, *v.shape[1:])])
        return k, v, len(more)

    def _heads(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.num_heads, self.head_dim).permute(1, 2, 0, 3)

    def _addend(self, mask: Tensor, added: int, batch: int, scores: Tensor) -> Tensor:
        """A mask as numbers to be added, with what is added behind the keys left open."""
        if mask.dtype is flambeau.bool:
            mask = scores.new_zeros(mask.shape).masked_fill(mask, float("-inf"))
        mask = F.pad(mask, (0, added))
        if mask.dim() == 2:
            return mask
        return mask.reshape(batch, -1, *mask.shape[-2:])


def _weight_and_bias(layer: Any) -> tuple[Tensor, Any]:
    """Of a linear layer, be it of integers or not."""
    if isinstance(layer, nn.Linear):
        return layer.weight, layer.bias
    return layer.weight().dequantize(), layer.bias()
