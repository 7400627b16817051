"""Data sets that are image files and a list of which and what they are; one short class each.

Files lie where torchvision puts them. Stands on ``base``, ``folder`` and ``utils``.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flambeau.vision.datasets.base import VisionDataset
from flambeau.vision.datasets.folder import ImageFolder, default_loader
from flambeau.vision.datasets.utils import download_and_extract_archive, download_url, one_of
from flambeau.vision.pillow import pillow

__all__ = [
    "Country211",
    "DTD",
    "EuroSAT",
    "FGVCAircraft",
    "Flowers102",
    "Food101",
    "GTSRB",
    "OxfordIIITPet",
    "RenderedSST2",
    "SUN397",
]

Archive = tuple[str, str]  # address, MD5


class Listed(VisionDataset):
    """Samples (image, class); subclasses say where they lie and list them.

    Args:
        split: the part, one of the data set's ``splits``.
        download: fetch what is not there.
        loader: a function of a path.

    Raises:
        RuntimeError: the files are not there.
    """

    splits: tuple[str, ...] = ("train", "test")
    folder: str
    archives: tuple[tuple[str, str | None], ...]
    into: str = ""
    """Where under the root archives are unpacked."""

    def __init__(
        self,
        root: Any,
        split: str = "train",
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
        loader: Callable[[Any], Any] = default_loader,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split = one_of(split, "split", self.splits)
        self._fetch(download)
        self.loader = loader
        self.classes: list[Any] = []
        self._image_files: list[Path] = []
        self._labels: list[Any] = []
        self._list()
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    @property
    def _base_folder(self) -> Path:
        return Path(self.root) / self.folder

    def _check_exists(self) -> bool:
        return self._base_folder.is_dir()

    def _fetch(self, download: bool) -> None:
        if download and not self._check_exists():
            for url, md5 in self.archives:
                download_and_extract_archive(url, os.path.join(self.root, self.into), md5=md5)
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found under {self._base_folder}. You can use download=True to "
                "download it"
            )

    def _list(self) -> None:
        """Fill in ``classes``, files and labels."""
        raise NotImplementedError

    def _named(self, rows: Sequence[tuple[Path, str]]) -> None:
        """From files and their classes' names, where the names are the classes."""
        self.classes = self.classes or sorted({name for _, name in rows})
        number = {name: i for i, name in enumerate(self.classes)}
        self._image_files = [path for path, _ in rows]
        self._labels = [number[name] for _, name in rows]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.loader(self._image_files[index]), self._labels[index]
        return self.transforms(image, target) if self.transforms else (image, target)

    def __len__(self) -> int:
        return len(self._image_files)

    def extra_repr(self) -> str:
        return f"split={self._split}"


class Food101(Listed):
    """Dishes of 101 kinds.

    Reference: L. Bossard et al., "Food-101 - Mining Discriminative Components", 2014.
    """

    folder = "food-101"
    archives = (
        ("http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz", "85eeb15f3717b99a5da872d97d918f87"),
    )

    def _list(self) -> None:
        table = json.loads((self._base_folder / "meta" / f"{self._split}.json").read_text())
        images = self._base_folder / "images"
        self.classes = sorted(table)
        self._named([(images / f"{path}.jpg", name) for name in table for path in table[name]])


class DTD(Listed):
    """Textures of 47 kinds, in ten partitions.

    Reference: M. Cimpoi et al., "Describing Textures in the Wild", 2014, arXiv:1311.3618.
    """

    splits = ("train", "val", "test")
    folder = os.path.join("dtd", "dtd")
    into = "dtd"
    archives = (
        (
            "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
            "fff73e5086ae6bdbea199a49dfb8a4c1",
        ),
    )

    def __init__(self, root: Any, split: str = "train", partition: int = 1, *args: Any, **kw: Any):
        if not isinstance(partition, int) or not 1 <= partition <= 10:
            raise ValueError(
                f"Parameter 'partition' should be an integer with `1 <= partition <= 10`, but got "
                f"{partition} instead"
            )
        self._partition = partition
        super().__init__(root, split, *args, **kw)

    def _list(self) -> None:
        lists = self._base_folder / "labels" / f"{self._split}{self._partition}.txt"
        lines = [line.strip() for line in lists.read_text().splitlines()]
        images = self._base_folder / "images"
        self._named([(images / line, line.partition("/")[0]) for line in lines])

    def extra_repr(self) -> str:
        return f"split={self._split}, partition={self._partition}"


class RenderedSST2(Listed):
    """Sentences of films' reviews as images: negative and positive."""

    splits = ("train", "val", "test")
    folder = "rendered-sst2"
    archives = (
        (
            "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz",
            "2384d08e9dcfa4bd55b324e610496ee5",
        ),
    )

    def _list(self) -> None:
        self.classes = ["negative", "positive"]
        part = self._base_folder / ("valid" if self._split == "val" else self._split)
        self._named(_pictures(part, ".png"))


def _pictures(folder: Path, suffix: str) -> list[tuple[Path, str]]:
    """The files of each class's folder, in order."""
    return [
        (path, each.name)
        for each in sorted(folder.iterdir())
        if each.is_dir()
        for path in sorted(each.rglob(f"*{suffix}"))
    ]


class FGVCAircraft(Listed):
    """Aircraft by variant, family or manufacturer.

    Reference: S. Maji et al., "Fine-Grained Visual Classification of Aircraft", 2013,
    arXiv:1306.5151.
    """

    splits = ("train", "val", "trainval", "test")
    folder = "fgvc-aircraft-2013b"
    archives = (
        (
            "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
            None,
        ),
    )
    _files = {
        "variant": "variants.txt",
        "family": "families.txt",
        "manufacturer": "manufacturers.txt",
    }

    def __init__(
        self,
        root: Any,
        split: str = "trainval",
        annotation_level: str = "variant",
        *args: Any,
        **kw: Any,
    ) -> None:
        self._level = one_of(annotation_level, "annotation_level", tuple(self._files))
        super().__init__(root, split, *args, **kw)

    def _list(self) -> None:
        data = self._base_folder / "data"
        self.classes = (data / self._files[self._level]).read_text().splitlines()
        rows = (data / f"images_{self._level}_{self._split}.txt").read_text().splitlines()
        pairs = [row.strip().split(" ", 1) for row in rows]
        self._named([(data / "images" / f"{image}.jpg", name) for image, name in pairs])

    def extra_repr(self) -> str:
        return ""


class GTSRB(Listed):
    """German traffic signs of 43 kinds.

    Reference: J. Stallkamp et al., "Man vs. computer", 2012.
    """

    folder = "gtsrb"
    into = "gtsrb"
    _base = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
    _parts = {
        "train": ((f"{_base}GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478"),),
        "test": (
            (f"{_base}GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185"),
            (f"{_base}GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5"),
        ),
    }

    @property
    def archives(self) -> Any:  # type: ignore[override]
        return self._parts[self._split]

    @property
    def _data(self) -> Path:
        part = ("Training",) if self._split == "train" else ("Final_Test", "Images")
        return self._base_folder.joinpath("GTSRB", *part)

    def _check_exists(self) -> bool:
        return self._data.is_dir()

    def _list(self) -> None:
        if self._split == "train":
            self._named(_pictures(self._data, ".ppm"))
            return
        with open(self._base_folder / "GT-final_test.csv", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        self._image_files = [self._data / row["Filename"] for row in rows]
        self._labels = [int(row["ClassId"]) for row in rows]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().open(self._image_files[index]).convert("RGB")
        target = self._labels[index]
        return self.transforms(image, target) if self.transforms else (image, target)

    def extra_repr(self) -> str:
        return ""


class SUN397(Listed):
    """Scenes of 397 kinds.

    Reference: J. Xiao et al., "SUN database", 2010.
    """

    folder = "SUN397"
    archives = (
        (
            "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
            "8ca2778205c41d23104230ba66911c7a",
        ),
    )

    def __init__(self, root: Any, *args: Any, **kw: Any) -> None:
        super().__init__(root, "train", *args, **kw)

    def _list(self) -> None:
        lines = (self._base_folder / "ClassName.txt").read_text().splitlines()
        self.classes = [line[3:].strip() for line in lines]  # "/a/abbey"
        files = sorted(self._base_folder.rglob("sun_*.jpg"))
        names = ("/".join(f.relative_to(self._base_folder).parts[1:-1]) for f in files)
        self._named(list(zip(files, names)))

    def extra_repr(self) -> str:
        return ""


class OxfordIIITPet(Listed):
    """Cats and dogs of 37 breeds; targets: ``category``, ``binary-category``, ``segmentation``.

    Reference: O. Parkhi et al., "Cats and Dogs", 2012.
    """

    splits = ("trainval", "test")
    folder = "oxford-iiit-pet"
    into = "oxford-iiit-pet"
    archives = (
        (
            "https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
            "5c4f3ee8e5d25df40f4fd59a7f44e54c",
        ),
        (
            "https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
            "95a8c909bbe2e81eed6a22bccdf3f68f",
        ),
    )
    _kinds = ("category", "binary-category", "segmentation")

    def __init__(
        self,
        root: Any,
        split: str = "trainval",
        target_types: Sequence[str] | str = "category",
        transforms: Callable | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        chosen = [target_types] if isinstance(target_types, str) else list(target_types)
        self._target_types = [one_of(kind, "target_types", self._kinds) for kind in chosen]
        super().__init__(root, split, transform, target_transform, download)
        if transforms is not None:
            VisionDataset.__init__(self, root, transforms, transform, target_transform)

    def _check_exists(self) -> bool:
        return all((self._base_folder / part).is_dir() for part in ("images", "annotations"))

    def _list(self) -> None:
        notes = self._base_folder / "annotations"
        rows = [row.split() for row in (notes / f"{self._split}.txt").read_text().splitlines()]
        breeds = {int(label): image.rsplit("_", 1)[0] for image, label, *_ in rows}
        self.classes = [
            " ".join(part.title() for part in breeds[label].split("_")) for label in sorted(breeds)
        ]
        self.bin_classes = ["Cat", "Dog"]
        self.bin_class_to_idx = {"Cat": 0, "Dog": 1}
        self._image_files = [self._base_folder / "images" / f"{row[0]}.jpg" for row in rows]
        self._labels = [int(row[1]) - 1 for row in rows]
        self._bin_labels = [int(row[2]) - 1 for row in rows]
        self._segs = [notes / "trimaps" / f"{row[0]}.png" for row in rows]

    def _target(self, kind: str, index: int) -> Any:
        if kind == "segmentation":
            return pillow().open(self._segs[index])
        return (self._labels if kind == "category" else self._bin_labels)[index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().open(self._image_files[index]).convert("RGB")
        targets = tuple(self._target(kind, index) for kind in self._target_types)
        target = targets[0] if len(targets) == 1 else targets or None
        return self.transforms(image, target) if self.transforms else (image, target)

    def extra_repr(self) -> str:
        return ""


class Flowers102(Listed):
    """Flowers of 102 kinds; the lists are MATLAB's, read with SciPy.

    Reference: M.-E. Nilsback and A. Zisserman, "Automated flower classification", 2008.
    """

    splits = ("train", "val", "test")
    folder = "flowers-102"
    _prefix = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    _files = {
        "image": ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"),
        "label": ("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
        "setid": ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
    }
    _lists = {"train": "trnid", "val": "valid", "test": "tstid"}

    def _check_exists(self) -> bool:
        names = ("jpg", self._files["label"][0], self._files["setid"][0])
        return all((self._base_folder / name).exists() for name in names)

    def _fetch(self, download: bool) -> None:
        if download and not self._check_exists():
            archive, md5 = self._files["image"]
            download_and_extract_archive(self._prefix + archive, self._base_folder, md5=md5)
            for kind in ("label", "setid"):
                name, md5 = self._files[kind]
                download_url(self._prefix + name, self._base_folder, md5=md5)
        super()._fetch(False)

    def _list(self) -> None:
        from scipy.io import loadmat

        parts = loadmat(self._base_folder / "setid.mat", squeeze_me=True)
        labels = loadmat(self._base_folder / "imagelabels.mat", squeeze_me=True)["labels"]
        chosen = [int(i) for i in parts[self._lists[self._split]].reshape(-1)]
        self.classes = [name.strip() for name in _FLOWERS.replace("\n", " ").split(",")]
        self._labels = [int(labels[i - 1]) - 1 for i in chosen]
        self._image_files = [self._base_folder / "jpg" / f"image_{i:05d}.jpg" for i in chosen]


_FLOWERS = """\
pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold,
tiger lily, moon orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's
foot, king protea, spear thistle, yellow iris, globe-flower, purple coneflower, peruvian
lily, balloon flower, giant white arum lily, fire lily, pincushion flower, fritillary, red
ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian, artichoke,
sweet william, carnation, garden phlox, love in the mist, mexican aster, alpine sea holly,
ruby-lipped cattleya, cape flower, great masterwort, siam tulip, lenten rose, barbeton
daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower, marigold, buttercup,
oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop
of llandaff, gaura, geranium, orange dahlia, pink-yellow dahlia?, cautleya spicata, japanese
anemone, black-eyed susan, silverbush, californian poppy, osteospermum, spring crocus,
bearded iris, windflower, tree poppy, gazania, azalea, water lily, rose, thorn apple,
morning glory, passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus,
columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress, canna lily,
hippeastrum, bee balm, ball moss, foxglove, bougainvillea, camellia, mallow, mexican
petunia, bromelia, blanket flower, trumpet creeper, blackberry lily
"""


class EuroSAT(ImageFolder):
    """Satellite images of land of ten kinds.

    Reference: P. Helber et al., "EuroSAT", 2017, arXiv:1709.00029.
    """

    _archive = (
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
        "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        "c8fa014336c82ac7804f0398fcb19387",
    )

    def __init__(
        self,
        root: Any,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        base = os.path.join(os.path.expanduser(root), "eurosat")
        _unpacked(os.path.join(base, "2750"), base, self._archive, download)
        super().__init__(os.path.join(base, "2750"), transform, target_transform, loader)
        self.root = os.path.expanduser(root)


def _unpacked(folder: str, into: str, archive: Archive, download: bool) -> None:
    """Fetch an archive that gives a folder, unless it is there.

    Raises:
        RuntimeError: it is not.
    """
    if download and not os.path.isdir(folder):
        download_and_extract_archive(archive[0], into, md5=archive[1])
    if not os.path.isdir(folder):
        raise RuntimeError(
            f"Dataset not found under {folder}. You can use download=True to download it"
        )


class Country211(ImageFolder):
    """Photographs from 211 countries."""

    _archive = (
        "https://openaipublic.azureedge.net/clip/data/country211.tgz",
        "84988d7644798601126c29e9877aab6a",
    )

    def __init__(
        self,
        root: Any,
        split: str = "train",
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        self._split = one_of(split, "split", ("train", "valid", "test"))
        place = os.path.expanduser(root)
        base = os.path.join(place, "country211")
        _unpacked(base, place, self._archive, download)
        super().__init__(os.path.join(base, split), transform, target_transform, loader)
        self.root = place
