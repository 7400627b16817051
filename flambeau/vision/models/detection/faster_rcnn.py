"""Faster R-CNN over ResNet-50 and MobileNet v3 with feature pyramids.

Reference: S. Ren et al., 2015, arXiv:1506.01497; the second version: Y. Li et al., "Benchmarking
Detection Transfer Learning with Vision Transformers", 2021, arXiv:2111.11429.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection._utils import overwrite_eps
from flambeau.vision.models.detection.anchor_utils import AnchorGenerator
from flambeau.vision.models.detection.backbone_utils import (
    mobilenet_extractor,
    resnet_extractor,
    trainable,
)
from flambeau.vision.models.detection.generalized_rcnn import GeneralizedRCNN
from flambeau.vision.models.detection.roi_heads import RoIHeads
from flambeau.vision.models.detection.rpn import RegionProposalNetwork, RPNHead
from flambeau.vision.models.detection.transform import GeneralizedRCNNTransform
from flambeau.vision.models.registry import get_model, register_model
from flambeau.vision.ops.feature_pyramid_network import LastLevelP6P7
from flambeau.vision.ops.misc import Conv2dNormActivation, FrozenBatchNorm2d
from flambeau.vision.ops.poolers import MultiScaleRoIAlign

__all__ = [
    "FasterRCNN",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


def default_anchors() -> AnchorGenerator:
    """One size for each of five maps."""
    sizes = ((32,), (64,), (128,), (256,), (512,))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


class FasterRCNN(GeneralizedRCNN):
    """Faster R-CNN over a backbone that says its ``out_channels``.

    Args:
        num_classes: with the background; None where ``box_predictor`` is given.
        rpn_*, box_*: of the proposals and of the heads, see ``RegionProposalNetwork`` and
            ``RoIHeads``.
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        rpn_anchor_generator: Any = None,
        rpn_head: Any = None,
        rpn_pre_nms_top_n_train: int = 2000,
        rpn_pre_nms_top_n_test: int = 1000,
        rpn_post_nms_top_n_train: int = 2000,
        rpn_post_nms_top_n_test: int = 1000,
        rpn_nms_thresh: float = 0.7,
        rpn_fg_iou_thresh: float = 0.7,
        rpn_bg_iou_thresh: float = 0.3,
        rpn_batch_size_per_image: int = 256,
        rpn_positive_fraction: float = 0.5,
        rpn_score_thresh: float = 0.0,
        box_roi_pool: Any = None,
        box_head: Any = None,
        box_predictor: Any = None,
        box_score_thresh: float = 0.05,
        box_nms_thresh: float = 0.5,
        box_detections_per_img: int = 100,
        box_fg_iou_thresh: float = 0.5,
        box_bg_iou_thresh: float = 0.5,
        box_batch_size_per_image: int = 512,
        box_positive_fraction: float = 0.25,
        bbox_reg_weights: Any = None,
        **kwargs: Any,
    ) -> None:
        if not hasattr(backbone, "out_channels"):
            raise ValueError(
                "backbone should contain an attribute out_channels specifying the number of "
                "output channels (assumed to be the same for all the levels)"
            )
        for name, value, kind in (
            ("rpn_anchor_generator", rpn_anchor_generator, AnchorGenerator),
            ("box_roi_pool", box_roi_pool, MultiScaleRoIAlign),
        ):
            if not isinstance(value, (kind, type(None))):
                raise TypeError(
                    f"{name} should be of type {kind.__name__} or None instead of {type(value)}"
                )
        if (num_classes is None) == (box_predictor is None):
            raise ValueError(
                "num_classes should not be None when box_predictor is not specified"
                if num_classes is None
                else "num_classes should be None when box_predictor is specified"
            )
        width = backbone.out_channels
        anchors = rpn_anchor_generator or default_anchors()
        if rpn_head is None:
            rpn_head = RPNHead(width, anchors.num_anchors_per_location()[0])
        proposals = RegionProposalNetwork(
            anchors,
            rpn_head,
            rpn_fg_iou_thresh,
            rpn_bg_iou_thresh,
            rpn_batch_size_per_image,
            rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh,
            score_thresh=rpn_score_thresh,
        )
        pool = box_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
        if box_head is None:
            side = pool.output_size[0]
            box_head = TwoMLPHead(width * side**2, 1024)
        if box_predictor is None:
            assert num_classes is not None
            box_predictor = FastRCNNPredictor(1024, num_classes)
        heads = RoIHeads(
            pool,
            box_head,
            box_predictor,
            box_fg_iou_thresh,
            box_bg_iou_thresh,
            box_batch_size_per_image,
            box_positive_fraction,
            bbox_reg_weights,
            box_score_thresh,
            box_nms_thresh,
            box_detections_per_img,
        )
        transform = GeneralizedRCNNTransform(
            min_size, max_size, image_mean or list(MEAN), image_std or list(STD), **kwargs
        )
        super().__init__(backbone, proposals, heads, transform)


class TwoMLPHead(nn.Module):
    """Two linear layers over a region's features."""

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(start_dim=1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """Convolutions, then linear layers, over a region's features (C, H, W)."""

    def __init__(
        self,
        input_size: tuple[int, int, int],
        conv_layers: list[int],
        fc_layers: list[int],
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        channels, height, width = input_size
        blocks: list[nn.Module] = []
        for out in conv_layers:
            blocks.append(Conv2dNormActivation(channels, out, norm_layer=norm_layer))
            channels = out
        blocks.append(nn.Flatten())
        channels = channels * height * width
        for out in fc_layers:
            blocks += [nn.Linear(channels, out), nn.ReLU(inplace=True)]
            channels = out
        super().__init__(*blocks)
        init_convolutions(self)


def init_convolutions(module: nn.Module) -> None:
    """Convolutions by fan-out, their biases at 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class FastRCNNPredictor(nn.Module):
    """Logits and boxes, of each class one."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.dim() == 4 and tuple(x.shape[2:]) != (1, 1):
            raise AssertionError(
                f"x has the wrong shape, expecting the last two dimensions to be [1,1] instead of "
                f"{list(x.shape[2:])}"
            )
        x = x.flatten(start_dim=1)
        return self.cls_score(x), self.bbox_pred(x)


def trained_on(kwargs: dict[str, Any]) -> Callable[[nn.Module], None]:
    """What trained weights ask of a detector's builder; what is returned finishes the model."""
    kwargs["trained"] = True
    return lambda model: None


def trained_on_old(kwargs: dict[str, Any]) -> Callable[[nn.Module], None]:
    """Likewise, of the first versions: their frozen normalization had no eps."""
    kwargs["trained"] = True
    return lambda model: overwrite_eps(model, 0.0)


def registered(
    *, backbone: str = "resnet50", first: str | None = "pretrained", old: bool = False
) -> Callable[..., Any]:
    """Enter a detector's builder; ``old`` checkpoints had frozen normalization without eps."""

    def wrapper(build: Any) -> Any:
        build.adjust = trained_on_old if old else trained_on
        return register_model(backbone=backbone, first=first)(build)

    return wrapper


def resnet50_fpn(
    weights_backbone: Any,
    layers: int | None,
    trained: bool,
    norm: Any = None,
    further: tuple[int, int] | None = None,
    **options: Any,
) -> Any:
    """ResNet-50 with a pyramid.

    Args:
        norm: default: frozen where weights are trained.
        further: the widths of two more levels by convolutions.
    """
    is_trained = trained or weights_backbone is not None
    count = trainable(is_trained, layers, 5, 3)
    norm = norm or (FrozenBatchNorm2d if is_trained else nn.BatchNorm2d)
    backbone = get_model("resnet50", weights=weights_backbone, norm_layer=norm)
    if further is not None:  # after the backbone: so are its first weights drawn
        options["extra_blocks"] = LastLevelP6P7(*further)
    return resnet_extractor(backbone, count, **options)


def second_version(backbone: Any) -> dict[str, Any]:
    """The anchors and heads of the second versions: deeper, normalized."""
    anchors = default_anchors()
    head = RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0], conv_depth=2)
    box_head = FastRCNNConvFCHead(
        (backbone.out_channels, 7, 7), [256] * 4, [1024], norm_layer=nn.BatchNorm2d
    )
    return {"rpn_anchor_generator": anchors, "rpn_head": head, "box_head": box_head}


@registered(old=True)
def fasterrcnn_resnet50_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN over ResNet-50."""
    backbone = resnet50_fpn(weights_backbone, trainable_backbone_layers, trained)
    return FasterRCNN(backbone, num_classes=num_classes or 91, **kwargs)


@registered(first=None)
def fasterrcnn_resnet50_fpn_v2(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN over ResNet-50, with deeper, normalized heads."""
    backbone = resnet50_fpn(
        weights_backbone,
        trainable_backbone_layers,
        trained,
        nn.BatchNorm2d,
        norm_layer=nn.BatchNorm2d,
    )
    heads = second_version(backbone)
    return FasterRCNN(backbone, num_classes=num_classes or 91, **heads, **kwargs)


def _mobilenet(
    num_classes: int | None,
    weights_backbone: Any,
    layers: int | None,
    trained: bool,
    kwargs: dict[str, Any],
) -> FasterRCNN:
    is_trained = trained or weights_backbone is not None
    count = trainable(is_trained, layers, 6, 3)
    norm = FrozenBatchNorm2d if is_trained else nn.BatchNorm2d
    features = get_model("mobilenet_v3_large", weights=weights_backbone, norm_layer=norm)
    backbone = mobilenet_extractor(features, True, count)
    sizes = ((32, 64, 128, 256, 512),) * 3
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
    return FasterRCNN(backbone, num_classes or 91, rpn_anchor_generator=anchors, **kwargs)


@registered(backbone="mobilenet_v3_large")
def fasterrcnn_mobilenet_v3_large_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN over MobileNet v3, large."""
    options = {"rpn_score_thresh": 0.05, **kwargs}
    return _mobilenet(num_classes, weights_backbone, trainable_backbone_layers, trained, options)


@registered(backbone="mobilenet_v3_large")
def fasterrcnn_mobilenet_v3_large_320_fpn(
    *,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    trained: bool = False,
    **kwargs: Any,
) -> FasterRCNN:
    """Faster R-CNN over MobileNet v3, large, for images of 320 pixels."""
    options = {
        "min_size": 320,
        "max_size": 640,
        "rpn_pre_nms_top_n_test": 150,
        "rpn_post_nms_top_n_test": 150,
        "rpn_score_thresh": 0.05,
        **kwargs,
    }
    return _mobilenet(num_classes, weights_backbone, trainable_backbone_layers, trained, options)
