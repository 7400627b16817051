"""Models against goldens that make_goldens.py wrote under real torchvision."""

import json

import pytest

import flambeau as torch
from flambeau.vision import models
from tests.vision.models.make_goldens import GOLDENS, layout, measure

WANTED = json.loads(GOLDENS.read_text())
QUICK = ["alexnet", "resnet18", "squeezenet1_1", "mobilenet_v2"]


def close(got, wanted):
    got, wanted = torch.tensor(got), torch.tensor(wanted)
    assert got.shape == wanted.shape
    return (got - wanted).abs().max().item() <= 1e-4 * wanted.abs().max().item()


@pytest.mark.filterwarnings("ignore:.*truncated normal:FutureWarning")
@pytest.mark.parametrize("name", sorted(WANTED))
def test_layout_and_parameters(name):
    with torch.device("meta"):
        model = models.get_model(name)
    assert layout(model) == WANTED[name]["layout"]
    assert sum(p.numel() for p in model.parameters()) == WANTED[name]["parameters"]


@pytest.mark.parametrize("name", [n for n in QUICK if n in WANTED])
def test_seeded_model_gives_the_same_numbers(name):
    got, wanted = measure(torch, models.get_model_builder(name)), WANTED[name]
    assert got["after"] == wanted["after"]
    assert close(got["eval"], wanted["eval"])
    assert (got["train"] is None) == (wanted["train"] is None)
    assert got["train"] is None or close(got["train"], wanted["train"])


def test_trained_weights_are_never_silently_left_out():
    for asked in ({"pretrained": True}, {"weights": "DEFAULT"}):
        with pytest.raises(NotImplementedError, match="no table of trained weights"):
            models.resnet18(**asked)


def test_the_registry_finds_names_and_refuses_others():
    assert models.list_models(include="resnet1*", exclude=["*01", "*52"]) == ["resnet18"]
    assert models.get_model_builder("ResNet18") is models.resnet18
    with pytest.raises(ValueError, match="Unknown model nothing"):
        models.get_model("nothing")
