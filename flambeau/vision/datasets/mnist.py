"""MNIST and the data sets of its format: FashionMNIST, KMNIST, EMNIST, QMNIST.

Files lie under ``root/ClassName/raw`` as their makers give them, unpacked.

Reference: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", 1998; H. Xiao, K. Rasul, R. Vollgraf, 2017, arXiv:1708.07747; T. Clanuwat et al.,
2018, arXiv:1812.01718; G. Cohen et al., 2017, arXiv:1702.05373; C. Yadav and L. Bottou, 2019,
arXiv:1905.10498.
"""

from __future__ import annotations

import os
import shutil
import string
import warnings
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

import numpy as np

import flambeau as torch
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.utils import (
    download_and_extract_archive,
    extract_archive,
    one_of,
)
from flambeau.vision.pillow import pillow

__all__ = ["EMNIST", "KMNIST", "MNIST", "QMNIST", "FashionMNIST"]

_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str) -> Tensor:
    """A tensor from a file of the IDX format.

    Raises:
        RuntimeError: the file is none, or is cut short.
    """
    with open(path, "rb") as file:
        body = file.read()
    kind, dims = _TYPES.get(body[2] if len(body) > 3 else -1), body[3] if len(body) > 3 else 0
    if kind is None or body[:2] != b"\0\0" or len(body) < 4 + 4 * dims:
        raise RuntimeError(f"{path} is no IDX file. Remove it and pass download=True.")
    shape = np.frombuffer(body, ">i4", dims, 4)
    array = np.frombuffer(body, kind, offset=4 + 4 * dims)
    if array.size != shape.prod(dtype=np.int64):
        raise RuntimeError(
            f"{path} holds {array.size} values where its head says {list(map(int, shape))}. "
            "Remove it and pass download=True."
        )
    return torch.from_numpy(array.reshape(shape).astype(array.dtype.newbyteorder("=")))


class MNIST(VisionDataset):
    """70000 handwritten digits of 28 by 28, of which 60000 are for training.

    Args:
        root: the folder that holds ``MNIST/raw``.
        train: the training part, else the test part.
        download: fetch what is not there.

    Raises:
        RuntimeError: the files are not there.
    """

    mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: Any = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    training_file = "training.pt"
    test_file = "test.pt"
    classes = [
        f"{i} - {name}"
        for i, name in enumerate(
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
        )
    ]

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
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found under {self.raw_folder}. You can use download=True to "
                "download it."
            )
        self.data, self.targets = self._load_data()

    def _names(self) -> list[str]:
        """The unpacked files of both parts."""
        return [os.path.splitext(os.path.basename(name))[0] for name, _ in self.resources]

    def _check_exists(self) -> bool:
        return all(os.path.isfile(os.path.join(self.raw_folder, name)) for name in self._names())

    def _load_data(self) -> tuple[Tensor, Tensor]:
        part = "train" if self.train else "t10k"
        images, labels = (
            read_idx(os.path.join(self.raw_folder, f"{part}-{kind}-ubyte"))
            for kind in ("images-idx3", "labels-idx1")
        )
        return images, labels.long()

    @property
    def raw_folder(self) -> str:
        """Where the makers' files lie."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where versions of long ago kept tensors."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def _renamed(self, old: str, new: str) -> Any:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=stack_level())
        return getattr(self, new)

    @property
    def train_data(self) -> Any:
        """The old name of ``data``."""
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Any:
        """The old name of ``data``."""
        return self._renamed("test_data", "data")

    @property
    def train_labels(self) -> Any:
        """The old name of ``targets``."""
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Any:
        """The old name of ``targets``."""
        return self._renamed("test_labels", "targets")

    def download(self) -> None:
        """Fetch what is not there from the first mirror that gives it.

        Raises:
            RuntimeError: none does, or what comes is not the file.
        """
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for filename, md5 in self.resources:
            errors = []
            for mirror in self.mirrors:
                try:
                    download_and_extract_archive(
                        f"{mirror}{filename}", self.raw_folder, filename=filename, md5=md5
                    )
                    break
                except (URLError, ConnectionError, TimeoutError) as error:
                    errors.append(f"{mirror}: {error}")
            else:
                raise RuntimeError(f"Error downloading {filename}:\n" + "\n".join(errors))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self._image(index), int(self.targets[index])
        return self._transformed(image, target)

    def _image(self, index: int) -> Any:
        return pillow().fromarray(self.data[index].numpy())

    def _transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """70000 pictures of clothes in MNIST's format."""

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
        "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """70000 characters of cursive Japanese in MNIST's format."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten digits and letters, in six splits.

    Args:
        split: byclass, bymerge, balanced, letters, digits or mnist.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _digits, _all = list(string.digits), list(string.digits + string.ascii_letters)
    # Letters whose two cases look alike are one class.
    _merged = list(string.digits + string.ascii_uppercase + "abdefghnqrt")
    classes_split_dict = {
        "byclass": sorted(_all),
        "bymerge": _merged,
        "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": _digits,
        "mnist": _digits,
    }

    def __init__(self, root: Any, split: str, **kwargs: Any) -> None:
        self.split = one_of(split, "split", self.splits)
        self.training_file = f"training_{split}.pt"
        self.test_file = f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]

    def _file(self, train: bool, kind: str) -> str:
        name = f"emnist-{self.split}-{'train' if train else 'test'}-{kind}-ubyte"
        return os.path.join(self.raw_folder, name)

    def _check_exists(self) -> bool:
        kinds = ("images-idx3", "labels-idx1")
        return all(os.path.isfile(self._file(t, k)) for t in (True, False) for k in kinds)

    def _load_data(self) -> tuple[Tensor, Tensor]:
        images, labels = (
            read_idx(self._file(self.train, kind)) for kind in ("images-idx3", "labels-idx1")
        )
        return images, labels.long()

    def download(self) -> None:
        """Fetch the archive of all splits and unpack it."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        download_and_extract_archive(self.url, self.raw_folder, md5=self.md5)
        folder = os.path.join(self.raw_folder, "gzip")
        for name in os.listdir(folder):
            if name.endswith(".gz"):
                path = os.path.join(folder, name)
                extract_archive(path, os.path.join(self.raw_folder, name.removesuffix(".gz")))
        shutil.rmtree(folder)


class QMNIST(MNIST):
    """MNIST made again, with 60000 test images and what is known of each.

    Args:
        what: train, test, test10k, test50k or nist; None: as ``train`` says.
        compat: targets are the digits alone, else all eight numbers that are known.
    """

    _base = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
    subsets = {
        "train": "train",
        "test": "test",
        "test10k": "test",
        "test50k": "test",
        "nist": "nist",
    }
    resources = {
        "train": [
            (f"{_base}qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            (f"{_base}qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            (f"{_base}qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            (f"{_base}qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            (f"{_base}xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            (f"{_base}xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(
        self,
        root: Any,
        what: str | None = None,
        compat: bool = True,
        train: bool = True,
        **kwargs: Any,
    ) -> None:
        if what is None:
            what = "train" if train else "test"
        self.what = one_of(what, "what", tuple(self.subsets))
        self.compat = compat
        self.training_file = self.test_file = f"{what}.pt"
        super().__init__(root, train, **kwargs)

    def _names(self) -> list[str]:
        rows = self.resources[self.subsets[self.what]]
        return [os.path.splitext(os.path.basename(url))[0] for url, _ in rows]

    def _load_data(self) -> tuple[Tensor, Tensor]:
        images, labels = (read_idx(os.path.join(self.raw_folder, n)) for n in self._names())
        part = {"test10k": slice(10000), "test50k": slice(10000, None)}.get(self.what, slice(None))
        return images[part], labels.long()[part]

    def download(self) -> None:
        """Fetch the subset's two files."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for url, md5 in self.resources[self.subsets[self.what]]:
            download_and_extract_archive(url, self.raw_folder, md5=md5)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target = self.targets[index]
        return self._transformed(self._image(index), int(target[0]) if self.compat else target)

    def extra_repr(self) -> str:
        return f"Split: {self.what}"
