"""Row 18 of the notes: a script that insists on CUDA runs on the CPU where the user asks for it."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

import flambeau as torch
from flambeau import nn


@pytest.fixture
def opted_in(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_CUDA", "cpu")


@pytest.mark.parametrize(
    "send",
    [
        lambda x: x.cuda(),
        lambda x: x.cuda(0, non_blocking=True),
        lambda x: x.to("cuda:0"),
        lambda x: x.to(torch.device("cuda")),
        lambda x: x.to(0),
        lambda x: x.pin_memory(),
    ],
)
def test_row_018_a_tensor_stays_where_it_is(opted_in, send):
    x = torch.ones(2)
    assert send(x) is x


def test_row_018_factories_modules_and_generators(opted_in):
    assert str(torch.device("cuda" if torch.cuda.is_available() else "cpu")) == "cuda"
    assert torch.zeros(2, device="cuda").device == torch.zeros(2, device=0).device
    model = nn.DataParallel(nn.Linear(3, 2, device="cuda")).cuda()
    assert model(torch.ones(1, 3).cuda()).shape == (1, 2)
    drawn = torch.rand(2, device="cuda", generator=torch.Generator("cuda").manual_seed(0))
    assert drawn.tolist() == torch.rand(2, generator=torch.Generator().manual_seed(0)).tolist()


def test_row_018_the_types_of_old(opted_in):
    x = torch.cuda.FloatTensor([1, 2])
    assert isinstance(x, torch.cuda.FloatTensor)
    assert not isinstance(x, torch.cuda.LongTensor)
    assert x.type("torch.cuda.LongTensor").dtype is torch.int64
    assert x.type(torch.cuda.DoubleTensor).dtype is torch.float64


@pytest.mark.parametrize("where", ["cuda:0", lambda storage, place: storage.cuda(), None])
def test_row_018_checkpoints(opted_in, where):
    file = io.BytesIO()
    torch.save({"x": torch.ones(2).cuda()}, file)
    file.seek(0)
    assert torch.load(file, map_location=where)["x"].tolist() == [1.0, 1.0]


def test_row_018_without_the_variable_cuda_is_refused(oracle, monkeypatch):
    monkeypatch.delenv("FLAMBEAU_CUDA", raising=False)
    for engine in (torch, oracle):
        assert not engine.cuda.is_available()
        assert not isinstance(engine.ones(1), engine.cuda.FloatTensor)
        assert engine.cuda.FloatTensor.is_cuda
        with pytest.raises(TypeError, match="not compiled with CUDA"):
            engine.cuda.FloatTensor(2)
        with pytest.raises(RuntimeError, match="CUDA"):
            engine.ones(1).type(engine.cuda.FloatTensor)
        with pytest.raises(RuntimeError):
            engine.ones(1).pin_memory()
    with pytest.raises(AssertionError, match="FLAMBEAU_CUDA=cpu"):
        torch.ones(1).cuda()


PROGRAM = """
import torch
from torch import nn
assert torch.cuda.is_available()
torch.cuda.manual_seed_all(0)
torch.manual_seed(0)
model = nn.Linear(3, 2).cuda()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cuda")
loader = torch.utils.data.DataLoader(torch.ones(4, 3), batch_size=2, pin_memory=True)
for x in loader:
    optimizer.zero_grad()
    with torch.autocast("cuda"):
        loss = model(x.cuda(non_blocking=True)).pow(2).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
torch.cuda.synchronize()
print("done on", torch.cuda.get_device_name(0), loss.item() > 0)
"""


def test_row_018_a_whole_program():
    found = subprocess.run(
        [sys.executable, "-m", "flambeau", "-c", PROGRAM],
        env={**os.environ, "FLAMBEAU_CUDA": "cpu"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("done on CPU")
    assert found.stdout.endswith("True\n")
