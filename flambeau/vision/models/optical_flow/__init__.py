"""Models of optical flow: how far each pixel moves from one image to the next."""

from typing import Any as _Any

from flambeau.vision.models.optical_flow.raft import *
from flambeau.vision.models.weights import by_enumeration as _by_enumeration


def __getattr__(name: str) -> _Any:
    found = _by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"module 'torchvision.models.optical_flow' has no attribute {name!r}")
    return found
