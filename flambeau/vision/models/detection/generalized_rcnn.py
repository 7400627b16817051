"""A detector in two stages: a backbone, proposals, heads over them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.detection.transform import check_boxes, check_targets, image_sizes

__all__ = ["GeneralizedRCNN"]


class GeneralizedRCNN(nn.Module):
    """Images of any sizes to detections; in training, with targets, to a dict of losses.

    Shape: a list of (3, H, W) in [0, 1]; targets: dicts of ``boxes`` (N, 4) and ``labels`` (N,).
    """

    def __init__(
        self, backbone: nn.Module, rpn: nn.Module, roi_heads: nn.Module, transform: nn.Module
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def forward(self, images: list[Tensor], targets: list[dict[str, Any]] | None = None) -> Any:
        check_targets(targets, self.training)
        sizes = image_sizes(images)
        batch, targets = self.transform(images, targets)
        check_boxes(targets)
        features = self.backbone(batch.tensors)
        if isinstance(features, Tensor):
            features = OrderedDict([("0", features)])
        proposals, proposal_losses = self.rpn(batch, features, targets)
        found, losses = self.roi_heads(features, proposals, batch.image_sizes, targets)
        if self.training:
            return {**losses, **proposal_losses}
        return self.transform.postprocess(found, batch.image_sizes, sizes)  # type: ignore[operator]
