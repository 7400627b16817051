"""Which PyTorch flambeau speaks (``torch.version``), and the version string scripts compare."""

from __future__ import annotations

import re
from typing import Any

from flambeau.shim.alias import TORCH_VERSION

__all__ = ["TorchVersion", "cuda", "debug", "git_version", "hip", "xpu"]


def _key(version: Any) -> tuple[tuple[int, ...], int, int]:
    """(release, stage, number): pre-releases before their release, a local part not compared."""
    text = ".".join(map(str, version)) if isinstance(version, (tuple, list)) else str(version)
    found = re.fullmatch(
        r"\s*v?(\d+(?:\.\d+)*)[-_.]?(?:(a|alpha|b|beta|rc|c|dev|post)[-_.]?(\d*))?.*", text
    )
    if found is None:
        raise ValueError(f"TorchVersion: expected a version such as '2.13.0', got {version!r}.")
    release = [int(part) for part in found[1].split(".")]
    while release and release[-1] == 0:
        release.pop()
    stages = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "c": -1, "rc": -1, "post": 1}
    return tuple(release), stages.get(found[2] or "", 0), int(found[3] or 0)


class TorchVersion(str):
    """A version string that compares as a version: with strings, tuples and other versions.

    Example:
        >>> TorchVersion("2.13.0+flambeau") >= (2, 4), TorchVersion("2.13.0") > "2.9"
        (True, True)
    """

    def _parts(self, other: Any) -> tuple[Any, Any, str, str] | None:
        try:
            mine, theirs = _key(self), _key(other)
        except ValueError:
            return None
        text = ".".join(map(str, other)) if isinstance(other, (tuple, list)) else str(other)
        local, other_local = self.partition("+")[2], text.partition("+")[2]
        return mine, theirs, local, other_local

    def __lt__(self, other: Any) -> bool:
        parts = self._parts(other)
        if parts is None:
            return str(self) < str(other)
        return (parts[0], parts[2]) < (parts[1], parts[3])

    def __eq__(self, other: object) -> bool:
        parts = self._parts(other)
        if parts is None:
            return str(self) == str(other)
        return (parts[0], parts[2]) == (parts[1], parts[3])

    def __gt__(self, other: Any) -> bool:
        return not (self < other or self == other)

    def __le__(self, other: Any) -> bool:
        return self < other or self == other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


__version__ = TorchVersion(TORCH_VERSION)
own: str | None = None  # flambeau's own version while the alias wears PyTorch's
cuda: str | None = None
debug = False
git_version = "flambeau"
hip: str | None = None
xpu: str | None = None
