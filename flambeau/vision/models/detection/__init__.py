"""Models that find objects: their boxes, and where asked for masks and key points."""

from typing import Any as _Any

from flambeau.vision.models.detection.faster_rcnn import *
from flambeau.vision.models.detection.fcos import *
from flambeau.vision.models.detection.keypoint_rcnn import *
from flambeau.vision.models.detection.mask_rcnn import *
from flambeau.vision.models.detection.retinanet import *
from flambeau.vision.models.detection.ssd import *
from flambeau.vision.models.detection.ssdlite import *
from flambeau.vision.models.weights import by_enumeration as _by_enumeration


def __getattr__(name: str) -> _Any:
    found = _by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"module 'torchvision.models.detection' has no attribute {name!r}")
    return found
