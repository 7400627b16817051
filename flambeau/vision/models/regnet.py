"""RegNet: networks whose widths grow linearly, X without gates and Y with them.

Reference: I. Radosavovic et al., "Designing Network Design Spaces", 2020, arXiv:2003.13678.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.width import make_divisible
from flambeau.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation

Layer = Callable[..., nn.Module]


class BlockParams(NamedTuple):
    """What the four stages are: depths, widths, widths of a group, and the share of gates."""

    depths: list[int]
    widths: list[int]
    group_widths: list[int]
    bottleneck_multipliers: list[float]
    strides: list[int]
    se_ratio: float | None = None

    @classmethod
    def from_init_params(
        cls,
        depth: int,
        w_0: int,
        w_a: float,
        w_m: float,
        group_width: int,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> BlockParams:
        """Stages from the paper's parameters: block i wants the width ``w_0 + w_a i``, rounded
        to the nearest ``w_0 w_m^k`` and to a multiple of eight; equal neighbours are a stage.

        Raises:
            ValueError: parameters for which widths do not grow.
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8 != 0:
            raise ValueError(
                "RegNet: expected w_a >= 0, w_0 a positive multiple of 8 and w_m > 1, got "
                f"{w_a}, {w_0}, {w_m}."
            )
        powers = [round(math.log((w_0 + w_a * i) / w_0) / math.log(w_m)) for i in range(depth)]
        blocks = [int(round(w_0 * w_m**k / 8) * 8) for k in powers]
        widths, depths = zip(*((w, len(list(same))) for w, same in groupby(blocks)), strict=True)
        fitted, groups = [], []
        for width in widths:  # a multiple of its groups' width
            inner = int(width * bottleneck_multiplier)
            group = min(group_width, inner)
            fitted.append(int(make_divisible(inner, group) / bottleneck_multiplier))
            groups.append(group)
        n = len(widths)
        multipliers = [bottleneck_multiplier] * n
        return cls(list(depths), fitted, groups, multipliers, [2] * n, se_ratio)


class SimpleStemIN(Conv2dNormActivation):
    """3x3 convolution of stride 2, normalization, activation."""

    def __init__(
        self, width_in: int, width_out: int, norm_layer: Layer, activation_layer: Layer
    ) -> None:
        super().__init__(
            width_in, width_out, 3, 2, norm_layer=norm_layer, activation_layer=activation_layer
        )


class BottleneckTransform(nn.Sequential):
    """1x1, grouped 3x3 (which carries the stride), a gate where one is asked for, 1x1."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None,
    ) -> None:
        super().__init__()
        inner = round(width_out * bottleneck_multiplier)
        common: dict[str, Any] = {"norm_layer": norm_layer, "activation_layer": activation_layer}
        self.a = Conv2dNormActivation(width_in, inner, 1, **common)
        self.b = Conv2dNormActivation(
            inner, inner, 3, stride, groups=inner // group_width, **common
        )
        if se_ratio:
            squeeze = round(se_ratio * width_in)
            self.se = SqueezeExcitation(inner, squeeze, activation=activation_layer)
        common["activation_layer"] = None
        self.c = Conv2dNormActivation(inner, width_out, 1, **common)


class ResBottleneckBlock(nn.Module):
    """A bottleneck and the way around it."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int = 1,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in, width_out, 1, stride, norm_layer=norm_layer, activation_layer=None
            )
        self.f = BottleneckTransform(
            width_in,
            width_out,
            stride,
            norm_layer,
            activation_layer,
            group_width,
            bottleneck_multiplier,
            se_ratio,
        )
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        around = x if self.proj is None else self.proj(x)
        return self.activation(around + self.f(x))


class RegNet(nn.Module):
    """A stem, stages of residual blocks, a mean, a linear classifier.

    Shape: (N, 3, H, W) to (N, num_classes).
    """

    def __init__(
        self,
        block_params: BlockParams,
        num_classes: int = 1000,
        stem_width: int = 32,
        stem_type: Layer | None = None,
        block_type: Layer | None = None,
        norm_layer: Layer | None = None,
        activation: Layer | None = None,
    ) -> None:
        super().__init__()
        norm, act = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        block = block_type or ResBottleneckBlock
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm, act)
        width, se_ratio = stem_width, block_params.se_ratio
        self.trunk_output = nn.Sequential()
        for i, (depth, out, group, multiplier, stride) in enumerate(zip(*block_params[:5]), 1):
            stage = nn.Sequential()
            for j in range(depth):
                step = 1 if j else stride
                stage.add_module(
                    f"block{i}-{j}", block(width, out, step, norm, act, group, multiplier, se_ratio)
                )
                width = out
            self.trunk_output.add_module(f"block{i}", stage)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                fan_out = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                nn.init.normal_(m.weight, 0.0, math.sqrt(2.0 / fan_out))
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0.0, 0.01)
                nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.trunk_output(self.stem(x))  # N, width, H/32, W/32
        return self.fc(self.avgpool(x).flatten(1))


# Depth, w_0, w_a, w_m, width of a group, share of the gates.
SIZES: dict[str, tuple[int, int, float, float, int, float | None]] = {
    "regnet_x_16gf": (22, 216, 55.59, 2.1, 128, None),
    "regnet_x_1_6gf": (18, 80, 34.01, 2.25, 24, None),
    "regnet_x_32gf": (23, 320, 69.86, 2.0, 168, None),
    "regnet_x_3_2gf": (25, 88, 26.31, 2.25, 48, None),
    "regnet_x_400mf": (22, 24, 24.48, 2.54, 16, None),
    "regnet_x_800mf": (16, 56, 35.73, 2.28, 16, None),
    "regnet_x_8gf": (23, 80, 49.56, 2.88, 120, None),
    "regnet_y_128gf": (27, 456, 160.83, 2.52, 264, 0.25),
    "regnet_y_16gf": (18, 200, 106.23, 2.48, 112, 0.25),
    "regnet_y_1_6gf": (27, 48, 20.71, 2.65, 24, 0.25),
    "regnet_y_32gf": (20, 232, 115.89, 2.53, 232, 0.25),
    "regnet_y_3_2gf": (21, 80, 42.63, 2.66, 24, 0.25),
    "regnet_y_400mf": (16, 48, 27.89, 2.09, 8, 0.25),
    "regnet_y_800mf": (14, 56, 38.84, 2.4, 16, 0.25),
    "regnet_y_8gf": (17, 192, 76.82, 2.19, 56, 0.25),
}


def _builder(name: str) -> Callable[..., RegNet]:
    depth, w_0, w_a, w_m, group_width, se_ratio = SIZES[name]

    def build(**kwargs: Any) -> RegNet:
        kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=1e-05, momentum=0.1))
        stages = BlockParams.from_init_params(depth, w_0, w_a, w_m, group_width, se_ratio=se_ratio)
        return RegNet(stages, **kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: {depth} blocks."
    return register_model()(build)


regnet_x_16gf = _builder("regnet_x_16gf")
regnet_x_1_6gf = _builder("regnet_x_1_6gf")
regnet_x_32gf = _builder("regnet_x_32gf")
regnet_x_3_2gf = _builder("regnet_x_3_2gf")
regnet_x_400mf = _builder("regnet_x_400mf")
regnet_x_800mf = _builder("regnet_x_800mf")
regnet_x_8gf = _builder("regnet_x_8gf")
regnet_y_128gf = _builder("regnet_y_128gf")
regnet_y_16gf = _builder("regnet_y_16gf")
regnet_y_1_6gf = _builder("regnet_y_1_6gf")
regnet_y_32gf = _builder("regnet_y_32gf")
regnet_y_3_2gf = _builder("regnet_y_3_2gf")
regnet_y_400mf = _builder("regnet_y_400mf")
regnet_y_800mf = _builder("regnet_y_800mf")
regnet_y_8gf = _builder("regnet_y_8gf")

__all__ = [
    "RegNet",
    "regnet_x_16gf",
    "regnet_x_1_6gf",
    "regnet_x_32gf",
    "regnet_x_3_2gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_x_8gf",
    "regnet_y_128gf",
    "regnet_y_16gf",
    "regnet_y_1_6gf",
    "regnet_y_32gf",
    "regnet_y_3_2gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "regnet_y_8gf",
]
