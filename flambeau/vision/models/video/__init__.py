"""Models that classify videos."""

from typing import Any as _Any

from flambeau.vision.models.video.resnet import *
from flambeau.vision.models.video.s3d import *
from flambeau.vision.models.weights import by_enumeration as _by_enumeration


def __getattr__(name: str) -> _Any:
    found = _by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"module 'torchvision.models.video' has no attribute {name!r}")
    return found
