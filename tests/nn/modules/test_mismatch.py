"""A state dictionary that does not fit is told what to do about it, and the told call loads."""

import pytest

import flambeau as torch
from flambeau import nn


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


@pytest.mark.parametrize("prefix", ["module.", "backbone.net."])
def test_a_prefix_too_many_or_too_few(prefix):
    here = model()
    state_dict = {prefix + k: v for k, v in here.state_dict().items()}
    with pytest.raises(RuntimeError, match=f"Every key has the prefix '{prefix}'") as caught:
        here.load_state_dict(state_dict)
    call = str(caught.value).rpartition("load_state_dict(")[2].removesuffix(").")
    assert here.load_state_dict(eval(call)).missing_keys == []

    wrapped = nn.Module()
    wrapped.module = model()
    with pytest.raises(RuntimeError, match=r"Every key lacks the prefix 'module\.'") as caught:
        wrapped.load_state_dict(here.state_dict())
    call = str(caught.value).rpartition("load_state_dict(")[2].removesuffix(").")
    state_dict = here.state_dict()
    assert wrapped.load_state_dict(eval(call, {"state_dict": state_dict})).missing_keys == []


def test_a_checkpoint_instead_of_its_state():
    here = model()
    checkpoint = {"epoch": 3, "net": here.state_dict()}
    with pytest.raises(
        RuntimeError, match=r"one level deeper: load_state_dict\(checkpoint\['net'\]"
    ):
        here.load_state_dict(checkpoint)


def test_other_differences_are_only_listed():
    here = model()
    state = here.state_dict()
    state["other.weight"] = state.pop("0.weight")
    with pytest.raises(RuntimeError) as caught:
        here.load_state_dict(state)
    assert "prefix" not in str(caught.value) and "deeper" not in str(caught.value)
    with pytest.raises(RuntimeError, match="size mismatch"):
        here.load_state_dict({**here.state_dict(), "2.bias": torch.ones(2)})
