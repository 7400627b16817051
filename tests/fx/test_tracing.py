"""Models as graphs: traced and run again they compute what they did; passes over them do."""

from __future__ import annotations

import importlib
import operator

import pytest

import flambeau
from flambeau import fx, nn


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.scale = nn.Parameter(flambeau.ones(4))
        self.register_buffer("shift", flambeau.zeros(4))

    def forward(self, x):
        low, high = x
        for layer in self.layers:
            low = layer(low).relu() * self.scale
        return {"sum": low + high + self.shift, "shape": low.shape[0]}


def test_a_module_of_ones_own():
    model = Branching()
    traced = fx.symbolic_trace(model)
    x = flambeau.randn(2, 4), flambeau.randn(2, 4)
    assert traced.layers.get_submodule("0") is model.layers[0]
    assert flambeau.equal(traced(x)["sum"], model(x)["sum"])
    traced(x)["sum"].sum().backward()
    assert model.scale.grad is not None


def test_tracing_leaves_modules_as_they_were():
    call, read = nn.Module.__call__, nn.Module.__getattr__
    with pytest.raises(fx.proxy.TraceError):
        fx.symbolic_trace(lambda x: 1 if x else 2)
    assert nn.Module.__call__ is call and nn.Module.__getattr__ is read


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_models_of_vision(name):
    models = importlib.import_module("flambeau.vision.models")
    model = getattr(models, name)().eval()
    x = flambeau.randn(1, 3, 32, 32)
    traced = fx.symbolic_trace(model)
    traced.graph.lint()
    with flambeau.no_grad():
        assert flambeau.equal(traced(x), model(x))
        assert flambeau.equal(fx.Interpreter(traced).run(x), model(x))


def test_a_pass_over_the_calls():
    traced = fx.symbolic_trace(lambda x: (x + 1) * (x + 2))
    for node in traced.graph.find_nodes(op="call_function", target=operator.add):
        node.target = operator.sub
    traced.recompile()
    assert traced(flambeau.tensor([5.0])).tolist() == [12.0]


def test_errors_show_the_line_of_the_graph():
    traced = fx.symbolic_trace(lambda x: x.reshape(7))
    with pytest.raises(RuntimeError):
        traced(flambeau.ones(3))
    with pytest.raises(RuntimeError) as caught:
        fx.Interpreter(traced).run(flambeau.ones(3))
    assert "call_method[target=reshape]" in caught.value.__notes__[0]


def test_a_program_in_a_folder(tmp_path, monkeypatch):
    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    traced.to_folder(tmp_path / "written")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(importlib.sys.modules, "torch", flambeau)
    made = importlib.import_module("written").FxModule()
    x = flambeau.ones(1, 2)
    assert flambeau.equal(made(x), traced(x))
