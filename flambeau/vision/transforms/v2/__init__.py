"""Transforms of whole samples: images, videos, boxes, masks and key points change together."""

from flambeau.vision.transforms.augment import AutoAugmentPolicy
from flambeau.vision.transforms.modes import InterpolationMode
from flambeau.vision.transforms.v2 import functional
from flambeau.vision.transforms.v2.augment import *
from flambeau.vision.transforms.v2.auto import *
from flambeau.vision.transforms.v2.base import Transform
from flambeau.vision.transforms.v2.color import *
from flambeau.vision.transforms.v2.containers import *
from flambeau.vision.transforms.v2.convert import *
from flambeau.vision.transforms.v2.functional import register_kernel
from flambeau.vision.transforms.v2.places import *
from flambeau.vision.transforms.v2.sizes import *


def check_type(obj: object, types_or_checks: tuple) -> bool:
    """Whether a value is of one of the types, or passes one of the tests."""
    from flambeau.vision.transforms.v2.base import is_a

    return is_a(obj, types_or_checks)
