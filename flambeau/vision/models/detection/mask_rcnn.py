"""Mask R-CNN: Faster R-CNN that also finds each object's mask.

Reference: K. He et al., "Mask R-CNN", 2017, arXiv:1703.06870.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.vision.models.detection.faster_rcnn import (
    FasterRCNN,
    init_convolutions,
    registered,
    resnet50_fpn,
    second_version,
)
from flambeau.vision.models.detection.rpn import renamed
from flambeau.vision.ops.misc import Conv2dNormActivation
from flambeau.vision.ops.poolers import MultiScaleRoIAlign

__all__ = ["MaskRCNN", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"]


class MaskRCNN(FasterRCNN):
    """Faster R-CNN with a third head for masks; targets have ``masks`` (N, H, W) too."""

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        *args: Any,
        mask_roi_pool: Any = None,
        mask_head: Any = None,
        mask_predictor: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(mask_roi_pool, (MultiScaleRoIAlign, type(None))):
            raise TypeError("mask_roi_pool should be of type MultiScaleRoIAlign or None instead of "
                            f"{type(mask_roi_pool)}")  # fmt: skip
        if num_classes is not None and mask_predictor is not None:
            raise ValueError("num_classes should be None when mask_predictor is specified")
        pool = mask_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        head = mask_head or MaskRCNNHeads(backbone.out_channels, (256, 256, 256, 256), 1)
        if mask_predictor is None:
            assert num_classes is not None
            mask_predictor = MaskRCNNPredictor(256, 256, num_classes)
        super().__init__(backbone, num_classes, *args, **kwargs)
        heads: Any = self.roi_heads
        heads.mask_roi_pool = pool
        heads.mask_head = head
        heads.mask_predictor = mask_predictor


class MaskRCNNHeads(nn.Sequential):
    """3x3 convolutions over a region's features."""

    _version = 2

    def __init__(
        self,
        in_channels: int,
        layers: Any,
        dilation: int,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        blocks = []
        for width in layers:
            blocks.append(
                Conv2dNormActivation(
                    in_channels,
                    width,
                    3,
                    padding=dilation,
                    dilation=dilation,
                    norm_layer=norm_layer,
                )
            )
            in_channels = width
        super().__init__(*blocks)
        init_convolutions(self)

    def _load_from_state_dict(
        self, state_dict: dict, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        names = {f"mask_fcn{i + 1}": f"{i}.0" for i in range(len(self))}
        renamed(state_dict, prefix, names, local_metadata)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class MaskRCNNPredictor(nn.Sequential):
    """A mask for each class, twice the size."""

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        super().__init__(
            OrderedDict([
                ("conv5_mask", nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0)),
                ("relu", nn.ReLU(inplace=True)),
                ("mask_fcn_logits", nn.Conv2d(dim_reduced, num_classes, 1, 1, 0)),
            ])
        )  # fmt: skip
        for name, parameter in self.named_parameters():
            if "weight" in name:
                nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")


@registered(old=True)
def maskrcnn_resnet50_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> MaskRCNN:
    """Mask R-CNN over ResNet-50."""
    backbone = resnet50_fpn(weights_backbone, trainable_backbone_layers, trained)
    return MaskRCNN(backbone, num_classes=num_classes or 91, **kwargs)


@registered(first=None)
def maskrcnn_resnet50_fpn_v2(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> MaskRCNN:
    """Mask R-CNN over ResNet-50, with deeper, normalized heads."""
    norm = nn.BatchNorm2d
    backbone = resnet50_fpn(
        weights_backbone, trainable_backbone_layers, trained, norm, norm_layer=norm
    )
    heads = second_version(backbone)
    heads["mask_head"] = MaskRCNNHeads(backbone.out_channels, [256] * 4, 1, norm_layer=norm)
    return MaskRCNN(backbone, num_classes=num_classes or 91, **heads, **kwargs)
