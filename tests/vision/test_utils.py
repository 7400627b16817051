"""Grids and drawings against torchvision's own; files whole or not at all."""

import io

import numpy as np
import pytest

import flambeau as torch
from flambeau.vision import utils
from tests.vision.cases.utils import CASES
from tests.vision.check import check

pillow = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", CASES)
def test_torchvision_draws_the_same(name):
    check("utils", name, CASES[name])


def test_save_image_writes_what_the_grid_holds(tmp_path):
    x = torch.rand(3, 3, 5, 4)
    utils.save_image(x, tmp_path / "grid.png", nrow=2)
    held = np.asarray(pillow.open(tmp_path / "grid.png"))
    expected = utils.make_grid(x, nrow=2).mul(255).add(0.5).clamp(0, 255).to(torch.uint8)
    assert (held == expected.permute(1, 2, 0).numpy()).all()
    file = io.BytesIO()
    utils.save_image(x[0], file, format="png")
    assert pillow.open(file).size == (4, 5)


def test_save_image_that_fails_leaves_the_old_file(tmp_path):
    name = tmp_path / "a.png"
    name.write_bytes(b"old")
    with pytest.raises(Exception):
        utils.save_image(torch.rand(3, 2, 2), name, format="no such format")
    assert name.read_bytes() == b"old" and list(tmp_path.iterdir()) == [name]
    with pytest.raises(ValueError, match="suffix"):
        utils.save_image(torch.rand(3, 2, 2), tmp_path / "a.unknown")


def test_errors_are_torchvisions_types():
    image, box = torch.zeros(3, 8, 8, dtype=torch.uint8), torch.tensor([[1, 1, 4, 4]])
    with pytest.raises(TypeError, match="list of tensors"):
        utils.make_grid("images")
    with pytest.raises(TypeError, match="value_range"):
        utils.make_grid(torch.zeros(2, 3, 4, 4), normalize=True, value_range=[0, 1])
    for bad in (image[None], image.int(), image[:2]):
        with pytest.raises(ValueError, match="image"):
            utils.draw_bounding_boxes(bad, box)
    with pytest.raises(ValueError, match="xmin <= xmax"):
        utils.draw_bounding_boxes(image, box.flip(1))
    with pytest.raises(ValueError, match="labels"):
        utils.draw_bounding_boxes(image, box, labels=["a", "b"])
    with pytest.raises(ValueError, match="colors"):
        utils.draw_bounding_boxes(image, box, colors=[])
    with pytest.raises(ValueError, match="bool"):
        utils.draw_segmentation_masks(image, image[0])
    with pytest.raises(ValueError, match=r"\(N, K, 2\)"):
        utils.draw_keypoints(image, box)
    with pytest.raises(ValueError, match="float32"):
        utils.flow_to_image(image[:2])
    with pytest.warns(UserWarning, match="nothing was drawn"):
        assert utils.draw_bounding_boxes(image, box[:0]) is image
