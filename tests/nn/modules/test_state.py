"""state_dict and load_state_dict: keys, metadata, hooks, errors."""

import copy
import gc
import weakref
from collections import OrderedDict

import pytest

import flambeau as torch
from flambeau import nn


class Part(nn.Module):
    _version = 3

    def __init__(self, size=2):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scratch", torch.zeros(size), persistent=False)
        self.register_buffer("nothing", None)


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part()
        self.scale = nn.Parameter(torch.tensor(2.0))


def test_keys_and_metadata():
    module = Whole()
    state = module.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == ["scale", "part.weight", "part.mean"]
    assert dict(state._metadata) == {"": {"version": 1}, "part": {"version": 3}}
    assert not state["scale"].requires_grad
    assert state["scale"].data_ptr() == module.scale.data_ptr()
    assert module.state_dict(keep_vars=True)["scale"] is module.scale
    assert list(module.state_dict(prefix="m."))[0] == "m.scale"


def test_positional_arguments_warn():
    with pytest.warns(FutureWarning, match="Positional args"):
        state = Whole().state_dict(OrderedDict(), "p.")
    assert "p.scale" in state


def test_round_trip():
    source, target = Whole(), Whole()
    with torch.no_grad():
        source.part.weight.fill_(7.0)
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert target.part.weight.tolist() == [7.0, 7.0]


def test_errors_come_together():
    state = Whole().state_dict()
    del state["scale"]
    state["other"] = torch.ones(1)
    state["part.weight"] = torch.ones(3)
    with pytest.raises(RuntimeError) as error:
        Whole().load_state_dict(state)
    assert str(error.value) == (
        "Error(s) in loading state_dict for Whole:\n"
        '\tMissing key(s) in state_dict: "scale". \n'
        '\tUnexpected key(s) in state_dict: "other". \n'
        "\tsize mismatch for part.weight: copying a param with shape torch.Size([3]) from "
        "checkpoint, the shape in current model is torch.Size([2])."
    )


def test_lenient():
    result = Whole().load_state_dict({"other": torch.ones(1)}, strict=False)
    assert result.missing_keys == ["scale", "part.weight", "part.mean"]
    assert result.unexpected_keys == ["other"]
    with pytest.raises(TypeError, match="dict-like"):
        Whole().load_state_dict([1])


def test_assign_takes_the_tensors():
    module = Whole()
    state = {name: tensor.double() for name, tensor in module.state_dict().items()}
    module.load_state_dict(state, assign=True)
    assert module.part.weight.dtype == torch.float64
    assert isinstance(module.part.weight, nn.Parameter) and module.part.weight.requires_grad
    assert module.part.mean is state["part.mean"]


def test_scalars_of_old_checkpoints():
    module = Whole()
    state = module.state_dict()
    state["scale"] = torch.tensor([5.0])
    module.load_state_dict(state)
    assert module.scale.item() == 5.0


def test_save_and_load_hooks():
    module = Whole()
    calls = []
    module.register_state_dict_pre_hook(lambda m, prefix, keep: calls.append("pre"))
    module.register_state_dict_post_hook(lambda m, state, prefix, meta: state.pop("scale"))
    with pytest.raises(RuntimeError, match="must return None"):
        module.state_dict()
    module = Whole()
    module._register_state_dict_hook(lambda m, state, prefix, meta: {"only": 1})
    assert module.state_dict() == {"only": 1}
    module = Whole()
    module.register_load_state_dict_pre_hook(
        lambda m, state, prefix, *_: state.setdefault("scale", torch.tensor(9.0))
    )
    module.register_load_state_dict_post_hook(lambda m, keys: keys.unexpected_keys.clear())
    state = Whole().state_dict()
    del state["scale"]
    state["other"] = torch.ones(1)
    module.load_state_dict(state)
    assert module.scale.item() == 9.0


def test_extra_state():
    class Extra(Part):
        def get_extra_state(self):
            return {"step": 4}

        def set_extra_state(self, state):
            self.step = state["step"]

    module = Extra()
    assert module.state_dict()["_extra_state"] == {"step": 4}
    module.load_state_dict(module.state_dict())
    assert module.step == 4
    with pytest.raises(RuntimeError, match="_extra_state"):
        module.load_state_dict(Part().state_dict())
    with pytest.raises(RuntimeError, match="Unexpected"):
        Part().load_state_dict(module.state_dict())


def test_a_hook_that_gets_its_module_does_not_keep_it_alive():
    module, seen = nn.Linear(2, 2), []
    module.register_load_state_dict_pre_hook(lambda module, *args: seen.append(module))
    module.load_state_dict(module.state_dict())
    assert seen.pop() is module
    twin = copy.deepcopy(module)
    twin.load_state_dict(module.state_dict())
    assert seen.pop() is twin
    again, enabled = weakref.ref(module), gc.isenabled()
    gc.disable()
    try:
        del module
        assert again() is None
    finally:
        if enabled:
            gc.enable()
