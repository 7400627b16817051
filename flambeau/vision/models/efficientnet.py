"""EfficientNet b0 to b7, and v2 small, medium, large.

Reference: M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", 2019, arXiv:1905.11946, and "EfficientNetV2", 2021, arXiv:2104.00298.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models._utils import depthwise, mobile_weights
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.width import make_divisible
from flambeau.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation
from flambeau.vision.ops.stochastic_depth import StochasticDepth

__all__ = [
    "EfficientNet",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]

Layer = Callable[..., nn.Module]


class MBConvConfig:
    """One stage of MBConv blocks; widths and depth scale with the network."""

    block: Layer

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Layer | None = None,
    ) -> None:
        self.expand_ratio = expand_ratio
        self.kernel = kernel
        self.stride = stride
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.num_layers = math.ceil(num_layers * depth_mult)
        self.block = block or MBConv

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """The scaled number of channels, a multiple of eight."""
        return make_divisible(channels * width_mult, 8, min_value)


class FusedMBConvConfig(MBConvConfig):
    """One stage of FusedMBConv blocks, which do not scale."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Layer | None = None,
    ) -> None:
        super().__init__(
            expand_ratio,
            kernel,
            stride,
            input_channels,
            out_channels,
            num_layers,
            block=block or FusedMBConv,
        )


class _Residual(nn.Module):
    """What both blocks share: the way around, and its being dropped at random."""

    def __init__(
        self, cnf: MBConvConfig, layers: list[nn.Module], stochastic_depth_prob: float
    ) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"{type(self).__name__}: expected stride 1 or 2, got {cnf.stride}.")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += input
        return result


class MBConv(_Residual):
    """Widen by 1x1, convolve each channel, gate, narrow by 1x1 without activation."""

    def __init__(
        self,
        cnf: MBConvConfig,
        stochastic_depth_prob: float,
        norm_layer: Layer,
        se_layer: Layer = SqueezeExcitation,
    ) -> None:
        hidden = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        common: dict[str, Any] = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        layers = depthwise(cnf.input_channels, hidden, cnf.kernel, cnf.stride, **common)
        squeeze = max(1, cnf.input_channels // 4)
        layers.append(se_layer(hidden, squeeze, activation=partial(nn.SiLU, inplace=True)))
        common["activation_layer"] = None
        layers.append(Conv2dNormActivation(hidden, cnf.out_channels, 1, **common))
        super().__init__(cnf, layers, stochastic_depth_prob)


class FusedMBConv(_Residual):
    """Widen by a full convolution, narrow by 1x1 without activation."""

    def __init__(
        self, cnf: FusedMBConvConfig, stochastic_depth_prob: float, norm_layer: Layer
    ) -> None:
        hidden = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        common: dict[str, Any] = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        first = hidden if hidden != cnf.input_channels else cnf.out_channels
        layers: list[nn.Module] = [
            Conv2dNormActivation(cnf.input_channels, first, cnf.kernel, cnf.stride, **common)
        ]
        if hidden != cnf.input_channels:
            common["activation_layer"] = None
            layers.append(Conv2dNormActivation(hidden, cnf.out_channels, 1, **common))
        super().__init__(cnf, layers, stochastic_depth_prob)


def _by_outputs(weight: Tensor) -> None:
    bound = 1.0 / math.sqrt(weight.shape[0])
    nn.init.uniform_(weight, -bound, bound)


class EfficientNet(nn.Module):
    """Stages of MBConv blocks and a linear classifier. Shape: (N, 3, H, W) to (N, classes)."""

    def __init__(
        self,
        inverted_residual_setting: Sequence[MBConvConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("EfficientNet: expected inverted_residual_setting not to be empty.")
        if not all(isinstance(s, MBConvConfig) for s in setting):
            raise TypeError(
                "EfficientNet: expected inverted_residual_setting to be a list of MBConvConfig, "
                f"got {setting}."
            )
        norm = norm_layer or nn.BatchNorm2d
        common: dict[str, Any] = {"norm_layer": norm, "activation_layer": nn.SiLU}
        layers: list[nn.Module] = [
            Conv2dNormActivation(3, setting[0].input_channels, stride=2, **common)
        ]
        total, made = sum(cnf.num_layers for cnf in setting), 0
        for cnf in setting:
            stage: list[nn.Module] = []
            for _ in range(cnf.num_layers):
                one = copy.copy(cnf)
                if stage:
                    one.input_channels, one.stride = one.out_channels, 1
                # The deeper a block, the more often it is dropped.
                stage.append(one.block(one, stochastic_depth_prob * float(made) / total, norm))
                made += 1
            layers.append(nn.Sequential(*stage))
        final = setting[-1].out_channels
        last = 4 * final if last_channel is None else last_channel
        layers.append(Conv2dNormActivation(final, last, 1, **common))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes)
        )
        mobile_weights(self, _by_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


M, F = MBConvConfig, FusedMBConvConfig
# Expansion, kernel, stride, channels in and out, blocks.
B0 = [
    (1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
]  # fmt: skip
# Width, depth, dropout.
SCALES = {
    "efficientnet_b0": (1.0, 1.0, 0.2),
    "efficientnet_b1": (1.0, 1.1, 0.2),
    "efficientnet_b2": (1.1, 1.2, 0.3),
    "efficientnet_b3": (1.2, 1.4, 0.3),
    "efficientnet_b4": (1.4, 1.8, 0.4),
    "efficientnet_b5": (1.6, 2.2, 0.4),
    "efficientnet_b6": (1.8, 2.6, 0.5),
    "efficientnet_b7": (2.0, 3.1, 0.5),
}
V2: dict[str, tuple[float, list[tuple[type[MBConvConfig], tuple[int, ...]]]]] = {
    "efficientnet_v2_s": (0.2, [
        (F, (1, 3, 1, 24, 24, 2)), (F, (4, 3, 2, 24, 48, 4)), (F, (4, 3, 2, 48, 64, 4)),
        (M, (4, 3, 2, 64, 128, 6)), (M, (6, 3, 1, 128, 160, 9)), (M, (6, 3, 2, 160, 256, 15)),
    ]),
    "efficientnet_v2_m": (0.3, [
        (F, (1, 3, 1, 24, 24, 3)), (F, (4, 3, 2, 24, 48, 5)), (F, (4, 3, 2, 48, 80, 5)),
        (M, (4, 3, 2, 80, 160, 7)), (M, (6, 3, 1, 160, 176, 14)), (M, (6, 3, 2, 176, 304, 18)),
        (M, (6, 3, 1, 304, 512, 5)),
    ]),
    "efficientnet_v2_l": (0.4, [
        (F, (1, 3, 1, 32, 32, 4)), (F, (4, 3, 2, 32, 64, 7)), (F, (4, 3, 2, 64, 96, 7)),
        (M, (4, 3, 2, 96, 192, 10)), (M, (6, 3, 1, 192, 224, 19)), (M, (6, 3, 2, 224, 384, 25)),
        (M, (6, 3, 1, 384, 640, 7)),
    ]),
}  # fmt: skip


def _builder(name: str) -> Callable[..., EfficientNet]:
    def build(dropout: float | None = None, **kwargs: Any) -> EfficientNet:
        if name in SCALES:
            width, depth, drop = SCALES[name]
            make: Any = MBConvConfig
            setting: list[Any] = [make(*row, width, depth) for row in B0]
            last, norm = None, partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
            fixed = {"norm_layer": norm} if name[-1] in "567" else {}
        else:
            drop, rows = V2[name]
            stages: Any = rows
            setting, last = [config(*row) for config, row in stages], 1280
            fixed = {"norm_layer": partial(nn.BatchNorm2d, eps=1e-3)}
        drop = drop if dropout is None else dropout
        return EfficientNet(setting, drop, last_channel=last, **{**kwargs, **fixed})

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name.replace('efficientnet', 'EfficientNet')}."
    return register_model()(build)


efficientnet_b0 = _builder("efficientnet_b0")
efficientnet_b1 = _builder("efficientnet_b1")
efficientnet_b2 = _builder("efficientnet_b2")
efficientnet_b3 = _builder("efficientnet_b3")
efficientnet_b4 = _builder("efficientnet_b4")
efficientnet_b5 = _builder("efficientnet_b5")
efficientnet_b6 = _builder("efficientnet_b6")
efficientnet_b7 = _builder("efficientnet_b7")
efficientnet_v2_l = _builder("efficientnet_v2_l")
efficientnet_v2_m = _builder("efficientnet_v2_m")
efficientnet_v2_s = _builder("efficientnet_v2_s")
