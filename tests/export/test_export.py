"""Exported programs: their graphs beside PyTorch's, what they compute, files."""

from __future__ import annotations

from importlib import import_module

import pytest

import flambeau
from flambeau import nn
from flambeau.export import export, load, save
from flambeau.utils._pytree import tree_leaves


def module(torch):
    class Program(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 2)
            self.register_buffer("scale", torch.ones(2))
            self.register_buffer("kept", torch.zeros(2), persistent=False)
            self.shift = torch.tensor([1.0, 2.0])

        def forward(self, x, y=None, *, k=2):
            h = self.fc(x).relu() + self.scale * k + self.shift + self.kept
            h = h + torch.arange(2)
            h.add_(1)
            return h.softmax(-1), {"all": torch.mm(h, h.t()).sum()}

    torch.manual_seed(0)
    return Program()


def exported(torch):
    return import_module(f"{torch.__name__}.export").export(module(torch), (torch.ones(4, 3),))


def test_graph_and_signature_are_pytorchs(oracle):
    ours, theirs = exported(flambeau), exported(oracle)
    assert [(n.op, n.name) for n in ours.graph.nodes] == [
        (n.op, n.name) for n in theirs.graph.nodes
    ]
    assert [str(n.target) for n in ours.graph.nodes if n.op != "call_function"] == [
        str(n.target) for n in theirs.graph.nodes if n.op != "call_function"
    ]
    calls = [
        [str(n.target) for n in p.graph.nodes if n.op == "call_function"] for p in (ours, theirs)
    ]
    assert calls[0] == calls[1]
    signatures = ours.graph_signature, theirs.graph_signature
    assert str(signatures[0]).strip() == str(signatures[1]).strip()
    for name in (
        "parameters buffers non_persistent_buffers user_inputs user_outputs inputs_to_parameters "
        "inputs_to_buffers lifted_tensor_constants"
    ).split():
        assert getattr(signatures[0], name) == getattr(signatures[1], name), name
    assert list(ours.state_dict) == list(theirs.state_dict)
    assert sorted(ours.constants) == sorted(theirs.constants)


def test_the_module_computes_as_pytorchs_and_trains(oracle):
    found = []
    for torch in (flambeau, oracle):
        run = exported(torch).module()
        x = torch.arange(12.0).view(4, 3) / 10
        out, rest = run(x)
        (out[:, 0].sum() + rest["all"]).backward()
        found.append((out.tolist(), rest["all"].item(), run.fc.weight.grad.tolist()))
        assert sorted(run.state_dict()) == ["fc.bias", "fc.weight", "scale"]
        with pytest.raises(AssertionError, match="Guard failed"):
            run(torch.ones(5, 3))
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    for ours, theirs in ((found[0][0], found[1][0]), (found[0][2], found[1][2])):
        assert ours == [pytest.approx(row, rel=1e-4, abs=1e-6) for row in theirs]


def test_exporting_writes_nothing_into_the_module():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = {name: t.clone() for name, t in model.state_dict().items()}
    state = flambeau.get_rng_state()
    program = export(model, (flambeau.randn(4, 2),))
    assert all(flambeau.equal(before[name], t) for name, t in model.state_dict().items())
    assert not flambeau.equal(state, flambeau.get_rng_state())  # the example's own draw, no more
    x = flambeau.randn(4, 2)
    assert flambeau.allclose(program.module()(x), model(x), atol=1e-6)


LAYERS = {
    "convolution": (
        nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        ),
        (2, 1, 8, 8),
    ),
    "norm": (
        nn.Sequential(nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 8), nn.Dropout(0.5)),
        (2, 5, 8),
    ),
    "attention": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    "recurrence": (nn.LSTM(8, 4, batch_first=True), (2, 5, 8)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_go_through_and_into_files(name, tmp_path):
    model, shape = LAYERS[name]
    model.eval()
    program = export(model, (flambeau.randn(shape),))
    x = flambeau.randn(shape)
    wanted = tree_leaves(model(x))
    save(program, tmp_path / "model.pt2")
    for each in (program, load(tmp_path / "model.pt2")):
        for a, b in zip(wanted, tree_leaves(each.module()(x)), strict=True):
            assert flambeau.allclose(a, b, atol=1e-5)


class Branch(nn.Module):
    def forward(self, x):
        return x + 1 if x.sum() > 0 else x


class Leaves(nn.Module):
    def forward(self, x):
        return x + flambeau.from_numpy(x.numpy() * 2)


@pytest.mark.parametrize(
    ("model", "kind", "says"),
    [
        (Branch(), RuntimeError, "data-dependent"),
        (Leaves(), NotImplementedError, "not seen as operations"),
        (nn.Dropout(0.5), NotImplementedError, "eval"),
    ],
)
def test_what_a_graph_cannot_hold_is_said(model, kind, says):
    with pytest.raises(kind, match=says):
        export(model, (flambeau.ones(3),))


def test_what_is_no_module_or_no_program(tmp_path):
    with pytest.raises(ValueError, match="instance of `torch.nn.Module`"):
        export(lambda x: x, (flambeau.ones(1),))
    program = export(nn.ReLU(), (flambeau.ones(1),))
    with pytest.raises(RuntimeError, match="module\\(\\)"):
        program(flambeau.ones(1))
    with pytest.raises(TypeError, match="ExportedProgram"):
        save(nn.ReLU(), tmp_path / "no.pt2")
    flambeau.save({"a": 1}, tmp_path / "other.pt2")
    with pytest.raises(RuntimeError, match="not read"):
        load(tmp_path / "other.pt2")
