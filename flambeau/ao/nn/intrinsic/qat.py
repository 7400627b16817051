"""Fused layers that train with the error of quantisation.

A convolution before batch norm is rounded as it will be when both are one: scaled by the running
standard deviation. Reference: R. Krishnamoorthi, "Quantizing deep convolutional networks for
efficient inference", 2018, arXiv 1806.08342.
"""

from __future__ import annotations

import math
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn import intrinsic, qat
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

__all__ = [
    "ConvBn1d",
    "ConvBn2d",
    "ConvBn3d",
    "ConvBnReLU1d",
    "ConvBnReLU2d",
    "ConvBnReLU3d",
    "ConvReLU1d",
    "ConvReLU2d",
    "ConvReLU3d",
    "LinearBn1d",
    "LinearReLU",
    "freeze_bn_stats",
    "update_bn_stats",
]


class _Normed(nn.Module):
    """A product, batch norm and perhaps a ReLU; `_BASE` is the product's class."""

    _BASE: Any
    _FLOAT_MODULE: Any
    _RELU = False
    bn: Any

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """Such a layer with the parameters of a fused float one."""
        qat.check_float(cls, mod)
        product, norm = mod[0], mod[1]
        product.qconfig = mod.qconfig
        more = cls._BASE._more(product)
        made = cls(*(getattr(product, name) for name in cls._BASE._FIELDS), **more)
        made.weight, made.bias = product.weight, product.bias
        made.bn = norm
        made.train(mod.training)
        return made

    def freeze_bn_stats(self) -> Any:
        """Use the running statistics from now on, in training too."""
        self.bn.training = False
        self._frozen = True
        return self

    def update_bn_stats(self) -> Any:
        """Use the batch's statistics in training."""
        self.bn.training = self.training
        self._frozen = False
        return self

    def train(self, mode: bool = True) -> Any:
        """Training or not, the statistics where they are not frozen."""
        super().train(mode)
        if getattr(self, "_frozen", False) and "bn" in self._modules:
            self.bn.training = False
        return self

    def _forward(self, input: Tensor) -> Tensor:
        layer: Any = self
        norm = self.bn
        scale = norm.weight / flambeau.sqrt(norm.running_var + norm.eps)
        tall = [-1] + [1] * (layer.weight.dim() - 1)
        wide = [1, -1] + [1] * (layer.weight.dim() - 2)
        weight = layer.weight_fake_quant(layer.weight * scale.reshape(tall))
        found = layer._product(input, weight) / scale.reshape(wide)
        if layer.bias is not None:
            found = found + layer.bias.reshape(wide)
        found = norm(found)
        return F.relu(found) if self._RELU else found  # type: ignore[no-any-return]

    def _joined(self) -> tuple[Any, Any]:
        """The weight and bias of the one product that both are in evaluation."""
        layer: Any = self
        norm = self.bn
        fuse: Any = fuse_linear_bn_weights if isinstance(self, nn.Linear) else fuse_conv_bn_weights
        return fuse(  # type: ignore[no-any-return]
            layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight,
            norm.bias,
        )  # fmt: skip


_SIZES = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups",
)  # fmt: skip
_NORM = ("eps", "momentum", "freeze_bn", "qconfig")


def _normed(name: str, base: Any, norm: Any, fused: Any, relu: bool) -> Any:
    """The class of a product with batch norm."""

    linear = base is qat.Linear
    sizes = ("in_features", "out_features") if linear else _SIZES
    order = (*sizes, "bias", *(() if linear else ("padding_mode",)), *_NORM)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(order, args, strict=False)) | kwargs
        biased = given.pop("bias", linear)
        defaults = (1e-05, 0.1, False, None)
        eps, momentum, freeze_bn, qconfig = map(given.pop, _NORM, defaults)
        base._FLOAT_MODULE.__init__(self, **given, bias=False)
        if not qconfig:
            raise AssertionError("qconfig must be provided for QAT module")
        self.qconfig = qconfig
        self.bn = norm(self.weight.shape[0], eps, momentum, True, True)
        nn.init.uniform_(self.bn.weight)
        if biased:
            bound = 1 / math.sqrt(self.weight[0].numel())
            self.bias = nn.Parameter(flambeau.empty(self.weight.shape[0]).uniform_(-bound, bound))
        self.weight_fake_quant = qconfig.weight()
        if freeze_bn:
            self.freeze_bn_stats()

    def _product(self: Any, input: Tensor, weight: Tensor) -> Any:
        if linear:
            return F.linear(input, weight)
        return self._conv_forward(input, weight, None)

    body = {
        "__init__": __init__,
        "_product": _product,
        "forward": lambda self, input: self._forward(input),
        "_BASE": base,
        "_FLOAT_MODULE": fused,
        "_RELU": relu,
        "__doc__": f"{fused.__name__} that trains with its rounded weight.",
        "__module__": __name__,
    }
    return type(name, (_Normed, base._FLOAT_MODULE), body)


ConvBn1d = _normed("ConvBn1d", qat.Conv1d, nn.BatchNorm1d, intrinsic.ConvBn1d, False)
ConvBn2d = _normed("ConvBn2d", qat.Conv2d, nn.BatchNorm2d, intrinsic.ConvBn2d, False)
ConvBn3d = _normed("ConvBn3d", qat.Conv3d, nn.BatchNorm3d, intrinsic.ConvBn3d, False)
ConvBnReLU1d = _normed("ConvBnReLU1d", qat.Conv1d, nn.BatchNorm1d, intrinsic.ConvBnReLU1d, True)
ConvBnReLU2d = _normed("ConvBnReLU2d", qat.Conv2d, nn.BatchNorm2d, intrinsic.ConvBnReLU2d, True)
ConvBnReLU3d = _normed("ConvBnReLU3d", qat.Conv3d, nn.BatchNorm3d, intrinsic.ConvBnReLU3d, True)
LinearBn1d = _normed("LinearBn1d", qat.Linear, nn.BatchNorm1d, intrinsic.LinearBn1d, False)


def _rectified(name: str, base: Any, fused: Any) -> Any:
    """The class of a product with a ReLU behind."""

    def from_float(cls: Any, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        qat.check_float(cls, mod)
        mod[0].qconfig = mod.qconfig
        more = base._more(mod[0])
        made = cls(*(getattr(mod[0], field) for field in base._FIELDS), **more)
        made.weight, made.bias = mod[0].weight, mod[0].bias
        return made

    body = {
        "forward": lambda self, input: F.relu(base.forward(self, input)),
        "from_float": classmethod(from_float),
        "_FLOAT_MODULE": fused,
        "__doc__": f"{fused.__name__} that trains with its rounded weight.",
        "__module__": __name__,
    }
    return type(name, (base,), body)


ConvReLU1d = _rectified("ConvReLU1d", qat.Conv1d, intrinsic.ConvReLU1d)
ConvReLU2d = _rectified("ConvReLU2d", qat.Conv2d, intrinsic.ConvReLU2d)
ConvReLU3d = _rectified("ConvReLU3d", qat.Conv3d, intrinsic.ConvReLU3d)
LinearReLU = _rectified("LinearReLU", qat.Linear, intrinsic.LinearReLU)


def freeze_bn_stats(mod: Any) -> None:
    """Use the running statistics in a layer with batch norm (for `Module.apply`)."""
    if isinstance(mod, _Normed):
        mod.freeze_bn_stats()


def update_bn_stats(mod: Any) -> None:
    """Use the batch's statistics in a layer with batch norm (for `Module.apply`)."""
    if isinstance(mod, _Normed):
        mod.update_bn_stats()
