"""nn.init: PyTorch's values from PyTorch's seeds."""

import pytest

import flambeau as torch
from flambeau import nn

FILLS = [
    ("uniform_", ()),
    ("normal_", (1.0, 2.0)),
    ("trunc_normal_", ()),
    ("trunc_normal_", (0.0, 1.0, 1.5, 2.5)),
    ("constant_", (3.0,)),
    ("ones_", ()),
    ("zeros_", ()),
    ("eye_", ()),
    ("xavier_uniform_", ()),
    ("xavier_normal_", (2.0,)),
    ("kaiming_uniform_", (5**0.5,)),
    ("kaiming_normal_", (0, "fan_out", "relu")),
    ("orthogonal_", (2.0,)),
    ("sparse_", (0.3,)),
]


@pytest.mark.parametrize(("name", "args"), FILLS)
@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (3, 4, 3, 3), (5,)])
def test_fills(same, name, args, shape):
    same(lambda torch: getattr(torch.nn.init, name)(torch.empty(shape), *args))


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 2, 3, 3), (4, 2, 3, 3, 3), (4, 2)])
def test_dirac(same, shape, groups):
    same(lambda torch: torch.nn.init.dirac_(torch.empty(shape), groups))


@pytest.mark.parametrize("name", ["linear", "tanh", "relu", "selu", "leaky_relu", "sine"])
def test_gain(same, name):
    same(lambda torch: torch.nn.init.calculate_gain(name))


def test_warnings():
    with pytest.warns(UserWarning, match="zero-element"):
        nn.init.kaiming_uniform_(torch.empty(0, 4))
    with pytest.warns(UserWarning, match="more than 2 std"):
        nn.init.trunc_normal_(torch.empty(3), mean=3.5, std=0.5)
    with pytest.warns(FutureWarning, match="deprecated in favor of `nn.init.uniform_`"):
        nn.init.uniform(torch.empty(2))


def test_outside_the_graph():
    weight = nn.Parameter(torch.empty(2, 2))
    assert nn.init.uniform_(weight) is weight
    assert weight.is_leaf and weight.requires_grad


def test_linear_starts_as_pytorchs(same):
    same(lambda torch: list(torch.nn.Linear(5, 3).parameters()))
    same(lambda torch: list(torch.nn.Conv2d(4, 6, 3, groups=2).parameters()))
    same(lambda torch: list(torch.nn.LSTM(3, 4, 2, bidirectional=True).parameters()))
    same(lambda torch: list(torch.nn.MultiheadAttention(4, 2, add_bias_kv=True).parameters()))
