"""Images in files and in bytes, as tensors; through Pillow."""

from flambeau.vision.io import image
from flambeau.vision.io.image import *

__all__ = image.__all__
