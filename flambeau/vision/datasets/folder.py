"""A folder of folders: each a class, its files the samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.pillow import pillow

__all__ = ["DatasetFolder", "IMG_EXTENSIONS", "ImageFolder", "default_loader"]

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def default_loader(path: Any) -> Any:
    """An image file as Pillow's RGB."""
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


class DatasetFolder(VisionDataset):
    """Samples ``root/class/.../file``, classes and files in order of their names.

    Args:
        loader: a function of a path.
        extensions: the suffixes of valid files; or else
        is_valid_file: a function of a path that says.
        allow_empty: whether a class may have no files.

    Raises:
        FileNotFoundError: no classes, or classes without valid files.
    """

    def __init__(
        self,
        root: Any,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        if (extensions is None) == (is_valid_file is None):
            raise ValueError("DatasetFolder: pass extensions or is_valid_file, one of the two.")
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        endings = (extensions,) if isinstance(extensions, str) else extensions
        valid = is_valid_file or (lambda path: path.lower().endswith(tuple(endings or ())))
        self.samples: list[tuple[str, int]] = []
        empty = []
        for name in self.classes:
            found = [
                (path, self.class_to_idx[name])
                for folder, _, files in sorted(
                    os.walk(os.path.join(self.root, name), followlinks=True)
                )
                for path in (os.path.join(folder, file) for file in sorted(files))
                if valid(path)
            ]
            self.samples += found
            if not found:
                empty.append(name)
        if empty and not allow_empty:
            raise FileNotFoundError(
                f"{self.root}: no valid file in the classes {', '.join(empty)}; expected "
                f"{extensions or 'what is_valid_file takes'}, or allow_empty=True."
            )
        self.targets = [target for _, target in self.samples]

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """The names of the folders under ``directory``, and their numbers."""
        names = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        if not names:
            raise FileNotFoundError(f"{directory}: expected a folder for each class, found none.")
        return names, {name: index for index, name in enumerate(names)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        sample = self.loader(path)
        return self.transforms(sample, target) if self.transforms else (sample, target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """A ``DatasetFolder`` of images."""

    def __init__(
        self,
        root: Any,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(
            root, loader, extensions, transform, target_transform, is_valid_file, allow_empty
        )
        self.imgs = self.samples
