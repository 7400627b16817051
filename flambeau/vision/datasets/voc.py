"""Pascal VOC: pictures with a class for each pixel, or with boxes around objects.

Reference: M. Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", 2010.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.utils import download_and_extract_archive, one_of
from flambeau.vision.pillow import pillow

__all__ = ["VOCDetection", "VOCSegmentation"]

_SITE = "https://thor.robots.ox.ac.uk/pascal/VOC/"
# Address, name of the archive, MD5, the folder in it.
YEARS = {
    "2012": (
        "voc2012/VOCtrainval_11-May-2012.tar", "VOCtrainval_11-May-2012.tar",
        "6cd6e144f989b92b3379bac3b3de84fd", "VOCdevkit/VOC2012",
    ),
    "2011": (
        "voc2011/VOCtrainval_25-May-2011.tar", "VOCtrainval_25-May-2011.tar",
        "6c3384ef61512963050cb5d687e5bf1e", "TrainVal/VOCdevkit/VOC2011",
    ),
    "2010": (
        "voc2010/VOCtrainval_03-May-2010.tar", "VOCtrainval_03-May-2010.tar",
        "da459979d0c395079b5c75ee67908abb", "VOCdevkit/VOC2010",
    ),
    "2009": (
        "voc2009/VOCtrainval_11-May-2009.tar", "VOCtrainval_11-May-2009.tar",
        "a3e00b113cfcfebf17e343f59da3caa1", "VOCdevkit/VOC2009",
    ),
    "2008": (
        "voc2008/VOCtrainval_14-Jul-2008.tar", "VOCtrainval_11-May-2012.tar",
        "2629fa636546599198acfcfbfcf1904a", "VOCdevkit/VOC2008",
    ),
    "2007": (
        "voc2007/VOCtrainval_06-Nov-2007.tar", "VOCtrainval_06-Nov-2007.tar",
        "c52e279531787c972589f7e41ab4ae64", "VOCdevkit/VOC2007",
    ),
    "2007-test": (
        "voc2007/VOCtest_06-Nov-2007.tar", "VOCtest_06-Nov-2007.tar",
        "b6e924de25625d8de591ea690078ad9f", "VOCdevkit/VOC2007",
    ),
}  # fmt: skip


class _VOC(VisionDataset):
    """Pictures and targets by the names in a list of the set's."""

    _lists: str
    _folder: str
    _suffix: str

    def __init__(
        self,
        root: Any,
        year: str = "2012",
        image_set: str = "train",
        download: bool = False,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        transforms: Callable | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.year = one_of(year, "year", [str(each) for each in range(2007, 2013)])
        sets = ["train", "trainval", "val", *(["test"] if year == "2007" else [])]
        self.image_set = one_of(image_set, "image_set", sets)
        part = "2007-test" if (year, image_set) == ("2007", "test") else year
        address, self.filename, self.md5, base = YEARS[part]
        self.url = _SITE + address
        home = os.path.join(self.root, base)
        if download:
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.md5)
        if not os.path.isdir(home):
            raise RuntimeError(
                f"Dataset not found or corrupted: {home}. You can use download=True to download it."
            )
        names = os.path.join(home, "ImageSets", self._lists, f"{image_set}.txt")
        with open(names, encoding="utf-8") as file:
            stems = [line.strip() for line in file]
        self.images = [os.path.join(home, "JPEGImages", f"{stem}.jpg") for stem in stems]
        self.targets = [os.path.join(home, self._folder, stem + self._suffix) for stem in stems]

    def _target(self, path: str) -> Any:
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().open(self.images[index]).convert("RGB")
        target = self._target(self.targets[index])
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.images)


class VOCSegmentation(_VOC):
    """The target is a Pillow image of classes, 255 where there is none."""

    _lists, _folder, _suffix = "Segmentation", "SegmentationClass", ".png"

    @property
    def masks(self) -> list[str]:
        """The targets' files."""
        return self.targets

    def _target(self, path: str) -> Any:
        return pillow().open(path)


class VOCDetection(_VOC):
    """The target is a dict of what the annotation says, a list of ``object`` in it."""

    _lists, _folder, _suffix = "Main", "Annotations", ".xml"

    @property
    def annotations(self) -> list[str]:
        """The targets' files."""
        return self.targets

    def _target(self, path: str) -> Any:
        return self.parse_voc_xml(ElementTree.parse(path).getroot())

    @staticmethod
    def parse_voc_xml(node: ElementTree.Element) -> dict[str, Any]:
        """An element as a dict of its children; those of one name as a list."""
        children = [VOCDetection.parse_voc_xml(child) for child in node]
        found: dict[str, list[Any]] = {}
        for child in children:
            for name, value in child.items():
                found.setdefault(name, []).append(value)
        many: dict[str, Any] = {
            name: values[0] if len(values) == 1 else values for name, values in found.items()
        }
        if node.tag == "annotation" and "object" in found:
            many["object"] = found["object"]
        text = (node.text or "").strip()
        return {node.tag: text if text and not children else many}
