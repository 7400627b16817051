"""What the data sets share: a root, the transforms of input and target, the printed form."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from flambeau.utils.data import Dataset

__all__ = ["VisionDataset"]


def _told(transform: Any, head: str) -> list[str]:
    first, *rest = repr(transform).splitlines()
    return [f"{head}{first}", *(" " * len(head) + line for line in rest)]


class _Both:
    """``transform`` of the input and ``target_transform`` of the target, as one function."""

    def __init__(self, transform: Callable | None, target_transform: Callable | None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = ["StandardTransform"]
        if self.transform is not None:
            lines += _told(self.transform, "Transform: ")
        if self.target_transform is not None:
            lines += _told(self.target_transform, "Target transform: ")
        return "\n".join(lines)


class VisionDataset(Dataset):
    """A data set of images under ``root``.

    Args:
        transforms: a function of (input, target); or else
        transform, target_transform: functions of one each.
    """

    def __init__(
        self,
        root: Any = None,
        transforms: Callable | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
    ) -> None:
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        apart = transform is not None or target_transform is not None
        if transforms is not None and apart:
            raise ValueError(
                f"{type(self).__name__}: pass transforms of both, or transform and "
                "target_transform, not the two together."
            )
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = _Both(transform, target_transform) if apart else transforms

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """What a subclass adds to the printed form."""
        return ""

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))  # its further lines start at the margin
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in body)])
