"""``torchvision``'s names over flambeau: models, the operations they are built of, images.

Rooms load at first use (PEP 562). A room of the floor of tools: it stands on ``nn`` and ``hub``.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.28.0+flambeau"
_ROOMS = frozenset(("datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"))


def __getattr__(name: str) -> _Any:
    if name in _ROOMS:
        return _import_module(f"flambeau.vision.{name}")
    raise AttributeError(f"module 'torchvision' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
