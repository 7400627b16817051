"""Rows 110 and 111 of the notes: torchvision's rooms, and where trained weights lie."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import flambeau

PROGRAM = """
import torch, torchvision
from torchvision import datasets, models, transforms, utils
model = models.resnet18()
state = model.state_dict()
assert list(state)[:2] == ["conv1.weight", "bn1.weight"], list(state)[:2]
assert "layer4.1.bn2.num_batches_tracked" in state
model.load_state_dict(state)
image = transforms.Normalize([0.5], [0.5])(torch.ones(1, 4, 4))
assert utils.make_grid([image, image]).shape == (3, 8, 14)
assert len(datasets.FakeData(3, (3, 8, 8))) == 3
print(len(state))
"""


def test_row_110_torchvision_under_the_alias():
    found = subprocess.run(
        [sys.executable, "-m", "flambeau", "-c", PROGRAM], capture_output=True, text=True
    )
    assert (found.stdout.strip(), found.returncode) == ("122", 0), found.stderr


def test_row_110_state_dicts_have_torchvisions_names(home):
    from flambeau.vision import models

    file, first, second = home / "model.pth", models.resnet18(), models.resnet18()
    assert len(first.state_dict()) == 122
    assert "layer4.1.bn2.num_batches_tracked" in first.state_dict()
    flambeau.save(first.state_dict(), file)
    second.load_state_dict(flambeau.load(file))
    assert flambeau.equal(first.fc.weight, second.fc.weight)


def _weights(torch, folder):
    folder.mkdir(parents=True)
    torch.save({"w": torch.ones(2)}, folder / "tiny.pth")


@pytest.mark.parametrize("variable", [None, "TORCH_HOME"])
def test_row_111_weights_that_are_there_are_not_fetched(torch, home, monkeypatch, variable):
    if variable:
        monkeypatch.setenv(variable, str(home / "elsewhere"))
    cache = home / "elsewhere" if variable else home / ".cache" / "torch"
    assert torch.hub.get_dir() == str(cache / "hub")
    _weights(torch, cache / "hub" / "checkpoints")
    model_zoo = importlib.import_module(f"{torch.__name__}.utils.model_zoo")
    found = model_zoo.load_url("https://nowhere.invalid/tiny.pth")
    assert found["w"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("variable", [None, "TORCH_MODEL_ZOO"])
@pytest.mark.filterwarnings("ignore:TORCH_MODEL_ZOO is deprecated")
def test_row_111_the_old_folders_are_looked_into(home, monkeypatch, variable):
    if variable:
        monkeypatch.setenv(variable, str(home / "zoo"))
    _weights(flambeau, home / "zoo" if variable else home / ".torch" / "models")
    found = flambeau.hub.load_state_dict_from_url("https://nowhere.invalid/tiny.pth")
    assert found["w"].tolist() == [1.0, 1.0]
    assert not (home / ".cache").exists()
