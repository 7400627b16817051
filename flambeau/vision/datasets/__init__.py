"""Image data sets on disk, and one that is drawn."""

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.fake import FakeData
from flambeau.vision.datasets.folder import DatasetFolder, ImageFolder

__all__ = ["DatasetFolder", "FakeData", "ImageFolder", "VisionDataset"]
