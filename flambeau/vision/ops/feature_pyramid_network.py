"""Feature pyramids: maps of several sizes brought to one width, the coarse added to the fine.

Reference: T.-Y. Lin et al., "Feature Pyramid Networks for Object Detection", 2016,
arXiv:1612.03144.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7"]

Names = list[str]


class ExtraFPNBlock(nn.Module):
    """What makes further levels: (results, the maps that came in, names) to (results, names)."""

    def forward(
        self, results: list[Tensor], x: list[Tensor], names: Names
    ) -> tuple[list[Tensor], Names]:
        raise NotImplementedError


class LastLevelMaxPool(ExtraFPNBlock):
    """One more level: every other place of the last."""

    def forward(
        self, results: list[Tensor], x: list[Tensor], names: Names
    ) -> tuple[list[Tensor], Names]:
        pooled = F.max_pool2d(results[-1], kernel_size=1, stride=2, padding=0)
        return [*results, pooled], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Two more levels by strided convolutions, as RetinaNet has them."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for layer in (self.p6, self.p7):
            nn.init.kaiming_uniform_(layer.weight, a=1)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0)
        self.use_P5 = in_channels == out_channels

    def forward(
        self, results: list[Tensor], x: list[Tensor], names: Names
    ) -> tuple[list[Tensor], Names]:
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        return [*results, p6, self.p7(F.relu(p6))], [*names, "p6", "p7"]


class FeaturePyramidNetwork(nn.Module):
    """An ordered dict of maps, fine to coarse, to one of maps of ``out_channels``."""

    def __init__(
        self,
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if 0 in in_channels_list:
            raise ValueError("FeaturePyramidNetwork: in_channels=0 is currently not supported.")

        def layer(channels: int, kernel: int) -> nn.Module:
            return Conv2dNormActivation(
                channels, out_channels, kernel, norm_layer=norm_layer, activation_layer=None
            )

        self.inner_blocks, self.layer_blocks = nn.ModuleList(), nn.ModuleList()
        for channels in in_channels_list:
            self.inner_blocks.append(layer(channels, 1))
            self.layer_blocks.append(layer(out_channels, 3))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, a=1)
                if m.bias is not None:
                    nn.init.constant_(m.bias, 0)
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(
                "FeaturePyramidNetwork: extra_blocks should be of type ExtraFPNBlock, got "
                f"{type(extra_blocks).__name__}."
            )
        self.extra_blocks = extra_blocks

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        names, maps = list(x), list(x.values())
        results: list[Tensor] = []
        above: Tensor | None = None
        for i in reversed(range(len(maps))):
            here = self.inner_blocks[i](maps[i])
            if above is not None:
                here = here + F.interpolate(above, size=here.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[i](here))
            above = here
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results, strict=True))
