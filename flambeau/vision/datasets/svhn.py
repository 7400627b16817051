"""Street View House Numbers: digits of 32 by 32 in MATLAB's files, read with SciPy.

Reference: Y. Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning",
2011.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.utils import check_integrity, download_url, one_of
from flambeau.vision.pillow import pillow

__all__ = ["SVHN"]


class SVHN(VisionDataset):
    """Digits of house numbers; the class of 0 is 0, though the files say 10.

    Args:
        split: train, test or extra.
        download: fetch what is not there.

    Raises:
        RuntimeError: the file is not there, or is not what it was.
    """

    _base = "http://ufldl.stanford.edu/housenumbers/"
    split_list = {
        "train": [
            f"{_base}train_32x32.mat",
            "train_32x32.mat",
            "e26dedcc434d2e4c54c9b2d4a06d8373",
        ],
        "test": [f"{_base}test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [
            f"{_base}extra_32x32.mat",
            "extra_32x32.mat",
            "a93ce644f1a588dc4d68dda5feec44a7",
        ],
    }

    def __init__(
        self,
        root: Any,
        split: str = "train",
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = one_of(split, "split", tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        path = os.path.join(self.root, self.filename)
        if not check_integrity(path, self.file_md5):
            raise RuntimeError(
                f"Dataset not found or corrupted: {path}. You can use download=True to download it."
            )
        from scipy.io import loadmat

        held = loadmat(path)
        self.labels = held["y"].astype(np.int64).squeeze()
        self.labels[self.labels == 10] = 0
        self.data = np.transpose(held["X"], (3, 2, 0, 1))  # N, C, H, W

    def download(self) -> None:
        """Fetch the split's file."""
        download_url(self.url, self.root, self.filename, self.file_md5)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(np.transpose(self.data[index], (1, 2, 0)))
        target = int(self.labels[index])
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"
