"""Image data sets on disk, and one that is drawn."""

from typing import Any as _Any

from flambeau.vision.datasets import utils
from flambeau.vision.datasets.absent import ABSENT as _ABSENT
from flambeau.vision.datasets.absent import absent as _absent
from flambeau.vision.datasets.arrays import SEMEION, STL10, USPS, MovingMNIST
from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.cifar import CIFAR10, CIFAR100
from flambeau.vision.datasets.coco import CocoCaptions, CocoDetection
from flambeau.vision.datasets.fake import FakeData
from flambeau.vision.datasets.folder import DatasetFolder, ImageFolder
from flambeau.vision.datasets.listed import (
    DTD,
    GTSRB,
    SUN397,
    Country211,
    EuroSAT,
    FGVCAircraft,
    Flowers102,
    Food101,
    OxfordIIITPet,
    RenderedSST2,
)
from flambeau.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from flambeau.vision.datasets.svhn import SVHN
from flambeau.vision.datasets.trees import Caltech256, CLEVRClassification, Imagenette
from flambeau.vision.datasets.voc import VOCDetection, VOCSegmentation
from flambeau.vision.datasets.wrapper import wrap_dataset_for_transforms_v2

__all__ = [
    "CLEVRClassification",
    "Caltech256",
    "Imagenette",
    "CIFAR10",
    "CIFAR100",
    "CocoCaptions",
    "CocoDetection",
    "Country211",
    "DTD",
    "DatasetFolder",
    "EMNIST",
    "EuroSAT",
    "FGVCAircraft",
    "FakeData",
    "FashionMNIST",
    "Flowers102",
    "Food101",
    "GTSRB",
    "ImageFolder",
    "KMNIST",
    "MNIST",
    "MovingMNIST",
    "OxfordIIITPet",
    "QMNIST",
    "RenderedSST2",
    "SEMEION",
    "STL10",
    "SUN397",
    "SVHN",
    "USPS",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "utils",
    "wrap_dataset_for_transforms_v2",
]


def __getattr__(name: str) -> _Any:
    if name in _ABSENT:
        globals()[name] = _absent(name)
        return globals()[name]
    raise AttributeError(f"module 'torchvision.datasets' has no attribute {name!r}")
