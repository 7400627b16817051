"""Transforms against torchvision's own results."""

import pytest

import flambeau as torch
from flambeau.vision import transforms
from tests.vision.cases.transforms import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")

# Bilinear upsampling of bytes: one value of 1440 lies at a half. Mixtures and displacements are
# float32 sums cut to bytes: where one comes to a whole number, it is that or one less.
TIES = {"resizes": 1e-3, "mixed": 3e-3}


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("transforms", name, CASES[name], ties=TIES.get(name, 0.0))


def test_errors_are_torchvisions_types():
    T, F = transforms, transforms.functional
    image = torch.zeros(3, 6, 6)
    with pytest.raises(TypeError, match="to_tensor"):
        F.to_tensor("image")
    with pytest.raises(TypeError, match="floating point"):
        F.normalize(image.byte(), 0.0, 1.0)
    with pytest.raises(ValueError, match="std is 0"):
        F.normalize(image, [0.0], [0.0])
    with pytest.raises(ValueError, match="pad_if_needed"):
        T.RandomCrop(9)(image)
    with pytest.raises(ValueError, match="odd"):
        T.GaussianBlur(4)
    with pytest.raises(TypeError, match="jitter|number or a pair"):
        T.ColorJitter("much")
    with pytest.raises(RuntimeError, match="too coarse"):
        F.convert_image_dtype(image, torch.int64)
    with pytest.raises(ValueError, match="larger than the shorter edge"):
        F.resize(image, 4, max_size=4)
