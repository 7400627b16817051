"""Models against goldens that make_goldens.py wrote under real torchvision."""

import json

import pytest

import flambeau as torch
from flambeau.vision import models
from flambeau.vision.models import resnet
from flambeau.vision.models.vision_transformer import interpolate_embeddings
from tests.vision.models.make_goldens import GOLDENS, layout, outputs, seeded

WANTED = json.loads(GOLDENS.read_text())
LARGE = 50e6  # parameters; of more, training in float64 takes seconds
BACKBONES = {name: {"weights_backbone": None} for name in models.list_models(models.segmentation)}
# The smallest of each family; all were compared once so, with make_goldens.py as it is.
FAMILIES = [
    "alexnet", "convnext_tiny", "deeplabv3_mobilenet_v3_large", "densenet121", "efficientnet_b0",
    "fcn_resnet50", "googlenet", "inception_v3", "lraspp_mobilenet_v3_large", "mnasnet0_5",
    "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18",
    "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vit_b_32",
]  # fmt: skip


def close(got, wanted, rtol):
    assert len(got) == len(wanted)
    for each in zip(got, wanted):
        a, b = (torch.tensor(values, dtype=torch.float64) for values in each)
        assert a.shape == b.shape
        assert (a - b).abs().max().item() <= rtol * b.abs().max().item()


@pytest.mark.filterwarnings("ignore:.*truncated normal:FutureWarning")
@pytest.mark.parametrize("name", sorted(WANTED))
def test_layout_and_parameters(name):
    with torch.device("meta"):
        model = models.get_model(name, **BACKBONES.get(name, {}))
    assert layout(model) == WANTED[name]["layout"]
    assert sum(p.numel() for p in model.parameters()) == WANTED[name]["parameters"]


@pytest.mark.filterwarnings("ignore:.*truncated normal:FutureWarning")
@pytest.mark.parametrize("name", FAMILIES)
def test_draws_and_outputs(name):
    wanted = WANTED[name]
    model, drawn = seeded(torch, models.get_model_builder(name), name)
    assert drawn["after"] == wanted["after"]
    assert drawn["drawn"] == pytest.approx(wanted["drawn"], rel=1e-6)
    found = outputs(torch, model, wanted["parameters"] > LARGE)
    close(found["eval"], wanted["eval"], 1e-4)
    if "train" in found:
        close(found["train"], wanted["train"], 1e-9)


def test_every_model_is_known():
    rooms = (models, models.segmentation)
    assert sorted(name for room in rooms for name in models.list_models(room)) == sorted(WANTED)
    assert models.list_models(include="resnet1*", exclude=["*01", "*52"]) == ["resnet18"]
    assert models.list_models(models.segmentation, include="fcn*") == [
        "fcn_resnet101",
        "fcn_resnet50",
    ]
    assert models.get_model_builder("ResNet18") is models.resnet18
    with pytest.raises(ValueError, match="Unknown model nothing"):
        models.get_model("nothing")


def test_embeddings_of_positions_are_resized():
    sizes = {"patch_size": 4, "num_layers": 1, "num_heads": 1, "hidden_dim": 4, "mlp_dim": 4}
    trained, larger = (models.VisionTransformer(image_size=n, **sizes) for n in (8, 12))
    torch.nn.init.constant_(trained.encoder.pos_embedding, 2.5)
    state = interpolate_embeddings(12, 4, trained.state_dict(), reset_heads=True)
    missing, unexpected = larger.load_state_dict(state, strict=False)
    assert {name.split(".")[0] for name in missing} == {"heads"} and not unexpected
    torch.testing.assert_close(larger.encoder.pos_embedding, torch.full((1, 10, 4), 2.5))
    assert interpolate_embeddings(8, 4, trained.state_dict()).keys() == trained.state_dict().keys()
    state["encoder.pos_embedding"] = torch.zeros(1, 6, 4)
    with pytest.raises(ValueError, match="perfect square"):
        interpolate_embeddings(12, 4, state)


def test_weights_are_found_beside_their_builders():
    assert resnet.ResNet18_Weights is models.ResNet18_Weights
    with pytest.raises(AttributeError, match="Other_Weights"):
        resnet.Other_Weights
