"""Data sets whose targets become the tensors that ``transforms.v2`` takes: boxes, masks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import flambeau as torch
from flambeau.vision import tv_tensors
from flambeau.vision.datasets.arrays import SEMEION, STL10, USPS, MovingMNIST
from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.cifar import CIFAR10
from flambeau.vision.datasets.coco import CocoCaptions, CocoDetection
from flambeau.vision.datasets.fake import FakeData
from flambeau.vision.datasets.folder import DatasetFolder
from flambeau.vision.datasets.listed import Listed, OxfordIIITPet
from flambeau.vision.datasets.mnist import MNIST
from flambeau.vision.datasets.svhn import SVHN
from flambeau.vision.datasets.voc import VOCDetection, VOCSegmentation

__all__ = ["wrap_dataset_for_transforms_v2"]

Wrapper = Callable[[int, Any], Any]
_CLASSES = (
    "__background__", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
    "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep",
    "sofa", "train", "tvmonitor",
)  # fmt: skip


def _same(dataset: Any, keys: Any) -> Wrapper:
    return lambda index, sample: sample


def _keys(wanted: Any, usual: set[str], known: set[str]) -> set[str]:
    """The keys of targets that are wanted, of those that are known."""
    if wanted is None:
        return usual
    if wanted == "all":
        return known
    if isinstance(wanted, str) or not isinstance(wanted, Collection):
        raise ValueError(f"`target_keys` can be None, 'all', or a collection of strings denoting "
                         f"the keys to be returned, but got {wanted}")  # fmt: skip
    if extra := set(wanted) - known:
        raise ValueError(f"Target keys {sorted(extra)} are not available")
    return set(wanted)


def _boxes(values: Any, format: str, image: Any) -> Any:
    from flambeau.vision.transforms.v2 import functional as F

    made = tv_tensors.BoundingBoxes(values, format=format, canvas_size=tuple(F.get_size(image)))
    return F.convert_bounding_box_format(made, new_format="XYXY")


def _coco(dataset: Any, keys: Any) -> Wrapper:
    known = {"id", "image_id", "area", "iscrowd", "bbox", "category_id", "segmentation"}
    known |= {"boxes", "labels"}
    chosen = _keys(keys, {"image_id", "boxes", "labels"}, known | {"masks"})
    if "masks" in chosen and keys != "all":
        raise NotImplementedError(
            "wrap_dataset_for_transforms_v2: COCO's polygons are not drawn as masks yet; the key "
            "'segmentation' gives them as they are."
        )

    def wrapped(index: int, sample: Any) -> Any:
        image, rows = sample
        out: dict[str, Any] = {}
        if "image_id" in chosen:
            out["image_id"] = dataset.ids[index]
        if not rows:
            return image, {"image_id": dataset.ids[index]}
        for key in chosen & (known - {"image_id", "boxes", "labels"}):
            out[key] = [row[key] for row in rows]
        if "boxes" in chosen:
            out["boxes"] = _boxes([row["bbox"] for row in rows], "XYWH", image)
        if "labels" in chosen:
            out["labels"] = torch.tensor([row["category_id"] for row in rows])
        return image, out

    return wrapped


def _voc_detection(dataset: Any, keys: Any) -> Wrapper:
    chosen = _keys(keys, {"boxes", "labels"}, {"annotation", "boxes", "labels"})

    def wrapped(index: int, sample: Any) -> Any:
        image, target = sample
        objects = target["annotation"]["object"]
        out = {"annotation": target["annotation"]} if "annotation" in chosen else {}
        if "boxes" in chosen:
            sides = ("xmin", "ymin", "xmax", "ymax")
            values = [[int(each["bndbox"][side]) for side in sides] for each in objects]
            out["boxes"] = _boxes(values, "XYXY", image)
        if "labels" in chosen:
            out["labels"] = torch.tensor([_CLASSES.index(each["name"]) for each in objects])
        return image, out

    return wrapped


def _voc_segmentation(dataset: Any, keys: Any) -> Wrapper:
    return lambda index, sample: (sample[0], tv_tensors.Mask(sample[1]))


def _pets(dataset: Any, keys: Any) -> Wrapper:
    def wrapped(index: int, sample: Any) -> Any:
        image, target = sample
        kinds = dataset._target_types
        values = target if len(kinds) > 1 else (target,)
        made = tuple(
            tv_tensors.Mask(value) if kind == "segmentation" else value
            for kind, value in zip(kinds, values)
        )
        return image, made if len(kinds) > 1 else made[0]

    return wrapped


# The first that a data set is an instance of decides.
_WRAPPERS: list[tuple[Any, Callable[[Any, Any], Wrapper]]] = [
    (CocoCaptions, _same),
    (CocoDetection, _coco),
    (VOCDetection, _voc_detection),
    (VOCSegmentation, _voc_segmentation),
    (OxfordIIITPet, _pets),
    (
        (CIFAR10, DatasetFolder, FakeData, Listed, MNIST, MovingMNIST, SEMEION, STL10, SVHN, USPS),
        _same,
    ),
]


def wrap_dataset_for_transforms_v2(dataset: Any, target_keys: Any = None) -> Any:
    """The data set with boxes and masks as ``tv_tensors`` in its targets.

    Args:
        target_keys: of detection data sets, which keys targets have; "all", or None for those
            that models want.

    Raises:
        ValueError: no data set of this room, keys that are not known, or ``transform`` and
            ``target_transform`` where ``transforms`` of both is needed.
        TypeError: nothing is known of its class.
    """
    if not isinstance(dataset, VisionDataset):
        raise TypeError(
            "wrap_dataset_for_transforms_v2: expected a data set of torchvision.datasets, got "
            f"{type(dataset).__name__}."
        )
    for kinds, make in _WRAPPERS:
        if isinstance(dataset, kinds):
            wrapper = make(dataset, target_keys)
            break
    else:
        raise TypeError(f"No wrapper exists for dataset class {type(dataset).__name__}.")
    base = type(dataset)
    transforms = dataset.transforms

    def getitem(self: Any, index: int) -> Any:
        sample = wrapper(index, base.__getitem__(self, index))
        return transforms(*sample) if transforms is not None else sample

    # An instance of the same class, so that programs that ask still see it.
    kind = type(f"Wrapped{base.__name__}", (base,), {"__getitem__": getitem})
    made: Any = object.__new__(kind)
    vars(made).update(vars(dataset))
    made.transforms = made.transform = made.target_transform = None
    made._dataset = dataset
    return made
