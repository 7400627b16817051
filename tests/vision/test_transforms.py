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


@pytest.mark.parametrize("mode", ["L", "RGB", "F"])
def test_pillow_fills_with_whole_numbers(mode):
    import numpy as np
    from PIL import Image

    F = transforms.functional
    picture = Image.new(mode, (4, 3))
    for fill in (85.7, (85.7,), [85.7] * len(picture.getbands())):
        corner = np.asarray(F.pad(picture, 1, fill))[0, 0]
        assert np.allclose(corner, 85.7 if mode == "F" else 85)
    with pytest.raises(TypeError, match="fill"):
        F.pad(picture, 1, "red")
    with pytest.raises(ValueError, match="fill"):
        F.pad(picture, 1, [1, 2])


def test_16_bits_come_back_from_pillow_with_their_sign():
    values = torch.tensor([[[-30000, -1], [0, 30000]]], dtype=torch.int16)
    back = transforms.functional.to_tensor(transforms.functional.to_pil_image(values))
    assert back.dtype == torch.int16 and torch.equal(back, values)


def test_a_blur_takes_one_spread_but_two_sizes():
    image = torch.rand(3, 9, 9)
    blur = transforms.functional.gaussian_blur
    assert torch.equal(blur(image, 3, [1.0]), blur(image, [3, 3], 1.0))
    with pytest.raises(ValueError, match="pair"):
        blur(image, [3])
