"""Tracing, graphs and the code made of them, beside PyTorch's."""

import copy
import io
import pickle

import pytest

import flambeau as torch
import flambeau.fx as fx
from tests.fx.programs import PROGRAMS, block


def helper(x):
    raise AssertionError("a wrapped function is not called while tracing")


fx.wrap("helper")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_as_in_pytorch(program, oracle):
    import torch.fx.passes.shape_prop

    found, wanted = program(torch), program(oracle)
    assert repr(found) == repr(wanted) if program.__name__ != "traced_values" else True
    if program.__name__ == "traced_values":
        oracle.testing.assert_close(found[0], wanted[0])
        assert found[1:] == wanted[1:]


def test_a_wrapped_function_is_one_node():
    traced = fx.symbolic_trace(lambda x: helper(x) + 1)
    assert [n.name for n in traced.graph.nodes] == ["x", "helper", "add", "output"]
    assert 'torch.fx._symbolic_trace.wrap("' in traced.code


@pytest.mark.parametrize("through", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_do_the_same(through):
    x = torch.randn(1, 4, 3, 3)
    traced = fx.symbolic_trace(block(torch))
    made = through(traced)
    assert made.code == traced.code and type(made).__name__ == type(traced).__name__
    assert torch.equal(made(x)[0]["best"], traced(x)[0]["best"])


def test_a_traced_module_goes_through_a_checkpoint():
    traced = fx.symbolic_trace(block(torch))
    file = io.BytesIO()
    torch.save(traced, file)
    file.seek(0)
    assert torch.load(file, weights_only=False).code == traced.code


def test_nothing_stays_watched_after_a_trace():
    before = (torch.relu, torch.nn.Module.__call__, torch.nn.Module.__getattr__)
    with pytest.raises(fx.proxy.TraceError):
        fx.symbolic_trace(lambda x: 1 if x else 2)
    assert (torch.relu, torch.nn.Module.__call__, torch.nn.Module.__getattr__) == before


def test_gradients_flow_through_a_traced_module():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    fx.symbolic_trace(module)(torch.ones(2, 3)).sum().backward()
    assert module[0].weight.grad is not None  # the parameters are shared


def test_lint_finds_disorder():
    graph = fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(torch.neg, (x,))
    z = graph.call_function(torch.exp, (y,))
    graph.output(z)
    z.append(y)
    with pytest.raises(RuntimeError, match="used before it has been defined"):
        graph.lint()


def test_a_folder_holds_the_module(tmp_path, monkeypatch):
    traced = fx.symbolic_trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()))
    traced.to_folder(tmp_path / "made", "Made")
    source = (tmp_path / "made" / "module.py").read_text()
    assert "class Made(torch.nn.Module)" in source and "def forward(self, input)" in source
