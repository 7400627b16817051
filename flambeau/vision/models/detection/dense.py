"""A detector in one stage: a backbone and a head that says of every anchor what it holds.

What RetinaNet, FCOS and SSD share; what they make of the head's outputs is theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.models.detection.image_list import ImageList
from flambeau.vision.models.detection.transform import check_boxes, check_targets, image_sizes
from flambeau.vision.ops.boxes import batched_nms, clip_boxes_to_image

__all__ = ["DenseDetector", "best_of_levels", "gaussian_init"]

Outputs = dict[str, Tensor]
Target = dict[str, Any]


class DenseDetector(nn.Module):
    """Images of any sizes to detections; in training, with targets, to a dict of losses."""

    backbone: nn.Module
    anchor_generator: nn.Module
    head: nn.Module
    transform: Any

    def losses(
        self,
        targets: list[Target],
        outputs: Outputs,
        anchors: list[Tensor],
        per_level: list[int],
    ) -> Outputs:
        """The losses of a batch; ``per_level`` counts the anchors of each feature map."""
        raise NotImplementedError

    def found(
        self, outputs: Outputs, anchors: list[Tensor], images: ImageList, per_level: list[int]
    ) -> list[Target]:
        """The detections of each image."""
        raise NotImplementedError

    def forward(self, images: list[Tensor], targets: list[Target] | None = None) -> Any:
        check_targets(targets, self.training)
        sizes = image_sizes(images)
        batch, targets = self.transform(images, targets)
        check_boxes(targets)
        features = self.backbone(batch.tensors)
        if isinstance(features, Tensor):
            features = OrderedDict([("0", features)])
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(batch, maps)
        places = [each.shape[-2] * each.shape[-1] for each in maps]
        rows = next(iter(outputs.values())).shape[1]
        per_level = [n * (rows // sum(places)) for n in places]
        if self.training:
            assert targets is not None
            return self.losses(targets, outputs, anchors, per_level)
        found = self.found(outputs, anchors, batch, per_level)
        return self.transform.postprocess(found, batch.image_sizes, sizes)


def best_of_levels(
    model: Any,
    scores: list[Tensor],
    boxes: list[Tensor],
    anchors: list[Tensor],
    size: tuple[int, int],
    decode: Callable[[Tensor, Tensor], Tensor],
) -> Target:
    """Of one image: from each feature map the best classes of anchors, then suppression.

    Args:
        model: has ``score_thresh``, ``topk_candidates``, ``nms_thresh``, ``detections_per_img``.
        scores, boxes, anchors: of each map: (anchors, classes), (anchors, 4) both.
    """
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for score, box, anchor in zip(scores, boxes, anchors):
        classes = score.shape[-1]
        flat = score.flatten()
        (index,) = torch.where(flat > model.score_thresh)
        flat, order = flat[index].topk(min(len(index), model.topk_candidates))
        index = index[order]
        row = torch.div(index, classes, rounding_mode="floor")
        found = clip_boxes_to_image(decode(box[row], anchor[row]), size)
        parts.append((found, flat, index % classes))
    found, flat, label = (torch.cat(each, dim=0) for each in zip(*parts))
    keep = batched_nms(found, flat, label, model.nms_thresh)[: model.detections_per_img]
    return {"boxes": found[keep], "scores": flat[keep], "labels": label[keep]}


def gaussian_init(module: nn.Module, std: float = 0.01) -> None:
    """Convolutions of normal weights, biases at 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0)
