"""A folder of folders: each a class, its files the samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.pillow import pillow

__all__ = [
    "DatasetFolder",
    "IMG_EXTENSIONS",
    "ImageFolder",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def pil_loader(path: Any) -> Any:
    """An image file as Pillow's RGB."""
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


default_loader = pil_loader


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a name ends in one of the extensions, whatever its case."""
    endings = (extensions,) if isinstance(extensions, str) else tuple(extensions)
    return str(filename).lower().endswith(endings)


def is_image_file(filename: str) -> bool:
    """Whether a name ends as an image's does (`IMG_EXTENSIONS`)."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Any) -> tuple[list[str], dict[str, int]]:
    """The names of the folders under ``directory``, and their numbers.

    Raises:
        FileNotFoundError: there are none.
    """
    names = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not names:
        raise FileNotFoundError(f"{directory}: expected a folder for each class, found none.")
    return names, {name: index for index, name in enumerate(names)}


def make_dataset(
    directory: Any,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """(path, class) of all valid files in ``directory/class/...``; arguments as `DatasetFolder`'s.

    Args:
        class_to_idx: the classes' numbers; None: those of `find_classes`.

    Raises:
        ValueError: neither extensions nor is_valid_file, or both, or no class.
        FileNotFoundError: classes without valid files.
    """
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    elif not class_to_idx:
        raise ValueError("make_dataset: class_to_idx has to name one class at least.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("make_dataset: pass extensions or is_valid_file, one of the two.")
    valid = is_valid_file or (lambda path: has_file_allowed_extension(path, extensions or ()))
    samples: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        folder = os.path.join(os.path.expanduser(directory), name)
        found = [
            (path, class_to_idx[name])
            for inner, _, files in sorted(os.walk(folder, followlinks=True))
            for path in (os.path.join(inner, file) for file in sorted(files))
            if valid(path)
        ]
        samples += found
        if not found:
            empty.append(name)
    if empty and not allow_empty:
        raise FileNotFoundError(
            f"{directory}: no valid file in the classes {', '.join(empty)}; expected "
            f"{extensions or 'what is_valid_file takes'}, or allow_empty=True."
        )
    return samples


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
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Any,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """The samples; for a subclass to choose others. As `make_dataset`, with classes given.

        Raises:
            ValueError: class_to_idx is None.
        """
        if class_to_idx is None:
            raise ValueError("make_dataset: class_to_idx cannot be None; give find_classes'.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """The classes; for a subclass to choose others. As `find_classes`."""
        return find_classes(directory)

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
