"""MNASNet.

Reference: M. Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2018,
arXiv:1807.11626.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.registry import register_model
from flambeau.vision.models.width import make_divisible

__all__ = ["MNASNet", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"]

MOMENTUM = 1 - 0.9997  # the paper's decay, written as PyTorch's momentum
# Kernel, stride of the first block, expansion, blocks.
STACKS = [(3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1)]


def _conv(inp: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inp, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out, momentum=MOMENTUM)]


class _InvertedResidual(nn.Module):
    """Widen by 1x1, convolve each channel, narrow by 1x1 without activation."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inp * expansion
        self.apply_residual = inp == out and stride == 1
        self.layers = nn.Sequential(
            *_conv(inp, hidden),
            nn.ReLU(inplace=True),
            *_conv(hidden, hidden, kernel, stride, groups=hidden),
            nn.ReLU(inplace=True),
            *_conv(hidden, out),
        )

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


class MNASNet(nn.Module):
    """MNASNet of width ``alpha``. Shape: (N, 3, H, W) to (N, num_classes)."""

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0.0:
            raise ValueError(f"MNASNet: expected alpha greater than 0, got {alpha}.")
        self.alpha = alpha
        self.num_classes = num_classes
        widths = [make_divisible(w * alpha, 8) for w in (32, 16, 24, 40, 80, 96, 192, 320)]
        stem, first = widths[:2]
        layers: list[nn.Module] = [
            *_conv(3, stem, 3, 2),
            nn.ReLU(inplace=True),
            *_conv(stem, stem, 3, groups=stem),
            nn.ReLU(inplace=True),
            *_conv(stem, first),
        ]
        for inp, out, (kernel, stride, expansion, count) in zip(widths[1:], widths[2:], STACKS):
            blocks = [_InvertedResidual(inp, out, kernel, stride, expansion)]
            for _ in range(1, count):
                blocks.append(_InvertedResidual(out, out, kernel, 1, expansion))
            layers.append(nn.Sequential(*blocks))
        layers += [*_conv(widths[-1], 1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes)
        )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, mode="fan_out", nonlinearity="sigmoid")
                nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean([2, 3]))


def _builder(name: str, alpha: float) -> Callable[..., MNASNet]:
    def build(**kwargs: Any) -> MNASNet:
        return MNASNet(alpha, **kwargs)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name}: MNASNet of width {alpha}."
    return register_model()(build)


mnasnet0_5 = _builder("mnasnet0_5", 0.5)
mnasnet0_75 = _builder("mnasnet0_75", 0.75)
mnasnet1_0 = _builder("mnasnet1_0", 1.0)
mnasnet1_3 = _builder("mnasnet1_3", 1.3)
