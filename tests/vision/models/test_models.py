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
    assert close(got["train"], wanted["train"])


def test_weights_are_loaded_from_the_folder_of_downloads(tmp_path):
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    assert weights is models.get_weight("SqueezeNet1_1_Weights.IMAGENET1K_V1")
    assert weights in models.get_model_weights("squeezenet1_1")
    wanted = models.squeezenet1_1().state_dict()
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    try:
        (tmp_path / "checkpoints").mkdir()
        torch.save(wanted, tmp_path / "checkpoints" / weights.url.rpartition("/")[2])
        loaded = [models.squeezenet1_1(weights=w) for w in (weights, "DEFAULT")]
        with pytest.warns(UserWarning, match="'pretrained' is deprecated"):
            loaded.append(models.squeezenet1_1(pretrained=True))
    finally:
        torch.hub.set_dir(before)
    for model in loaded:
        assert all(torch.equal(v, wanted[k]) for k, v in model.state_dict().items())


def test_weights_of_another_model_or_size_are_refused():
    with pytest.raises(TypeError, match="ResNet18_Weights"):
        models.resnet18(weights=models.AlexNet_Weights.DEFAULT)
    with pytest.raises(ValueError, match="num_classes=1000"):
        models.resnet18(weights="DEFAULT", num_classes=10)


def test_the_registry_finds_names_and_refuses_others():
    assert models.list_models(include="resnet1*", exclude=["*01", "*52"]) == ["resnet18"]
    assert models.get_model_builder("ResNet18") is models.resnet18
    with pytest.raises(ValueError, match="Unknown model nothing"):
        models.get_model("nothing")
