"""Activations and normalisations between integers: the numbers they stand for go through the float
layer and come back in the layer's own scale. Stands on affine."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized.linear import parameters

__all__ = [
    "BNReLU2d",
    "BNReLU3d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Dropout",
    "ELU",
    "GroupNorm",
    "Hardswish",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LeakyReLU",
    "PReLU",
    "ReLU6",
    "Sigmoid",
    "Softmax",
]


class _Scaled(nn.Module):
    """A float layer between integers; the results have `scale` and `zero_point`."""

    scale: Any
    zero_point: Any
    _RELU = False
    _QUIET = False

    def _scaled(self, scale: Any, zero_point: Any, buffers: bool = True) -> None:
        if buffers:
            self.register_buffer("scale", flambeau.tensor(scale))
            self.register_buffer("zero_point", flambeau.tensor(zero_point))
        else:
            self.scale, self.zero_point = scale, zero_point

    def forward(self, input: Any) -> Any:
        """The layer's results, quantised."""
        layer: Any = super()
        with flambeau.no_grad():
            found = layer.forward(input.dequantize())
            found = found.relu() if self._RELU else found
            return affine.from_values(found, input, self.scale, self.zero_point)

    def _get_name(self) -> str:
        return f"Quantized{type(self).__name__}"


class _BatchNorm(_Scaled):
    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(num_features, eps, momentum)  # type: ignore[call-arg]
        self._scaled(1.0, 0)
        self.eval()

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From an observed layer, perhaps with a ReLU behind."""
        norm = mod[0] if isinstance(mod, nn.Sequential) else mod
        made: Any = cls(norm.num_features, norm.eps)
        made.weight, made.bias = norm.weight, norm.bias
        made.running_mean, made.running_var = norm.running_mean, norm.running_var
        scale, zero = parameters(mod)
        made.scale, made.zero_point = flambeau.tensor(scale), flambeau.tensor(zero)
        return made


class BatchNorm2d(_BatchNorm, nn.BatchNorm2d):
    """Batch norm of images, with the running statistics."""


class BatchNorm3d(_BatchNorm, nn.BatchNorm3d):
    """Batch norm of volumes, with the running statistics."""


class BNReLU2d(BatchNorm2d):
    """`BatchNorm2d`, negative results cut off."""

    _RELU = True


class BNReLU3d(BatchNorm3d):
    """`BatchNorm3d`, negative results cut off."""

    _RELU = True


class ReLU6(nn.ReLU6):
    """``min(max(x, 0), 6)``, in the input's scale."""

    def _get_name(self) -> str:
        return "QuantizedReLU6"

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> ReLU6:
        """From a float layer."""
        return ReLU6(mod.inplace)


class Dropout(nn.Dropout):
    """Its input: integers are not trained."""

    def forward(self, input: Any) -> Any:
        """The input."""
        return input

    def _get_name(self) -> str:
        return "QuantizedDropout"

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Dropout:
        """From a float layer."""
        return cls(mod.p, mod.inplace)


class Hardswish(_Scaled, nn.Hardswish):
    """``x relu6(x + 3) / 6``."""

    def __init__(
        self, scale: float, zero_point: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self._scaled(scale, zero_point)

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> Hardswish:
        """From an observed layer."""
        return Hardswish(*parameters(mod))


class ELU(_Scaled, nn.ELU):
    """``x`` where positive, else ``alpha (exp(x) - 1)``."""

    def __init__(self, scale: float, zero_point: int, alpha: float = 1.0) -> None:
        super().__init__(alpha)  # type: ignore[call-arg]
        self._scaled(scale, zero_point, buffers=False)

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> ELU:
        """From an observed layer."""
        return ELU(*parameters(mod), mod.alpha)


class LeakyReLU(_Scaled, nn.LeakyReLU):
    """``x`` where positive, else ``negative_slope x``."""

    def __init__(
        self, scale: float, zero_point: int, negative_slope: float = 1e-2, inplace: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(negative_slope, inplace)  # type: ignore[call-arg]
        self._scaled(scale, zero_point)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> LeakyReLU:
        """From an observed layer."""
        return cls(*parameters(mod), mod.negative_slope, mod.inplace)


class Sigmoid(_Scaled, nn.Sigmoid):
    """``1 / (1 + exp(-x))``."""

    def __init__(self, output_scale: float, output_zero_point: int) -> None:
        super().__init__()
        self._scaled(output_scale, output_zero_point, buffers=False)

    def _get_name(self) -> str:
        return "Sigmoid"

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Sigmoid:
        """From an observed layer."""
        return cls(*parameters(mod))


class Softmax(_Scaled, nn.Softmax):
    """``exp(x) / sum exp(x)`` along `dim`."""

    def __init__(self, dim: int | None = None, scale: float = 1.0, zero_point: int = 0) -> None:
        super().__init__(dim)  # type: ignore[call-arg]
        self._scaled(scale, zero_point, buffers=False)

    @staticmethod
    def from_float(mod: Any, use_precomputed_fake_quant: bool = False) -> Softmax:
        """From an observed layer."""
        return Softmax(mod.dim, *parameters(mod))


class PReLU(_Scaled, nn.PReLU):
    """``x`` where positive, else ``weight x``."""

    def __init__(
        self, output_scale: float, output_zero_point: int, num_parameters: int = 1
    ) -> None:
        super().__init__(num_parameters)  # type: ignore[call-arg]
        self._scaled(output_scale, output_zero_point, buffers=False)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> PReLU:
        """From an observed layer."""
        made = cls(*parameters(mod), mod.num_parameters)
        made.weight = nn.Parameter(mod.weight.detach().float())
        return made


class LayerNorm(_Scaled, nn.LayerNorm):
    """Layer norm of integers."""

    def __init__(
        self, normalized_shape: Any, weight: Any, bias: Any, scale: float, zero_point: int,
        eps: float = 1e-5, elementwise_affine: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine)  # type: ignore[call-arg]
        self.weight, self.bias = weight, bias
        self._scaled(scale, zero_point)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> LayerNorm:
        """From an observed layer."""
        return cls(
            mod.normalized_shape, mod.weight, mod.bias, *parameters(mod), mod.eps,
            mod.elementwise_affine,
        )  # fmt: skip


class GroupNorm(_Scaled, nn.GroupNorm):
    """Group norm of integers."""

    def __init__(
        self, num_groups: int, num_channels: int, weight: Any, bias: Any, scale: float,
        zero_point: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_groups, num_channels, eps, affine)  # type: ignore[call-arg]
        self.weight, self.bias = weight, bias
        self._scaled(scale, zero_point)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> GroupNorm:
        """From an observed layer."""
        return cls(
            mod.num_groups, mod.num_channels, mod.weight, mod.bias, *parameters(mod), mod.eps,
            mod.affine,
        )  # fmt: skip


class _InstanceNorm(_Scaled):
    def __init__(
        self, num_features: int, weight: Any, bias: Any, scale: float, zero_point: int,
        eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        layer: Any = super()
        layer.__init__(num_features, eps, momentum, affine, track_running_stats)
        self.weight, self.bias = weight, bias
        self._scaled(scale, zero_point)

    def _get_name(self) -> str:
        return "QuantizedInstanceNorm"

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From an observed layer."""
        return cls(mod.num_features, mod.weight, mod.bias, *parameters(mod), mod.eps, mod.affine)


class InstanceNorm1d(_InstanceNorm, nn.InstanceNorm1d):
    """Instance norm of lines of integers."""


class InstanceNorm2d(_InstanceNorm, nn.InstanceNorm2d):
    """Instance norm of images of integers."""


class InstanceNorm3d(_InstanceNorm, nn.InstanceNorm3d):
    """Instance norm of volumes of integers."""
