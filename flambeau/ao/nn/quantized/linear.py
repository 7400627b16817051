"""`Quantize`, `DeQuantize` and `Linear` of integers, with a ReLU too. Stands on affine."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn import intrinsic, qat
from flambeau.ao.nn.intrinsic import qat as fused_qat
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized.scaled import Scaled
from flambeau.ao.quantization.tensor import quantize_per_tensor
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["DeQuantize", "Linear", "LinearPackedParams", "LinearReLU", "Quantize", "observer_of"]


def observer_of(mod: Any) -> Any:
    """What makes the weight's observer: a module that trained has one."""
    return getattr(mod, "weight_fake_quant", None) or mod.qconfig.weight()


def parameters(mod: Any) -> tuple[float, int]:
    """Scale and zero point of what comes out of an observed module."""
    scale, zero = mod.activation_post_process.calculate_qparams()
    return float(scale), int(zero)


class Quantize(nn.Module):
    """Numbers become integers of a fixed scale.

    Args:
        dtype: torch.quint8, qint8 or qint32.
    """

    scale: Tensor
    zero_point: Tensor

    def __init__(
        self, scale: float, zero_point: int, dtype: Any, factory_kwargs: Any = None
    ) -> None:
        super().__init__()
        self.register_buffer("scale", flambeau.tensor([scale]))
        self.register_buffer("zero_point", flambeau.tensor([zero_point], dtype=flambeau.long))
        self.dtype = dtype

    def forward(self, X: Tensor) -> Any:
        """The integers."""
        return quantize_per_tensor(X, float(self.scale), int(self.zero_point), self.dtype)

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> Quantize:
        """From a stub that was observed."""
        return Quantize(*parameters(mod), mod.activation_post_process.dtype)

    def extra_repr(self) -> str:
        """The scale."""
        return f"scale={self.scale}, zero_point={self.zero_point}, dtype={self.dtype}"


class DeQuantize(nn.Module):
    """Integers become the numbers they stand for."""

    def forward(self, Xq: Any) -> Tensor:
        """The numbers."""
        return Xq.dequantize()  # type: ignore[no-any-return]

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> DeQuantize:
        """From a stub."""
        return DeQuantize()


class LinearPackedParams(nn.Module):
    """A weight and a bias in one entry of the state dict."""

    _version = 3

    def __init__(self, dtype: Any = flambeau.qint8) -> None:
        super().__init__()
        self.dtype = dtype
        self._packed_params: tuple[Any, Tensor | None] = (None, None)

    def set_weight_bias(self, weight: Any, bias: Tensor | None) -> None:
        """Replace both."""
        self._packed_params = (weight, bias)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "dtype"] = self.dtype
        destination[prefix + "_packed_params"] = self._packed_params

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        if prefix + "dtype" in state_dict:
            self.dtype = state_dict.pop(prefix + "dtype")
            self._packed_params = state_dict.pop(prefix + "_packed_params")
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, False, missing_keys, unexpected_keys, error_msgs
        )


class Linear(Scaled):
    """``x W' + b`` of integers.

    Args:
        in_features, out_features: the lengths. bias_: whether there is a bias.
        dtype: the weight's.
    """

    _version = 3
    _FLOAT_MODULE: Any = (nn.Linear, nn.modules.linear.NonDynamicallyQuantizableLinear)
    _QAT_MODULES: tuple[Any, ...] = (qat.Linear, fused_qat.LinearBn1d)
    _FUSED: Any = None
    _RELU = False

    def __init__(
        self, in_features: int, out_features: int, bias_: bool = True, dtype: Any = flambeau.qint8
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.scale, self.zero_point = 1.0, 0
        bias = flambeau.zeros(out_features) if bias_ else None
        self._packed_params = LinearPackedParams(dtype)
        if dtype is flambeau.float16:
            weight: Any = flambeau.zeros(out_features, in_features)
        else:
            weight = quantize_per_tensor(flambeau.zeros(out_features, in_features), 1, 0, dtype)
        self.set_weight_bias(weight, bias)

    def weight(self) -> Any:
        """The quantised weight."""
        return self._packed_params._packed_params[0]

    def bias(self) -> Any:
        """The bias, or None."""
        return self._packed_params._packed_params[1]

    def set_weight_bias(self, w: Any, b: Tensor | None) -> None:
        """Replace both."""
        self._packed_params.set_weight_bias(w, b)

    def forward(self, x: Any) -> Any:
        """The product."""
        return affine.product(
            "quantized::linear", F.linear, x, self.weight(), self.bias(), self.scale,
            self.zero_point, self._RELU,
        )  # fmt: skip

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From an observed layer, fused with a ReLU, trained with rounding or plain."""
        activation, config, layer = mod.activation_post_process, getattr(mod, "qconfig", None), mod
        if isinstance(mod, intrinsic._FusedModule):
            layer = mod[0]
            layer.qconfig = config
        weight, bias = layer._joined() if hasattr(layer, "_joined") else (layer.weight, layer.bias)
        scale, zero = activation.calculate_qparams()
        made = cls(layer.in_features, layer.out_features)
        made.set_weight_bias(affine.observed_weight(weight, observer_of(layer)), bias)
        made.scale, made.zero_point = float(scale), int(zero)
        return made

    def _get_name(self) -> str:
        return "QuantizedLinear"

    def extra_repr(self) -> str:
        """The sizes and the scale."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"scale={self.scale}, zero_point={self.zero_point}, qscheme={self.weight().qscheme()}"
        )

    def __repr__(self) -> str:
        return f"{self._get_name()}({self.extra_repr()})"


class LinearReLU(Linear):
    """`Linear`, negative results cut off."""

    _RELU = True

    def _get_name(self) -> str:
        return "QuantizedLinearReLU"
