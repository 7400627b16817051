"""Convolutions of integers, with a ReLU too. Stands on affine and linear."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn import intrinsic
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized.linear import observer_of
from flambeau.ao.quantization.tensor import quantize_per_tensor
from flambeau.core.tensor import Tensor
from flambeau.nn.utils.fusion import fuse_conv_bn_eval

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvReLU1d",
    "ConvReLU2d",
    "ConvReLU3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

FIELDS = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups",
)  # fmt: skip


class _Conv(nn.Module):
    """What all convolutions share; `_FLOAT` does the arithmetic."""

    _FLOAT: Any
    _RELU = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        if padding_mode == "reflect" and self._FLOAT is nn.Conv3d:
            raise NotImplementedError("Conv3d: padding_mode='reflect' is not built for integers.")
        shape = self._FLOAT(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding,
            dilation=dilation, groups=groups, bias=False, padding_mode=padding_mode, device="meta",
            **more,
        )  # fmt: skip
        self._set(shape)
        weight = quantize_per_tensor(flambeau.zeros(shape.weight.shape), 1, 0, flambeau.qint8)
        self.set_weight_bias(weight, flambeau.zeros(out_channels) if bias else None)
        self.scale, self.zero_point = 1.0, 0

    def _set(self, layer: Any) -> None:
        """Take the sizes of a float layer, which convolves from now on."""
        for name in (*FIELDS, "padding_mode", "output_padding", "transposed"):
            setattr(self, name, getattr(layer, name))
        object.__setattr__(self, "_plain", layer)

    def weight(self) -> Any:
        """The quantised kernels."""
        return self._weight

    def bias(self) -> Any:
        """The bias, or None."""
        return self._bias

    def set_weight_bias(self, w: Any, b: Tensor | None) -> None:
        """Replace both."""
        object.__setattr__(self, "_weight", w)
        object.__setattr__(self, "_bias", b)

    def _convolved(self, input: Tensor, weight: Tensor) -> Any:
        return self._plain._conv_forward(input, weight, None)

    def forward(self, input: Any) -> Any:
        """The convolution."""
        return affine.product(
            f"quantized::{self._FLOAT.__name__.lower()}", self._convolved, input, self.weight(),
            self.bias(), self.scale, self.zero_point, self._RELU,
            axis=-1 - len(self._plain.kernel_size),
        )  # fmt: skip

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From an observed layer, fused with batch norm or a ReLU, trained with rounding or
        plain.
        """
        config, activation, layer = mod.qconfig, mod.activation_post_process, mod
        if isinstance(mod, intrinsic._FusedModule):
            layer = mod[0]
            if len(mod) > 1 and not isinstance(mod[1], nn.ReLU):
                layer = fuse_conv_bn_eval(layer, mod[1])
            layer.qconfig = config
        weight, bias = layer._joined() if hasattr(layer, "_joined") else (layer.weight, layer.bias)
        kind: Any = cls
        made = kind(
            *(getattr(layer, name) for name in FIELDS), bias is not None, layer.padding_mode
        )
        made.set_weight_bias(affine.observed_weight(weight, observer_of(layer)), bias)
        scale, zero = activation.calculate_qparams()
        made.scale, made.zero_point = float(scale), int(zero)
        return made

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"], destination[prefix + "bias"] = self.weight(), self.bias()
        destination[prefix + "scale"] = flambeau.tensor(self.scale)
        destination[prefix + "zero_point"] = flambeau.tensor(self.zero_point)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        self.set_weight_bias(state_dict.pop(prefix + "weight"), state_dict.pop(prefix + "bias"))
        self.scale = float(state_dict.pop(prefix + "scale"))
        self.zero_point = int(state_dict.pop(prefix + "zero_point"))
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, False, missing_keys, unexpected_keys, error_msgs
        )

    def _get_name(self) -> str:
        return f"Quantized{type(self).__name__}"

    def extra_repr(self) -> str:
        """The sizes and the scale."""
        layer = self._plain
        words = [
            f"{layer.in_channels}, {layer.out_channels}, kernel_size={layer.kernel_size}, "
            f"stride={layer.stride}, scale={self.scale}, zero_point={self.zero_point}"
        ]
        usual = (0,) * len(layer.kernel_size)
        if layer.padding != usual:
            words.append(f"padding={layer.padding}")
        if layer.dilation != (1,) * len(usual):
            words.append(f"dilation={layer.dilation}")
        if layer.output_padding != usual:
            words.append(f"output_padding={layer.output_padding}")
        if layer.groups != 1:
            words.append(f"groups={layer.groups}")
        if self.bias() is None:
            words.append("bias=False")
        return ", ".join(words)


class Conv1d(_Conv):
    """A convolution of lines of integers."""

    _FLOAT = nn.Conv1d


class Conv2d(_Conv):
    """A convolution of images of integers."""

    _FLOAT = nn.Conv2d


class Conv3d(_Conv):
    """A convolution of volumes of integers."""

    _FLOAT = nn.Conv3d


class ConvReLU1d(Conv1d):
    """`Conv1d`, negative results cut off."""

    _RELU = True


class ConvReLU2d(Conv2d):
    """`Conv2d`, negative results cut off."""

    _RELU = True


class ConvReLU3d(Conv3d):
    """`Conv3d`, negative results cut off."""

    _RELU = True


class _Transposed(_Conv):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, output_padding=output_padding,
        )  # fmt: skip

    def _convolved(self, input: Tensor, weight: Tensor) -> Any:
        layer = self._plain
        apply: Any = getattr(nn.functional, f"conv_transpose{len(layer.kernel_size)}d")
        return apply(
            input, weight, None, layer.stride, layer.padding, layer.output_padding, layer.groups,
            layer.dilation,
        )  # fmt: skip

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From an observed layer."""
        kind: Any = cls
        made = kind(
            *(getattr(mod, name) for name in FIELDS[:5]), mod.output_padding, mod.groups,
            mod.bias is not None, mod.dilation, mod.padding_mode,
        )  # fmt: skip
        made.set_weight_bias(affine.observed_weight(mod.weight, mod.qconfig.weight()), mod.bias)
        scale, zero = mod.activation_post_process.calculate_qparams()
        made.scale, made.zero_point = float(scale), int(zero)
        return made


class ConvTranspose1d(_Transposed):
    """A transposed convolution of lines of integers."""

    _FLOAT = nn.ConvTranspose1d


class ConvTranspose2d(_Transposed):
    """A transposed convolution of images of integers."""

    _FLOAT = nn.ConvTranspose2d


class ConvTranspose3d(_Transposed):
    """A transposed convolution of volumes of integers."""

    _FLOAT = nn.ConvTranspose3d
