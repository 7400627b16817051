"""Errors for missing names: who stands in, and what is near."""

from __future__ import annotations

import pytest

import flambeau
from flambeau.shim.suggest import missing, missing_module, nearest

NAMES = ["backward", "tensor", "Tensor", "relu", "reshape", "_private", "argmax"]


@pytest.mark.parametrize(
    ("name", "found"),
    [("backwards", "backward"), ("Relu", "relu"), ("reshpae", "reshape"), ("argmaxx", "argmax")],
)
def test_nearest(name, found):
    assert nearest(name, NAMES)[0] == found


def test_nothing_near():
    assert nearest("quaternion", NAMES) == []
    assert nearest("privat", ["_private"]) == []


def test_missing_is_an_attribute_error_with_the_mend():
    error = missing("flambeau.autograd", "backwards", NAMES)
    assert isinstance(error, AttributeError)
    assert str(error) == (
        "module 'flambeau.autograd' has no attribute 'backwards': flambeau, which stands in for "
        "PyTorch, has no torch.autograd.backwards. Did you mean: 'backward'?"
    )
    assert "has no torch.backwards. Did" in str(missing("torch", "backwards", NAMES))
    assert "Did you mean" not in str(missing("flambeau", "__wrapped__", NAMES))


def test_missing_module():
    error = missing_module("torch.cudo", "flambeau.cudo")
    assert isinstance(error, ModuleNotFoundError) and error.name == "torch.cudo"
    assert "'torch.cuda'" in str(error)


@pytest.mark.parametrize(
    ("name", "says"),
    [("package", "state dict"), ("miopen_rnn", "vendor"), ("quantized_gru", "quantised layers")],
)
def test_what_is_left_out_on_purpose_says_why(name, says):
    with pytest.raises(AttributeError, match=f"has no torch.{name}. Not here on purpose: .*{says}"):
        getattr(flambeau, name)
