"""Images in files and bytes against torchvision's own."""

import pytest

import flambeau as torch

pytest.importorskip("PIL.Image")

from flambeau.vision import io
from tests.vision.cases.io import CASES
from tests.vision.check import check


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("io", name, CASES[name])


def test_files_are_written_and_read(tmp_path):
    image = torch.randint(0, 256, (3, 7, 6), dtype=torch.uint8)
    io.write_png(image, tmp_path / "a.png")
    assert torch.equal(io.read_image(tmp_path / "a.png"), image)
    assert torch.equal(io.decode_image(str(tmp_path / "a.png"), "RGB"), image)
    io.write_jpeg(image, tmp_path / "a.jpg", quality=90)
    assert io.read_image(tmp_path / "a.jpg", "gray").shape == (1, 7, 6)
    io.write_file(tmp_path / "b", torch.tensor([1, 2], dtype=torch.uint8))
    assert io.read_file(tmp_path / "b").tolist() == [1, 2]


def test_errors_are_torchvisions_types(tmp_path):
    image = torch.zeros(3, 4, 4, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="No such file"):
        io.read_image(tmp_path / "absent.png")
    (tmp_path / "empty").touch()
    with pytest.raises(RuntimeError, match="non empty"):
        io.read_file(tmp_path / "empty")
    (tmp_path / "text").write_text("no image")
    with pytest.raises(RuntimeError, match="Unsupported"):
        io.read_image(tmp_path / "text")
    with pytest.raises(RuntimeError, match="decode_jpeg"):
        io.decode_jpeg(io.encode_png(image))
    with pytest.raises(RuntimeError, match="channels"):
        io.encode_png(image[:2])
    with pytest.raises(RuntimeError, match="uint8"):
        io.encode_jpeg(image.float())
    with pytest.raises(ValueError, match="quality"):
        io.encode_jpeg(image, 101)
    with pytest.raises(RuntimeError, match="between 0 and 9"):
        io.encode_png(image, 10)
