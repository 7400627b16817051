"""Data sets against torchvision's own samples and printed forms."""

import pytest

from flambeau.vision import datasets
from tests.vision.cases.datasets import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("datasets", name, CASES[name])


def test_folders_without_samples_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="each class"):
        datasets.ImageFolder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(FileNotFoundError, match="cat"):
        datasets.ImageFolder(tmp_path)
    assert len(datasets.ImageFolder(tmp_path, allow_empty=True)) == 0
