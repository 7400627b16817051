"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from collections import OrderedDict

import pytest

import flambeau as torch
from flambeau import nn


class Add(nn.Module):
    def __init__(self, amount=1.0):
        super().__init__()
        self.amount = amount

    def extra_repr(self):
        return f"{self.amount}"

    def forward(self, x):
        return x + self.amount


def test_sequential():
    net = nn.Sequential(Add(1.0), Add(2.0), Add(3.0))
    assert net(torch.tensor(0.0)).item() == 6.0
    assert len(net) == 3 and net[-1].amount == 3.0
    assert [m.amount for m in net[1:]] == [2.0, 3.0]
    del net[0]
    assert list(net._modules) == ["0", "1"]
    net.insert(0, Add(9.0)).append(Add(4.0)).extend([Add(5.0)])
    assert [m.amount for m in net] == [9.0, 2.0, 3.0, 4.0, 5.0]
    assert net.pop(0).amount == 9.0
    net[0] = Add(7.0)
    assert net[0].amount == 7.0
    with pytest.raises(IndexError):
        net[10]


def test_sequential_arithmetic():
    one, two = nn.Sequential(Add(1.0)), nn.Sequential(Add(2.0))
    assert [m.amount for m in one + two] == [1.0, 2.0]
    assert len(two * 3) == 3 and len(2 * two) == 2
    one += two
    assert len(one) == 2
    one *= 2
    assert [m.amount for m in one] == [1.0, 2.0, 1.0, 2.0]
    with pytest.raises(ValueError):
        one + [Add()]
    with pytest.raises(TypeError):
        one * 1.5
    with pytest.raises(ValueError):
        one * 0


def test_named_sequential():
    net = nn.Sequential(OrderedDict(first=Add(1.0), second=Add(2.0)))
    assert net.first is net[0]
    assert repr(net) == "Sequential(\n  (first): Add(1.0)\n  (second): Add(2.0)\n)"


def test_module_list():
    modules = nn.ModuleList([Add(1.0), Add(1.0), Add(2.0)])
    modules.insert(0, Add(0.0))
    assert [m.amount for m in modules[1:3]] == [1.0, 1.0]
    text = "ModuleList(\n  (0): Add(0.0)\n  (1-2): 2 x Add(1.0)\n  (3): Add(2.0)\n)"
    assert repr(modules) == text
    modules += [Add(3.0)]
    assert len(modules) == 5 and len(modules + [Add()]) == 6
    assert modules.pop(0).amount == 0.0
    del modules[0]
    assert [m.amount for m in modules] == [1.0, 2.0, 3.0]
    assert "0" not in dir(modules)
    with pytest.raises(TypeError):
        modules.extend(3)
    with pytest.raises(NotImplementedError):
        modules(1)


def test_module_dict():
    modules = nn.ModuleDict({"a": Add(1.0)})
    modules.update([("b", Add(2.0))])
    assert list(modules) == ["a", "b"] and "a" in modules and len(modules) == 2
    assert modules["b"].amount == 2.0
    assert modules.pop("a").amount == 1.0
    assert [k for k, _ in modules.items()] == ["b"]
    modules.clear()
    assert repr(modules) == "ModuleDict()"
    with pytest.raises(TypeError):
        modules.update(3)
    with pytest.raises(ValueError):
        modules.update([("a", 1, 2)])


def test_parameter_list():
    weights = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(3)), "text"])
    assert all(isinstance(w, nn.Parameter) for w in weights[:2])
    assert len(list(weights.parameters())) == 2
    weights.append(torch.zeros(1))
    assert len(weights) == 4
    assert repr(weights) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2]\n"
        "    (1): Parameter containing: [torch.float32 of size 3]\n"
        "    (2): Object of type: str\n"
        "    (3): Parameter containing: [torch.float32 of size 1]\n"
        ")"
    )
    with pytest.raises(RuntimeError, match="should not be called"):
        weights(1)
    with pytest.raises(TypeError):
        weights.extend(torch.ones(2))


def test_parameter_dict():
    weights = nn.ParameterDict({"b": torch.ones(2), "a": torch.ones(1)})
    assert list(weights) == ["a", "b"]
    assert isinstance(weights["a"], nn.Parameter)
    assert weights.get("c") is None and weights.setdefault("c", 3) == 3
    assert repr(weights) == (
        "ParameterDict(\n"
        "    (a): Parameter containing: [torch.FloatTensor of size 1]\n"
        "    (b): Parameter containing: [torch.FloatTensor of size 2]\n"
        "    (c): Object of type: int\n"
        ")"
    )
    assert weights.popitem() == ("c", 3)
    assert list(weights | nn.ParameterDict({"z": 1})) == ["a", "b", "z"]
    with pytest.raises(TypeError):
        weights[3] = 1
