"""Images made ready for training: as functions, and as modules that draw their parameters."""

from flambeau.vision.transforms import functional
from flambeau.vision.transforms.functional import InterpolationMode

__all__ = ["InterpolationMode", "functional"]
