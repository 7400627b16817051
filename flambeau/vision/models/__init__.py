"""Models, a family a file, with torchvision's names, state dicts and first weights."""

from typing import Any as _Any

from flambeau.vision.models import detection, optical_flow, segmentation, video
from flambeau.vision.models.alexnet import *
from flambeau.vision.models.convnext import *
from flambeau.vision.models.densenet import *
from flambeau.vision.models.efficientnet import *
from flambeau.vision.models.googlenet import *
from flambeau.vision.models.inception import *
from flambeau.vision.models.maxvit import *
from flambeau.vision.models.mnasnet import *
from flambeau.vision.models.mobilenetv2 import MobileNetV2, mobilenet_v2
from flambeau.vision.models.mobilenetv3 import *
from flambeau.vision.models.registry import (
    get_model,
    get_model_builder,
    list_models,
    register_model,
)
from flambeau.vision.models.regnet import *
from flambeau.vision.models.resnet import *
from flambeau.vision.models.shufflenetv2 import *
from flambeau.vision.models.squeezenet import *
from flambeau.vision.models.swin_transformer import *
from flambeau.vision.models.vgg import *
from flambeau.vision.models.vision_transformer import *
from flambeau.vision.models.weights import (
    Weights,
    WeightsEnum,
    get_model_weights,
    get_weight,
)
from flambeau.vision.models.weights import by_enumeration as _by_enumeration


def __getattr__(name: str) -> _Any:
    found = _by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"module 'torchvision.models' has no attribute {name!r}")
    return found
