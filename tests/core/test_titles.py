"""What users find by a name, pickle finds by that name again."""

from __future__ import annotations

import importlib
import inspect
import pickle

import pytest

import flambeau as torch

ROOMS = (
    "flambeau",
    "flambeau.nn.functional",
    "flambeau.linalg",
    "flambeau.fft",
    "flambeau.special",
    "flambeau.optim.lr_scheduler",
    "flambeau.utils.hooks",
    "flambeau.autograd.graph",
)


def _again(value):
    try:
        return pickle.loads(pickle.dumps(value))
    except (AttributeError, pickle.PicklingError):
        return None


@pytest.mark.names
@pytest.mark.parametrize("room", ROOMS)
def test_a_function_or_class_is_pickled_by_its_name(room):
    module = importlib.import_module(room)
    lost = []
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if value.__module__ == "torch":
            continue  # old classes of tensors and storages: found under the alias alone
        if _again(value) is not value:
            lost.append(name)
    assert lost == []


@pytest.mark.names
def test_a_method_is_pickled_by_its_name():
    lost = []
    for name in dir(torch.Tensor):
        value = getattr(torch.Tensor, name)
        if name.startswith("_") or not callable(value):
            continue
        if _again(value) != value:  # what stands in a function's place equals it
            lost.append(name)
    assert lost == []


def test_a_layer_that_holds_a_function_is_saved_and_loaded(tmp_path):
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, activation=torch.where)
    torch.save(layer, tmp_path / "layer.pt")
    again = torch.load(tmp_path / "layer.pt", weights_only=False)
    assert again.activation is torch.where
