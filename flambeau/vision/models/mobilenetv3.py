"""MobileNet v3, large and small.

Reference: A. Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models._utils import depthwise, mobile_weights
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.width import make_divisible
from flambeau.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation

__all__ = ["MobileNetV3", "mobilenet_v3_large", "mobilenet_v3_small"]

Layer = Callable[..., nn.Module]


class InvertedResidualConfig:
    """One block: its widths (scaled by ``width_mult``), kernel, gate, activation, stride."""

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """The scaled number of channels, a multiple of eight."""
        return make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """Widen by 1x1, convolve each channel, gate, narrow by 1x1 without activation."""

    def __init__(
        self, cnf: InvertedResidualConfig, norm_layer: Layer, se_layer: Layer | None = None
    ) -> None:
        super().__init__()
        gate = se_layer or partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        hidden = cnf.expanded_channels
        common: dict[str, Any] = {
            "norm_layer": norm_layer,
            "activation_layer": nn.Hardswish if cnf.use_hs else nn.ReLU,
        }
        layers = depthwise(
            cnf.input_channels, hidden, cnf.kernel, cnf.stride, cnf.dilation, **common
        )
        if cnf.use_se:
            layers.append(gate(hidden, make_divisible(hidden // 4, 8)))
        common["activation_layer"] = None
        layers.append(Conv2dNormActivation(hidden, cnf.out_channels, 1, **common))
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result += input
        return result


class MobileNetV3(nn.Module):
    """Gated inverted residuals and a classifier. Shape: (N, 3, H, W) to (N, num_classes)."""

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("MobileNetV3: expected inverted_residual_setting not to be empty.")
        if not all(isinstance(s, InvertedResidualConfig) for s in setting):
            raise TypeError(
                "MobileNetV3: expected inverted_residual_setting to be a list of "
                f"InvertedResidualConfig, got {setting}."
            )
        block = block or InvertedResidual
        norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        common: dict[str, Any] = {"norm_layer": norm, "activation_layer": nn.Hardswish}
        final = setting[-1].out_channels
        self.features = nn.Sequential(
            Conv2dNormActivation(3, setting[0].input_channels, stride=2, **common),
            *(block(cnf, norm) for cnf in setting),
            Conv2dNormActivation(final, 6 * final, 1, **common),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * final, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        mobile_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# Channels in, kernel, expanded, out, gate, activation, stride; and where the reduced tail begins.
PLANS: dict[str, list[tuple[int, int, int, int, bool, str, int]]] = {
    "mobilenet_v3_large": [
        (16, 3, 16, 16, False, "RE", 1), (16, 3, 64, 24, False, "RE", 2),
        (24, 3, 72, 24, False, "RE", 1), (24, 5, 72, 40, True, "RE", 2),
        (40, 5, 120, 40, True, "RE", 1), (40, 5, 120, 40, True, "RE", 1),
        (40, 3, 240, 80, False, "HS", 2), (80, 3, 200, 80, False, "HS", 1),
        (80, 3, 184, 80, False, "HS", 1), (80, 3, 184, 80, False, "HS", 1),
        (80, 3, 480, 112, True, "HS", 1), (112, 3, 672, 112, True, "HS", 1),
        (112, 5, 672, 160, True, "HS", 2), (160, 5, 960, 160, True, "HS", 1),
        (160, 5, 960, 160, True, "HS", 1),
    ],
    "mobilenet_v3_small": [
        (16, 3, 16, 16, True, "RE", 2), (16, 3, 72, 24, False, "RE", 2),
        (24, 3, 88, 24, False, "RE", 1), (24, 5, 96, 40, True, "HS", 2),
        (40, 5, 240, 40, True, "HS", 1), (40, 5, 240, 40, True, "HS", 1),
        (40, 5, 120, 48, True, "HS", 1), (48, 5, 144, 48, True, "HS", 1),
        (48, 5, 288, 96, True, "HS", 2), (96, 5, 576, 96, True, "HS", 1),
        (96, 5, 576, 96, True, "HS", 1),
    ],
}  # fmt: skip
LAST = {"mobilenet_v3_large": 1280, "mobilenet_v3_small": 1024}


def _build(
    arch: str,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> MobileNetV3:
    """``reduced_tail`` halves the last three blocks, ``dilated`` keeps their stride at 1."""
    cut, dilation = (2 if reduced_tail else 1), (2 if dilated else 1)
    setting, tail = [], len(PLANS[arch]) - 3
    for i, (before, kernel, wide, out, gate, activation, stride) in enumerate(PLANS[arch]):
        if i >= tail:
            out //= cut
        if i > tail:
            before, wide = before // cut, wide // cut
        setting.append(
            InvertedResidualConfig(
                before,
                kernel,
                wide,
                out,
                gate,
                activation,
                stride,
                dilation if i >= tail else 1,
                width_mult,
            )
        )
    last = InvertedResidualConfig.adjust_channels(LAST[arch] // cut, width_mult)
    return MobileNetV3(setting, last, **kwargs)


@register_model()
def mobilenet_v3_large(**kwargs: Any) -> MobileNetV3:
    """MobileNet v3, large."""
    return _build("mobilenet_v3_large", **kwargs)


@register_model()
def mobilenet_v3_small(**kwargs: Any) -> MobileNetV3:
    """MobileNet v3, small."""
    return _build("mobilenet_v3_small", **kwargs)
