"""The graph of a module: its nodes, its groups, its ends."""

from __future__ import annotations

import pytest

import flambeau as torch
import flambeau.nn as nn
import flambeau.nn.functional as F
from flambeau.utils.tensorboard import SummaryWriter
from flambeau.utils.tensorboard._pytorch_graph import RunMetadata, graph


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.body = nn.Sequential(nn.ReLU(), nn.Flatten())
        self.fc = nn.Linear(16, 3)

    def forward(self, picture, shift=None):
        out = self.fc(self.body(self.norm(self.conv(picture))))
        return F.log_softmax(out + shift, 1), out


def test_nodes_follow_the_modules():
    net = Net()
    recorded, _ = graph(net, (torch.rand(2, 1, 4, 4), torch.ones(3)))
    nodes = {node.name: node for node in recorded.node}
    assert nodes["input/picture"].op == nodes["input/shift"].op == "IO Node"
    assert nodes["Net/Linear[fc]/linear"].op == "aten::linear"
    assert list(nodes["Net/Linear[fc]/linear"].input) == [
        "Net/Sequential[body]/Flatten[1]/flatten",
        "Net/Linear[fc]/weight",
        "Net/Linear[fc]/bias",
    ]
    assert nodes["Net/Linear[fc]/weight"].op == "prim::GetAttr"
    assert nodes["Net/Conv2d[conv]/_convolution"].op == "aten::_convolution"
    assert list(nodes["Net/add"].input) == ["Net/Linear[fc]/linear", "input/shift"]
    assert list(nodes["output/output.1"].input) == ["Net/log_softmax"]
    assert list(nodes["output/output.2"].input) == ["Net/Linear[fc]/linear"]
    shape = nodes["Net/Sequential[body]/Flatten[1]/flatten"].attr["_output_shapes"].list.shape[0]
    assert [dim.size for dim in shape.dim] == [2, 16]
    assert all(name in nodes for node in recorded.node for name in node.input)


def test_recording_changes_nothing():
    net = Net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net.fc.eval()
    graph(net, (torch.rand(2, 1, 4, 4), torch.ones(3)))
    assert net.training and not net.fc.training and net.body.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_a_module_used_twice_gets_two_nodes():
    layer = nn.Linear(2, 2)
    recorded, _ = graph(nn.Sequential(layer, layer), torch.rand(1, 2))
    names = [node.name for node in recorded.node if node.op == "aten::linear"]
    assert len(set(names)) == 2


def test_an_error_in_forward_is_the_users_own(capsys):
    with pytest.raises(RuntimeError):
        graph(nn.Linear(2, 2), torch.rand(1, 3))
    recorded, _ = graph(nn.Linear(2, 2), torch.rand(1, 2), verbose=True)
    assert "aten::linear" in capsys.readouterr().out
    with pytest.raises(TypeError, match="expected an nn.Module"):
        graph(lambda x: x, torch.rand(1))


def test_metadata_and_writer(tmp_path):
    assert RunMetadata().SerializeToString() == b"\n\x11\n\x0f\n\r/device:CPU:0"
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(nn.Linear(2, 2), torch.rand(1, 2))
    assert list(tmp_path.glob("events*"))
