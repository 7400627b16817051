"""CIFAR-10 and CIFAR-100: 60000 pictures of 32 by 32, as pickled batches.

Reference: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.utils import check_integrity, download_and_extract_archive
from flambeau.vision.pillow import pillow

__all__ = ["CIFAR10", "CIFAR100"]


class CIFAR10(VisionDataset):
    """Ten classes, 50000 pictures for training and 10000 for tests.

    Args:
        root: the folder that holds ``cifar-10-batches-py``.
        download: fetch what is not there.

    Raises:
        RuntimeError: files are not there, or are not what they were. They are pickles, which can
            run code, so they are read only where their MD5 is that of the makers'.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if wrong := self._wrong():
            raise RuntimeError(
                f"Dataset not found or corrupted: {wrong}. You can use download=True to download "
                "it."
            )
        batches = [self._read(name) for name, _ in (self.train_list if train else self.test_list)]
        pixels = np.vstack([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = pixels.transpose((0, 2, 3, 1))  # N, H, W, C
        self.targets: list[int] = []
        for batch in batches:
            self.targets.extend(batch["labels"] if "labels" in batch else batch["fine_labels"])
        self.classes = self._read(self.meta["filename"])[self.meta["key"]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _read(self, name: str) -> dict[str, Any]:
        with open(self._path(name), "rb") as file:
            content: dict[str, Any] = pickle.load(file, encoding="latin1")
        return content

    def _wrong(self) -> str | None:
        """The first file that is not there, or not the makers'."""
        files = [*self.train_list, *self.test_list, [self.meta["filename"], self.meta["md5"]]]
        paths = ((self._path(name), md5) for name, md5 in files)
        return next((path for path, md5 in paths if not check_integrity(path, md5)), None)

    def download(self) -> None:
        """Fetch the archive and unpack it, unless all files are there."""
        if self._wrong():
            download_and_extract_archive(
                self.url, self.root, filename=self.filename, md5=self.tgz_md5
            )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = pillow().fromarray(self.data[index]), self.targets[index]
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """A hundred classes, 500 pictures of each for training and 100 for tests."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
