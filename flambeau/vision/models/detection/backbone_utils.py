"""Classification models as detectors' backbones: some layers trained, feature pyramids on top."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.vision.models._utils import IntermediateLayerGetter
from flambeau.vision.models.registry import get_model, on_backbone
from flambeau.vision.models.segmentation.base import stages
from flambeau.vision.ops.feature_pyramid_network import (
    ExtraFPNBlock,
    FeaturePyramidNetwork,
    LastLevelMaxPool,
)
from flambeau.vision.ops.misc import FrozenBatchNorm2d

__all__ = ["BackboneWithFPN", "mobilenet_backbone", "resnet_fpn_backbone"]

Norm = Callable[..., nn.Module]


class BackboneWithFPN(nn.Module):
    """The layers of a backbone that are asked for, and a feature pyramid over them."""

    def __init__(
        self,
        backbone: nn.Module,
        return_layers: dict[str, str],
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers)
        self.fpn = FeaturePyramidNetwork(
            in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer
        )
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.fpn(self.body(x))  # type: ignore[no-any-return]


def _check_layers(trainable: int, most: int) -> None:
    if not 0 <= trainable <= most:
        raise ValueError(f"Trainable layers should be in the range [0,{most}], got {trainable}.")


def trainable(is_trained: bool, layers: int | None, most: int, usual: int) -> int:
    """How many layers are trained: all of a backbone that is not.

    Warns:
        UserWarning: a number is given for a backbone whose weights are not trained.
    """
    if not is_trained:
        if layers is not None:
            warnings.warn(
                "Changing trainable_backbone_layers has no effect if neither pretrained nor "
                f"pretrained_backbone have been set to True, falling back to "
                f"trainable_backbone_layers={most} so that all layers are trainable",
                stacklevel=stack_level(),
            )
        return most
    chosen = usual if layers is None else layers
    if not 0 <= chosen <= most:
        raise ValueError(
            f"Trainable backbone layers should be in the range [0,{most}], got {chosen} "
        )
    return chosen


def resnet_extractor(
    backbone: Any,
    trainable_layers: int,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Norm | None = None,
) -> BackboneWithFPN:
    """A ResNet with a feature pyramid of 256 channels over the stages asked for."""
    _check_layers(trainable_layers, 5)
    trained = ["layer4", "layer3", "layer2", "layer1", "conv1"][:trainable_layers]
    trained += ["bn1"] if trainable_layers == 5 else []
    for name, parameter in backbone.named_parameters():
        if not name.startswith(tuple(trained)):
            parameter.requires_grad_(False)
    chosen = [1, 2, 3, 4] if returned_layers is None else returned_layers
    if min(chosen) <= 0 or max(chosen) >= 5:
        raise ValueError(f"Each returned layer should be in the range [1,4]. Got {chosen}")
    layers = {f"layer{k}": str(i) for i, k in enumerate(chosen)}
    first = backbone.inplanes // 8
    widths = [first * 2 ** (k - 1) for k in chosen]
    return BackboneWithFPN(backbone, layers, widths, 256, extra_blocks, norm_layer)


@on_backbone
def resnet_fpn_backbone(
    *,
    backbone_name: str,
    weights: Any,
    norm_layer: Norm = FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> BackboneWithFPN:
    """A ResNet by name with a feature pyramid; ``trainable_layers`` counts from the last."""
    backbone = get_model(backbone_name, weights=weights, norm_layer=norm_layer)
    return resnet_extractor(backbone, trainable_layers, returned_layers, extra_blocks)


def freeze(features: Any, trainable_layers: int, starts: list[int]) -> None:
    """Leave only the last stages to be trained; ``starts`` says where each begins."""
    _check_layers(trainable_layers, len(starts))
    first = starts[len(starts) - trainable_layers] if trainable_layers else len(features)
    for block in features[:first]:
        for parameter in block.parameters():
            parameter.requires_grad_(False)


def mobilenet_extractor(
    backbone: Any,
    fpn: bool,
    trainable_layers: int,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Norm | None = None,
) -> nn.Module:
    """A MobileNet's features, with a feature pyramid or one 1x1 convolution over them."""
    features = backbone.features
    starts = stages(features)
    freeze(features, trainable_layers, starts)
    if not fpn:
        last = nn.Conv2d(features[-1].out_channels, 256, 1)
        made = nn.Sequential(features, last)
        made.out_channels = 256  # type: ignore[assignment]
        return made
    count = len(starts)
    chosen = [count - 2, count - 1] if returned_layers is None else returned_layers
    if min(chosen) < 0 or max(chosen) >= count:
        raise ValueError(f"Each returned layer should be in the range [0,{count - 1}], "
                         f"got {chosen} ")  # fmt: skip
    layers = {str(starts[k]): str(i) for i, k in enumerate(chosen)}
    widths = [features[starts[k]].out_channels for k in chosen]
    return BackboneWithFPN(features, layers, widths, 256, extra_blocks, norm_layer)


@on_backbone
def mobilenet_backbone(
    *,
    backbone_name: str,
    weights: Any,
    fpn: bool,
    norm_layer: Norm = FrozenBatchNorm2d,
    trainable_layers: int = 2,
    returned_layers: list[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> nn.Module:
    """A MobileNet by name as a backbone."""
    backbone = get_model(backbone_name, weights=weights, norm_layer=norm_layer)
    return mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)
