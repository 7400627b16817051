"""COCO's format: a folder of images and one JSON file of what is in them. Nothing else is needed.

Reference: T.-Y. Lin et al., "Microsoft COCO", 2014, arXiv:1405.0312.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.pillow import pillow

__all__ = ["CocoCaptions", "CocoDetection"]


class _Notes:
    """An annotation file: its images, annotations and categories by their ids."""

    def __init__(self, path: Any) -> None:
        with open(path, encoding="utf-8") as file:
            self.dataset: dict[str, Any] = json.load(file)
        self.imgs, self.anns, self.cats = (
            {each["id"]: each for each in self.dataset.get(part, ())}
            for part in ("images", "annotations", "categories")
        )
        self.imgToAnns: dict[int, list[Any]] = {}
        for each in self.dataset.get("annotations", ()):
            self.imgToAnns.setdefault(each["image_id"], []).append(each)


class CocoDetection(VisionDataset):
    """Samples (image, list of annotations), by the images' ids.

    Args:
        annFile: the JSON file.
    """

    def __init__(
        self,
        root: Any,
        annFile: str,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        transforms: Callable | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.coco = _Notes(annFile)
        self.ids = sorted(self.coco.imgs)

    def _target(self, id: int) -> list[Any]:
        return self.coco.imgToAnns.get(id, [])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not isinstance(index, int):
            raise ValueError(f"Index must be of type integer, got {type(index).__name__} instead.")
        id = self.ids[index]
        path = os.path.join(self.root, self.coco.imgs[id]["file_name"])
        image, target = pillow().open(path).convert("RGB"), self._target(id)
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """Samples (image, list of captions)."""

    def _target(self, id: int) -> list[str]:
        return [each["caption"] for each in super()._target(id)]
