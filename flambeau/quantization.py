"""``torch.quantization``: the old name of ``torch.ao.quantization``."""

from __future__ import annotations

from typing import Any

from flambeau.ao import quantization as _room
from flambeau.ao.quantization import *  # noqa: F403
from flambeau.ao.quantization import __all__ as __all__


def __getattr__(name: str) -> Any:
    return getattr(_room, name)
