"""`torch.compile` wraps as PyTorch does, runs eagerly, and says so once."""

from __future__ import annotations

import warnings

import pytest

import flambeau as torch
from flambeau import compat, compiler


@pytest.fixture(autouse=True)
def _said(monkeypatch):
    monkeypatch.setattr(compat, "_said", {"torch.compile"})


def test_it_is_said_once(monkeypatch):
    monkeypatch.setattr(compat, "_said", set())
    with pytest.warns(UserWarning, match="runs eagerly"):
        compiler.compile(abs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiler.compile(abs)


def test_functions():
    def double(x):
        "twice"
        return 2 * x

    found = compiler.compile(double, fullgraph=True, mode="max-autotune")
    assert found(3) == 6 and found.__name__ == "double" and found.__doc__ == "twice"

    @compiler.compile(dynamic=True)
    def triple(x):
        return 3 * x

    assert triple(3) == 9 and compiler.compile(double, disable=True) is double


def test_modules():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    found = compiler.compile(module)
    assert isinstance(found, torch.nn.Module) and found._orig_mod is module
    assert list(found.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    assert [n for n, _ in found.named_modules()] == ["", "_orig_mod", "_orig_mod.0"]
    found.extra = 3
    assert module.extra == 3 and found.extra == 3
    found.eval()
    assert not module.training and not found.training
    x = torch.ones(1, 2)
    assert torch.equal(found(x), module(x))
    module.load_state_dict({k.removeprefix("_orig_mod."): v for k, v in found.state_dict().items()})


def test_refusals():
    with pytest.raises(AssertionError, match="callable"):
        compiler.compile(3)
    with pytest.raises(RuntimeError, match="Unrecognized mode=foo"):
        compiler.compile(abs, mode="foo")
    with pytest.raises(RuntimeError, match="both"):
        compiler.compile(abs, mode="default", options={})


def test_compiler_names():
    assert compiler.is_compiling() is False and "inductor" in compiler.list_backends()
    assert compiler.disable(abs) is abs and compiler.disable()(abs) is abs
    with compiler.set_stance("force_eager"):
        pass
