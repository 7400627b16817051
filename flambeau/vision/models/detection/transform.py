"""What detectors do to images and targets first, and to detections last; and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.detection.image_list import ImageList
from flambeau.vision.models.detection.masks import paste_masks_in_image

__all__ = ["GeneralizedRCNNTransform", "resize_boxes", "resize_keypoints"]

Target = dict[str, Any]


def check_targets(targets: list[Target] | None, training: bool) -> None:
    """Refuse training without targets, or with boxes of another shape.

    Raises:
        AssertionError: as torchvision's ``torch._assert``.
    """
    if not training:
        return
    if targets is None:
        raise AssertionError("targets should not be none when in training mode; pass a list of "
                             "dicts with boxes and labels.")  # fmt: skip
    for target in targets:
        boxes = target["boxes"]
        if not isinstance(boxes, Tensor):
            raise AssertionError(f"Expected target boxes to be of type Tensor, got {type(boxes)}.")
        if boxes.ndim != 2 or boxes.shape[-1] != 4:
            raise AssertionError(
                f"Expected target boxes to be a tensor of shape [N, 4], got {boxes.shape}."
            )


def check_boxes(targets: list[Target] | None) -> None:
    """Refuse boxes without height or width."""
    for index, target in enumerate(targets or ()):
        flat = (target["boxes"][:, 2:] <= target["boxes"][:, :2]).any(dim=1)
        if flat.any():
            first = target["boxes"][torch.where(flat)[0][0]].tolist()
            raise AssertionError(
                "All bounding boxes should have positive height and width. Found invalid box "
                f"{first} for target at index {index}."
            )


def image_sizes(images: list[Tensor]) -> list[tuple[int, int]]:
    """(height, width) of each image."""
    return [(image.shape[-2], image.shape[-1]) for image in images]


class GeneralizedRCNNTransform(nn.Module):
    """Normalize, resize, and pad images to one batch; and take detections back.

    Args:
        min_size: the shorter edge's length; of several one is drawn in training, the last is used
            in evaluation.
        max_size: the longer edge's limit.
        size_divisible: the batch's edges are multiples of this.
        fixed_size: (width, height) for every image instead.
    """

    def __init__(
        self,
        min_size: Any,
        max_size: int,
        image_mean: list[float],
        image_std: list[float],
        size_divisible: int = 32,
        fixed_size: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.min_size = min_size if isinstance(min_size, (list, tuple)) else (min_size,)
        self.max_size = max_size
        self.image_mean = image_mean
        self.image_std = image_std
        self.size_divisible = size_divisible
        self.fixed_size = fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)

    def forward(
        self, images: list[Tensor], targets: list[Target] | None = None
    ) -> tuple[ImageList, list[Target] | None]:
        made = []
        targets = None if targets is None else [dict(target) for target in targets]
        for i, image in enumerate(images):
            if image.dim() != 3:
                raise ValueError(
                    "images is expected to be a list of 3d tensors of shape [C, H, W], got "
                    f"{image.shape}."
                )
            image, target = self.resize(self.normalize(image), targets[i] if targets else None)
            made.append(image)
            if targets is not None and target is not None:
                targets[i] = target
        return ImageList(self.batch_images(made), image_sizes(made)), targets

    def normalize(self, image: Tensor) -> Tensor:
        """(image - mean) / std."""
        if not image.is_floating_point():
            raise TypeError(
                f"Expected input images to be of floating type (in range [0, 1]), but found type "
                f"{image.dtype} instead."
            )
        mean, std = (
            torch.as_tensor(v, dtype=image.dtype)[:, None, None]
            for v in (self.image_mean, self.image_std)
        )
        return (image - mean) / std

    def torch_choice(self, k: Any) -> int:
        """One of several sizes."""
        return k[int(torch.empty(1).uniform_(0.0, float(len(k))).item())]  # type: ignore[no-any-return]

    def resize(self, image: Tensor, target: Target | None = None) -> tuple[Tensor, Target | None]:
        """Image and target in another size."""
        height, width = image.shape[-2:]
        if self.training:
            if self._skip_resize:
                return image, target
            size = self.torch_choice(self.min_size)
        else:
            size = self.min_size[-1]
        how = self._scaling(height, width, size)
        image = F.interpolate(image[None], mode="bilinear", align_corners=False, **how)[0]
        if target is None:
            return image, target
        old, new = [height, width], list(image.shape[-2:])
        if "masks" in target:
            masks = F.interpolate(target["masks"][:, None].float(), **how)[:, 0]
            target["masks"] = masks.byte()
        target["boxes"] = resize_boxes(target["boxes"], old, new)
        if "keypoints" in target:
            target["keypoints"] = resize_keypoints(target["keypoints"], old, new)
        return image, target

    def _scaling(self, height: int, width: int, size: int) -> dict[str, Any]:
        if self.fixed_size is not None:
            return {"size": [self.fixed_size[1], self.fixed_size[0]]}
        edges = torch.tensor([height, width], dtype=torch.float32)
        scale = torch.min(float(size) / edges.min(), float(self.max_size) / edges.max())
        return {"scale_factor": scale.item(), "recompute_scale_factor": True}

    def batch_images(self, images: list[Tensor], size_divisible: int | None = None) -> Tensor:
        """One tensor of all, 0 beyond each."""
        stride = size_divisible or self.size_divisible
        edges = [max(sizes) for sizes in zip(*(list(image.shape) for image in images))]
        edges[1:] = [math.ceil(edge / stride) * stride for edge in edges[1:]]
        batch = images[0].new_full([len(images), *edges], 0)
        for place, image in zip(batch, images):
            place[: image.shape[0], : image.shape[1], : image.shape[2]].copy_(image)
        return batch

    def postprocess(
        self,
        result: list[Target],
        image_shapes: list[tuple[int, int]],
        original_image_sizes: list[tuple[int, int]],
    ) -> list[Target]:
        """Detections in the pixels of the images as they were."""
        if self.training:
            return result
        for found, new, old in zip(result, image_shapes, original_image_sizes):
            found["boxes"] = resize_boxes(found["boxes"], list(new), list(old))
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], old)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], list(new), list(old))
        return result

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(\n    Normalize(mean={self.image_mean}, std={self.image_std})"
            f"\n    Resize(min_size={self.min_size}, max_size={self.max_size}, mode='bilinear')\n)"
        )


def _ratios(old: list[int], new: list[int]) -> Tensor:
    """(along x, along y)."""
    ratios = torch.tensor(new, dtype=torch.float32) / torch.tensor(old, dtype=torch.float32)
    return ratios.flip(0)


def resize_boxes(boxes: Tensor, original_size: list[int], new_size: list[int]) -> Tensor:
    """Boxes in an image of another (height, width)."""
    return (boxes.unflatten(1, (2, 2)) * _ratios(original_size, new_size)).flatten(1)


def resize_keypoints(keypoints: Tensor, original_size: list[int], new_size: list[int]) -> Tensor:
    """Key points (x, y, visible) in an image of another (height, width)."""
    out = keypoints.clone()
    out[..., :2] *= _ratios(original_size, new_size)
    return out
