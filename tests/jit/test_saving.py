"""Scripted programs in files: another process runs them without their sources."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
import textwrap
import warnings
import zipfile

import pytest

import flambeau
from flambeau import jit, nn

pytestmark = pytest.mark.filterwarnings("ignore:torch.jit")

PROGRAM = """
    import collections
    import math
    from dataclasses import dataclass

    import numpy as np
    import flambeau as torch
    import flambeau.nn as nn
    import flambeau.nn.functional as F
    from helpers import scaled
    import helpers

    SCALE = 2.0
    TABLE = torch.arange(3.0)

    @dataclass
    class Config:
        width: int = 4
        names: tuple = ("a", "b")

    class Base(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config
            self.register_buffer("hidden", torch.ones(1), persistent=False)

        def both(self, x):
            return helpers.shifted(scaled(x)) * SCALE

    def rounded(x: torch.Tensor, digits: int = 1):
        return torch.round(x * 10 ** digits) / 10 ** digits

    class Net(Base):
        kinds = ["x"]

        def __init__(self, config):
            super().__init__(config)
            self.layers = nn.ModuleList([nn.Linear(3, config.width), nn.Linear(config.width, 3)])
            self.tied = nn.Linear(3, 4)
            self.tied.weight = self.layers[0].weight
            self.rnn, self.drop = nn.LSTM(3, 3), nn.Dropout()
            self.sequence = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
            self.options = {"k": [1, 2.5], "pair": (3, None)}
            self.act = F.relu

        def forward(self, x):
            for layer in self.layers:
                x = self.act(layer(x))
            if x.sum() > 0:
                x = self.both(x) + TABLE
            x, _ = self.rnn(self.sequence(x)[None])
            return rounded(x[0], 3) * math.pi + float(np.float64(self.options["k"][1]))

    def local():
        offset = torch.ones(3)

        class Inner(nn.Module):
            def forward(self, x):
                return x + offset
        return Inner()

    torch.manual_seed(0)
    net = Net(Config())
    x = torch.ones(2, 3)
    scripted = torch.jit.script(net.eval())
    scripted.save("net.pt")
    torch.jit.save(torch.jit.script(rounded), "function.pt")
    torch.jit.trace(nn.Sequential(local(), net), x).save("traced.pt")
    torch.save({"net": net(x), "all": net(x + 1)}, "expected.pt")
"""
HELPERS = """
    def scaled(x):
        return deeper(x) * 3

    def deeper(x):
        return x if x.dim() else scaled(x)

    def shifted(x):
        return x + 1

    unused = open
"""
READER = """
    import warnings
    import flambeau as torch
    warnings.simplefilter("error")
    expected = torch.load("expected.pt")
    x = torch.ones(2, 3)
    net = torch.jit.load("net.pt")
    assert isinstance(net, torch.jit.ScriptModule) and not net.training
    assert torch.equal(net(x), expected["net"]) and net.config.width == 4
    assert net.tied.weight is net.layers[0].weight and "hidden" not in net.state_dict()
    assert net.original_name == "Net" and "def forward" in net.code and net.kinds == ["x"]
    assert net.options == {"k": [1, 2.5], "pair": (3, None)}
    assert torch.equal(torch.jit.load("traced.pt")(x), expected["all"])
    assert torch.jit.load("function.pt")(torch.tensor([1.26])).item() == torch.tensor(1.3).item()
    net.save("again.pt")
    again = torch.jit.load("again.pt")
    assert torch.equal(again(x), expected["net"])
    again.train()
    again(x).sum().backward()
    assert again.tied.weight.grad is not None
"""


def run(folder, text, *others):
    for name, content in (("program.py", text), *others):
        (folder / name).write_text(textwrap.dedent(content))
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "program.py"], cwd=folder, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr


def test_another_process_runs_what_was_saved(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    run(first, PROGRAM, ("helpers.py", HELPERS))
    for file in first.glob("*.pt"):
        file.rename(second / file.name)
    run(second, READER)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.k = nn.Linear(2, 3), 3

    def forward(self, x):
        return self.fc(x) * self.k


def test_scripted_modules_look_like_pytorchs(oracle):
    texts = []
    for t in (flambeau, oracle):

        class Net(t.nn.Module):
            def __init__(self, layer):
                super().__init__()
                self.fc = layer

            def forward(self, x):
                return self.fc(x)

        net = Net(t.nn.Linear(2, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scripted, traced = t.jit.script(net), t.jit.trace(net, t.ones(1, 2))
            function, again = t.jit.script(doubled), t.jit.script(scripted)
        found = [str(scripted), str(traced), list(scripted.state_dict()), scripted.original_name]
        found += [isinstance(scripted, t.jit.ScriptModule), scripted.fc.weight is net.fc.weight]
        found += [isinstance(traced, t.jit.TopLevelTracedModule), again is scripted]
        found += [isinstance(function, t.jit.ScriptFunction), function.name]
        texts.append(found)
    assert texts[0] == texts[1]


def doubled(x):
    return x * 2


def test_extra_files_and_copies():
    net = jit.script(Small())
    file = io.BytesIO(net.save_to_buffer(_extra_files={"notes.txt": "hey", "raw": b"\x00"}))
    extra = {"notes.txt": "", "raw": "", "missing": 3}
    x = flambeau.ones(1, 2)
    assert flambeau.equal(jit.load(file, _extra_files=extra)(x), net(x))
    assert extra == {"notes.txt": b"hey", "raw": b"\x00", "missing": 3}
    twin = copy.deepcopy(net)
    assert type(twin) is type(net) and twin.fc.weight is not net.fc.weight
    assert flambeau.equal(twin(x), net(x))
    whole = io.BytesIO()
    flambeau.save(net, whole)
    whole.seek(0)
    assert flambeau.equal(flambeau.load(whole, weights_only=False)(x), net(x))


def test_refusals(tmp_path):
    with pytest.raises(AttributeError, match="torch.jit.script"):
        jit.save(Small(), tmp_path / "m.pt")
    with pytest.raises(ValueError, match="does not exist"):
        jit.load(tmp_path / "m.pt")
    with pytest.raises(ValueError, match="is a directory"):
        jit.load(tmp_path)
    with pytest.raises(RuntimeError, match="Parent directory"):
        jit.script(Small()).save(tmp_path / "none" / "m.pt")
    with pytest.raises(RuntimeError, match="no archive"):
        jit.load(io.BytesIO(b"abc"))
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("other/constants.pkl", "")
    with pytest.raises(RuntimeError, match="state dict"):
        jit.load(tmp_path / "other.pt")
    net = Small()
    net.act = lambda x: x
    with pytest.raises(RuntimeError, match="Small.act uses .*lambda"):
        jit.script(net).save(tmp_path / "m.pt")


def test_torch_load_hands_programs_over():
    net = jit.script(Small())
    data = net.save_to_buffer()
    with pytest.raises(RuntimeError, match="weights_only=True.*TorchScript"):
        flambeau.load(io.BytesIO(data))
    with pytest.warns(UserWarning, match="torch.jit.load"):
        found = flambeau.load(io.BytesIO(data), weights_only=False)
    assert isinstance(found, jit.ScriptModule)


def test_a_program_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "program.pt"
    program = jit.script(nn.Linear(2, 2))
    jit.save(program, path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        jit.save(program, path, _extra_files={"notes": object()})
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["program.pt"]
    with pytest.raises(RuntimeError, match="does not exist"):
        jit.save(program, tmp_path / "none" / "program.pt")
