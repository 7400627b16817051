"""Data sets whose images are numbers in one file: STL10, USPS, SEMEION, MovingMNIST."""

from __future__ import annotations

import bz2
import os
from collections.abc import Callable
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.tensor import Tensor
from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.utils import (
    check_integrity,
    download_and_extract_archive,
    download_url,
    one_of,
)
from flambeau.vision.pillow import pillow

__all__ = ["SEMEION", "STL10", "USPS", "MovingMNIST"]


def _missing(where: Any) -> RuntimeError:
    return RuntimeError(
        f"Dataset not found or corrupted: {where}. You can use download=True to download it."
    )


class STL10(VisionDataset):
    """Pictures of ten kinds of 96 by 96, and 100000 without a label (-1).

    Args:
        split: train, test, unlabeled or train+unlabeled.
        folds: one of ten parts of the training images; None for all.

    Reference: A. Coates et al., "An Analysis of Single-Layer Networks", 2011.
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: Any,
        split: str = "train",
        folds: int | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = one_of(split, "split", self.splits)
        if folds is not None and not isinstance(folds, int):
            raise ValueError(f"Expected type None or int for argument folds, but got {type(folds)}")
        if folds is not None and not 0 <= folds < 10:
            raise ValueError(f"Value for argument folds should be in the range [0, 10), but got "
                             f"{folds}.")  # fmt: skip
        self.folds = folds
        if download and self._wrong():
            download_and_extract_archive(self.url, self.root, md5=self.tgz_md5)
        if wrong := self._wrong():
            raise _missing(wrong)
        parts = []
        for name in split.split("+"):
            images = self._read(f"{name}_X.bin").reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
            labels = np.full(len(images), -1, dtype=np.int64)
            if name != "unlabeled":
                labels = self._read(f"{name}_y.bin").astype(np.int64) - 1  # 1..10 in the file
            if name == "train" and folds is not None:
                with open(self._path(self.folds_list_file)) as file:
                    chosen = np.array(file.read().splitlines()[folds].split(), dtype=np.int64)
                images, labels = images[chosen], labels[chosen]
            parts.append((images, labels))
        self.data, self.labels = (np.concatenate(each) for each in zip(*parts))
        with open(self._path(self.class_names_file)) as file:
            self.classes = file.read().splitlines()

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _read(self, name: str) -> np.ndarray:
        return np.fromfile(self._path(name), dtype=np.uint8)

    def _wrong(self) -> str | None:
        """The first file that is not there, or not the makers'."""
        files = ((self._path(name), md5) for name, md5 in self.train_list + self.test_list)
        return next((path for path, md5 in files if not check_integrity(path, md5)), None)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(np.transpose(self.data[index], (1, 2, 0)))
        target = int(self.labels[index])
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


class _Digits(VisionDataset):
    """Grey images in memory."""

    data: Any
    targets: Any

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = pillow().fromarray(self.data[index], mode="L"), int(self.targets[index])
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.data)


class USPS(_Digits):
    """Digits of letters' codes, 16 by 16.

    Reference: J. Hull, "A database for handwritten text recognition research", 1994.
    """

    _base = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
    split_list = {
        "train": [f"{_base}usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": [f"{_base}usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"],
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
        url, name, checksum = self.split_list["train" if train else "test"]
        path = os.path.join(self.root, name)
        if download and not os.path.exists(path):
            download_url(url, self.root, name, md5=checksum)
        if not os.path.exists(path):
            raise _missing(path)
        with bz2.open(path) as file:  # lines of "label 1:value 2:value ..."
            rows = [line.decode().split() for line in file]
        values = [[float(each.partition(":")[2]) for each in row[1:]] for row in rows]
        images = np.asarray(values, dtype=np.float32).reshape(-1, 16, 16)
        self.data = ((images + 1) / 2 * 255).astype(np.uint8)
        self.targets = [int(row[0]) - 1 for row in rows]


class SEMEION(_Digits):
    """1593 handwritten digits of 16 by 16, black or white."""

    url = "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data"
    filename = "semeion.data"
    md5_checksum = "cb545d371d2ce14ec121470795a77432"

    def __init__(
        self,
        root: Any,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = True,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        path = os.path.join(self.root, self.filename)
        if download:
            download_url(self.url, self.root, self.filename, self.md5_checksum)
        if not check_integrity(path, self.md5_checksum):
            raise _missing(path)
        values = np.loadtxt(path)
        self.data = (values[:, :256] * 255).astype(np.uint8).reshape(-1, 16, 16)
        self.labels = np.nonzero(values[:, 256:])[1]
        self.targets = self.labels


class MovingMNIST(VisionDataset):
    """10000 videos of 20 frames in which two digits move; samples are tensors (T, 1, 64, 64).

    Args:
        split: the first ``split_ratio`` frames (train) or the others (test); None for all.

    Reference: N. Srivastava et al., "Unsupervised Learning of Video Representations using LSTMs",
    2015, arXiv:1502.04681.
    """

    _URL = "http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy"

    def __init__(
        self,
        root: Any,
        split: str | None = None,
        split_ratio: int = 10,
        download: bool = False,
        transform: Callable | None = None,
    ) -> None:
        super().__init__(root, transform=transform)
        folder = os.path.join(self.root, type(self).__name__)
        path = os.path.join(folder, os.path.basename(self._URL))
        if split is not None:
            one_of(split, "split", ("train", "test"))
        self.split = split
        self.split_ratio = split_ratio
        if download and not os.path.exists(path):
            download_url(self._URL, folder)
        if not os.path.exists(path):
            raise _missing(path)
        frames = torch.from_numpy(np.load(path))  # T, N, H, W
        if split is not None:
            frames = frames[:split_ratio] if split == "train" else frames[split_ratio:]
        self.data = frames.transpose(0, 1).unsqueeze(2).contiguous()

    def __getitem__(self, index: int) -> Tensor:
        video = self.data[index]
        return video if self.transform is None else self.transform(video)

    def __len__(self) -> int:
        return len(self.data)
