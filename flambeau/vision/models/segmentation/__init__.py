"""Models that give every pixel a class."""

from typing import Any as _Any

from flambeau.vision.models.segmentation.deeplabv3 import *
from flambeau.vision.models.segmentation.fcn import *
from flambeau.vision.models.segmentation.lraspp import *
from flambeau.vision.models.weights import by_enumeration as _by_enumeration


def __getattr__(name: str) -> _Any:
    found = _by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"module 'torchvision.models.segmentation' has no attribute {name!r}")
    return found
