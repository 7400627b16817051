"""Names of torchvision's data sets that are not here yet, and what to do without them."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["ABSENT", "absent"]

ABSENT = frozenset((
    "CREStereo", "Caltech101", "CarlaStereo", "CelebA", "Cityscapes", "ETH3DStereo", "FER2013",
    "FallingThingsStereo", "Flickr30k", "Flickr8k", "FlyingChairs", "FlyingThings3D", "HD1K",
    "HMDB51", "INaturalist", "ImageNet", "InStereo2k", "Kinetics", "Kitti", "Kitti2012Stereo",
    "Kitti2015Stereo", "KittiFlow", "LFWPairs", "LFWPeople", "LSUN", "LSUNClass",
    "Middlebury2014Stereo", "Omniglot", "PCAM", "PhotoTour", "Places365", "SBDataset", "SBU",
    "SceneFlowStereo", "Sintel", "SintelStereo", "StanfordCars", "UCF101", "WIDERFace",
))  # fmt: skip


def absent(name: str) -> Any:
    """A class of this name that says, when it is made, that it is not here."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"datasets.{name} is not built yet. A folder of a folder for each class is read by "
            "ImageFolder; else subclass VisionDataset and write __getitem__ and __len__."
        )

    return type(name, (), {"__init__": refuse, "__doc__": f"{name}: not built yet."})
