"""Every public name of torchvision is here; those that are not built say so when they are used."""

import json
from importlib import import_module

import pytest

from flambeau import vision
from tests.vision.make_surface import SURFACE

WANTED = json.loads(SURFACE.read_text())
LACKING: dict[str, list[str]] = {}
"""Of each room the names that are not here at all."""


@pytest.mark.parametrize("room", WANTED)
def test_every_public_name(room):
    module = import_module(f"flambeau.vision.{room}".rstrip("."))
    assert [n for n in WANTED[room] if not hasattr(module, n)] == LACKING.get(room, [])


def test_quantized_models_say_what_there_is_instead():
    with pytest.raises(NotImplementedError, match=r"torchvision.models has resnet18"):
        vision.models.quantization.resnet18()
    with pytest.raises(AttributeError):
        _ = vision.models.quantization.nothing


def test_what_reads_images():
    assert vision.get_image_backend() == "PIL"
    vision.set_image_backend("PIL")
    with pytest.raises(ValueError, match="accimage"):
        vision.set_image_backend("accimage")
    with pytest.raises(RuntimeError, match="HEIC"):
        vision.io.decode_heic(None)
