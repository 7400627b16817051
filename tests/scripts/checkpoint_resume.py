"""Save, load and resume: model, optimizer, scheduler and generator states."""

import io
import os
import tempfile

import torch
import torch.nn as nn


def build():
    torch.manual_seed(10)
    model = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return model, optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)


def train(model, optimizer, scheduler, steps):
    for _ in range(steps):
        x = torch.randn(16, 4)
        loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return loss.item()


model, optimizer, scheduler = build()
train(model, optimizer, scheduler, 3)
path = os.path.join(tempfile.mkdtemp(), "checkpoint.pt")
state = {
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
    "rng": torch.get_rng_state(),
    "epoch": 3,
}
torch.save(state, path)
first = train(model, optimizer, scheduler, 3)
other, optimizer2, scheduler2 = build()
checkpoint = torch.load(path, map_location="cpu", weights_only=True)
print(other.load_state_dict(checkpoint["model"]), checkpoint["epoch"])
optimizer2.load_state_dict(checkpoint["optimizer"])
scheduler2.load_state_dict(checkpoint["scheduler"])
torch.set_rng_state(checkpoint["rng"])
print(train(other, optimizer2, scheduler2, 3) == first, f"{first:.4f}")
print(all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters())))
print(other.load_state_dict({"0.weight": torch.zeros(8, 4), "x": torch.ones(1)}, strict=False))
for bad in ({"x": torch.ones(1)}, {**model.state_dict(), "0.bias": torch.ones(9)}):
    try:
        other.load_state_dict(bad)
    except RuntimeError as error:
        print(error)
buffer = io.BytesIO()
torch.save([torch.arange(6).view(2, 3).t(), {"a": (1, 2.5, None, "s")}, torch.float16], buffer)
buffer.seek(0)
print(torch.load(buffer))
print(optimizer.state_dict()["param_groups"])
print(scheduler.state_dict())
