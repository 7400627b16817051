"""Image data sets on disk, and one that is drawn."""

from flambeau.vision.datasets import utils
from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.cifar import CIFAR10, CIFAR100
from flambeau.vision.datasets.fake import FakeData
from flambeau.vision.datasets.folder import DatasetFolder, ImageFolder
from flambeau.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from flambeau.vision.datasets.svhn import SVHN
from flambeau.vision.datasets.voc import VOCDetection, VOCSegmentation

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DatasetFolder",
    "EMNIST",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "SVHN",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "utils",
]
