"""Models of videos and optical flow against goldens that make_video.py wrote."""

import json

import pytest

import flambeau as torch
from flambeau.vision import models
from flambeau.vision.models import optical_flow, video
from tests.vision.models.make_goldens import layout
from tests.vision.models.make_video import GOLDENS, outputs, seeded

WANTED = json.loads(GOLDENS.read_text())
BUILT = sorted(name for room in (video, optical_flow) for name in models.list_models(room))
# The quick ones; all were compared once so, with make_video.py as it is.
KINDS = ["mc3_18", "r2plus1d_18", "r3d_18", "raft_large", "raft_small"]


@pytest.mark.filterwarnings("ignore:.*truncated normal:FutureWarning")
@pytest.mark.parametrize("name", BUILT)
def test_layout_and_parameters(name):
    with torch.device("meta"):
        model = models.get_model(name)
    assert layout(model) == WANTED[name]["layout"]
    assert sum(p.numel() for p in model.parameters()) == WANTED[name]["parameters"]


@pytest.mark.parametrize("name", KINDS)
def test_draws_and_outputs(name):
    wanted = WANTED[name]
    model, drawn = seeded(torch, models.get_model_builder(name))
    assert drawn["after"] == wanted["after"]
    assert drawn["drawn"] == pytest.approx(wanted["drawn"], rel=1e-6)
    for got, each in zip(outputs(torch, model, name), wanted["eval"]):
        got, each = (torch.tensor(v, dtype=torch.float64) for v in (got, each))
        assert (got - each).abs().max() <= 1e-4 * each.abs().max()


def test_what_raft_refuses():
    model = optical_flow.raft_small()
    with pytest.raises(ValueError, match="divisible"):
        model(torch.zeros(1, 3, 130, 128), torch.zeros(1, 3, 130, 128))
    with pytest.raises(ValueError, match="same shape"):
        model(torch.zeros(1, 3, 128, 128), torch.zeros(1, 3, 128, 136))
    with pytest.raises(ValueError, match="too small"):
        model(torch.zeros(1, 3, 64, 128), torch.zeros(1, 3, 64, 128))


def test_what_trained_weights_want_of_their_inputs():
    frames = torch.randint(0, 256, (2, 3, 60, 80), dtype=torch.uint8)
    assert video.R3D_18_Weights.DEFAULT.transforms()(frames).shape == (3, 2, 112, 112)
    first, _ = optical_flow.Raft_Small_Weights.DEFAULT.transforms()(frames, frames)
    assert (first.min().item(), first.max().item()) == (-1.0, 1.0)
