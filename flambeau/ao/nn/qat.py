"""Layers that train with the error of quantisation: their weights are rounded before use.

What is fused with batch norm is in `intrinsic.qat`.
"""

from __future__ import annotations

from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["Conv1d", "Conv2d", "Conv3d", "Embedding", "EmbeddingBag", "Linear", "check_float"]


def check_float(kind: Any, layer: Any) -> None:
    """Whether a layer is what a class is made from.

    Raises:
        AssertionError: it is another, or has no qconfig.
    """
    wanted = kind._FLOAT_MODULE
    if type(layer) is not wanted:
        raise AssertionError(f"qat.{kind.__name__}.from_float only works for {wanted.__name__}")
    if not getattr(layer, "qconfig", None):
        raise AssertionError("Input float module must have a valid qconfig")


class _Rounded(nn.Module):
    """What the layers here share: the rounded weight, and the ways from float and back."""

    _FLOAT_MODULE: Any
    _FIELDS: tuple[str, ...] = ()
    qconfig: Any
    weight: Any
    bias: Any

    def __init__(
        self, *args: Any, qconfig: Any = None, device: Any = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs, device=device, dtype=dtype)
        if not qconfig:
            raise AssertionError("qconfig must be provided for QAT module")
        self.qconfig = qconfig
        self.weight_fake_quant = qconfig.weight()

    @property
    def rounded(self) -> Tensor:
        """The weight as integers can say it."""
        return self.weight_fake_quant(self.weight)  # type: ignore[no-any-return]

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """Such a layer with the parameters of a float one."""
        check_float(cls, mod)
        made = cls(*(getattr(mod, name) for name in cls._FIELDS), **cls._more(mod))
        made.weight = mod.weight
        if hasattr(mod, "bias"):
            made.bias = mod.bias
        return made

    @classmethod
    def _more(cls, mod: Any) -> dict[str, Any]:
        return {"bias": mod.bias is not None, "qconfig": mod.qconfig}

    def to_float(self) -> Any:
        """The float layer of the same parameters."""
        more = self._more(self)
        more.pop("qconfig")
        made = self._FLOAT_MODULE(*(getattr(self, name) for name in self._FIELDS), **more)
        made.weight = nn.Parameter(self.weight.detach())
        if getattr(self, "bias", None) is not None:
            made.bias = nn.Parameter(self.bias.detach())
        made.train(self.training)
        return made


class Linear(_Rounded, nn.Linear):
    """``x W' + b`` with W rounded."""

    _FLOAT_MODULE = nn.Linear
    _FIELDS = ("in_features", "out_features")

    def forward(self, input: Tensor) -> Tensor:
        """The product."""
        return F.linear(input, self.rounded, self.bias)


class _Convolving(_Rounded):
    _FIELDS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")

    @classmethod
    def _more(cls, mod: Any) -> dict[str, Any]:
        return super()._more(mod) | {"groups": mod.groups, "padding_mode": mod.padding_mode}

    def forward(self, input: Tensor) -> Any:
        """The convolution."""
        layer: Any = self
        return layer._conv_forward(input, self.rounded, self.bias)


class Conv1d(_Convolving, nn.Conv1d):
    """A convolution of lines whose kernels are rounded."""

    _FLOAT_MODULE = nn.Conv1d


class Conv2d(_Convolving, nn.Conv2d):
    """A convolution of images whose kernels are rounded."""

    _FLOAT_MODULE = nn.Conv2d


class Conv3d(_Convolving, nn.Conv3d):
    """A convolution of volumes whose kernels are rounded."""

    _FLOAT_MODULE = nn.Conv3d


class Embedding(_Rounded, nn.Embedding):
    """A table whose vectors are rounded."""

    _FLOAT_MODULE = nn.Embedding
    _FIELDS = (
        "num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type",
        "scale_grad_by_freq", "sparse",
    )  # fmt: skip

    @classmethod
    def _more(cls, mod: Any) -> dict[str, Any]:
        return {"qconfig": mod.qconfig}

    def forward(self, input: Tensor) -> Tensor:
        """The rows of the indices."""
        return F.embedding(
            input, self.rounded, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip


class EmbeddingBag(_Rounded, nn.EmbeddingBag):
    """A table whose vectors are rounded, and combined bag by bag."""

    _FLOAT_MODULE = nn.EmbeddingBag
    _FIELDS = (
        "num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode",
        "sparse",
    )  # fmt: skip

    @classmethod
    def _more(cls, mod: Any) -> dict[str, Any]:
        return {
            "qconfig": mod.qconfig, "include_last_offset": mod.include_last_offset,
            "padding_idx": mod.padding_idx,
        }  # fmt: skip

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """A vector for each bag."""
        return F.embedding_bag(
            input, self.rounded, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip
