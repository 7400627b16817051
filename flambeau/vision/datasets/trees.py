"""More data sets of files and lists: CLEVR's counts, Imagenette, Caltech256."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flambeau.vision.datasets.folder import default_loader
from flambeau.vision.datasets.listed import Listed
from flambeau.vision.datasets.utils import one_of
from flambeau.vision.pillow import pillow

__all__ = ["CLEVRClassification", "Caltech256", "Imagenette"]


class CLEVRClassification(Listed):
    """Scenes of simple bodies, and how many there are; of tests nothing is known.

    Reference: J. Johnson et al., "CLEVR", 2016, arXiv:1612.06890.
    """

    splits = ("train", "val", "test")
    folder = os.path.join("clevr", "CLEVR_v1.0")
    into = "clevr"
    archives = (
        (
            "https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip",
            "b11922020e72d0cd9154779b2d3d07d2",
        ),
    )

    def _list(self) -> None:
        self._image_files = sorted((self._base_folder / "images" / self._split).glob("*"))
        counts: dict[str, int] = {}
        if self._split != "test":
            scenes = self._base_folder / "scenes" / f"CLEVR_{self._split}_scenes.json"
            for scene in json.loads(scenes.read_text())["scenes"]:
                counts[scene["image_filename"]] = len(scene["objects"])
        self._labels = [counts.get(path.name) for path in self._image_files]


# Of each of the folders the names of its class.
_IMAGENETTE = {
    "n01440764": ("tench", "Tinca tinca"),
    "n02102040": ("English springer", "English springer spaniel"),
    "n02979186": ("cassette player",),
    "n03000684": ("chain saw", "chainsaw"),
    "n03028079": ("church", "church building"),
    "n03394916": ("French horn", "horn"),
    "n03417042": ("garbage truck", "dustcart"),
    "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
    "n03445777": ("golf ball",),
    "n03888257": ("parachute", "chute"),
}


class Imagenette(Listed):
    """Ten classes of ImageNet that are easily told apart.

    Args:
        size: full, 320px or 160px.
    """

    splits = ("train", "val")
    _archives = {
        "full": ("imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": ("imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": ("imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }

    def __init__(
        self,
        root: Any,
        split: str = "train",
        size: str = "full",
        download: bool = False,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        loader: Callable[[Any], Any] = default_loader,
    ) -> None:
        self._size = one_of(size, "size", tuple(self._archives))
        self.folder, md5 = self._archives[size]
        base = "https://s3.amazonaws.com/fast-ai-imageclas/"
        self.archives = ((f"{base}{self.folder}.tgz", md5),)
        super().__init__(root, split, transform, target_transform, download, loader)
        self.class_to_idx = {name: i for i, names in enumerate(self.classes) for name in names}

    def _list(self) -> None:
        part = self._base_folder / self._split
        self.wnids = sorted(each.name for each in part.iterdir() if each.is_dir())
        self.wnid_to_idx = {wnid: i for i, wnid in enumerate(self.wnids)}
        self.classes = [_IMAGENETTE[wnid] for wnid in self.wnids]
        suffix = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
        for wnid in self.wnids:
            found = [p for p in sorted((part / wnid).rglob("*")) if p.suffix.lower() in suffix]
            self._image_files += found
            self._labels += [self.wnid_to_idx[wnid]] * len(found)

    def extra_repr(self) -> str:
        return ""


class Caltech256(Listed):
    """Objects of 256 kinds, and clutter.

    Reference: G. Griffin et al., "Caltech-256 Object Category Dataset", 2007.
    """

    folder = os.path.join("caltech256", "256_ObjectCategories")
    into = "caltech256"
    archives = (
        (
            "https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar",
            "67b4f42ca05d46448c6bb8ecd2220f6d",
        ),
    )

    def __init__(
        self,
        root: Any,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, "train", transform, target_transform, download)
        self.root = os.path.join(self.root, self.into)

    def _list(self) -> None:
        base: Path = self._base_folder
        self.categories = sorted(each.name for each in base.iterdir())
        self.index: list[int] = []
        self.y: list[int] = []
        for number, name in enumerate(self.categories):
            count = len(list((base / name).glob("*.jpg")))
            # Files are numbered from 1 within their class, which is numbered so too.
            self.index += range(1, count + 1)
            self.y += [number] * count
            self._image_files += [
                base / name / f"{number + 1:03d}_{i:04d}.jpg" for i in range(1, count + 1)
            ]
        self._labels = self.y

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = pillow().open(self._image_files[index]), self.y[index]
        return self.transforms(image, target) if self.transforms else (image, target)

    def extra_repr(self) -> str:
        return ""
