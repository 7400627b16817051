"""Typical mistakes, caught by their type."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

w = torch.ones(2, requires_grad=True)


def twice():
    loss = (w * w).sum()
    loss.backward()
    loss.backward()


def overwritten():
    a = w * 1
    b = a.exp()
    b += 1
    b.sum().backward()


def leaf():
    w.add_(1)


def frozen():
    with torch.inference_mode():
        t = torch.ones(2) * 2
    (w * t).sum().backward()


mistakes = {
    "second backward": twice,
    "in place": overwritten,
    "leaf in place": leaf,
    "inference tensor": frozen,
    "matmul": lambda: torch.ones(2, 3) @ torch.ones(2, 3),
    "linear": lambda: nn.Linear(3, 2)(torch.ones(2, 4)),
    "conv": lambda: nn.Conv2d(3, 2, 3)(torch.ones(1, 1, 5, 5)),
    "broadcast": lambda: torch.ones(2) + torch.ones(3),
    "view": lambda: torch.ones(4).view(3, 2),
    "index": lambda: torch.ones(3)[5],
    "cat": lambda: torch.cat([torch.ones(2, 2), torch.ones(3, 3)]),
    "target": lambda: F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 5])),
    "target dtype": lambda: F.nll_loss(torch.ones(2, 3), torch.ones(2)),
    "embedding": lambda: nn.Embedding(3, 2)(torch.tensor([3])),
    "item": lambda: torch.ones(2).item(),
    "bool": lambda: bool(torch.ones(2)),
    "numpy": lambda: w.numpy(),
    "int grad": lambda: torch.ones(2, dtype=torch.int32, requires_grad=True),
    "non scalar": lambda: (w * 2).backward(),
    "no grad": lambda: torch.ones(1).backward(),
    "device": lambda: torch.ones(1, device="gpu"),
    "cuda": lambda: torch.ones(1).cuda(),
    "name": lambda: torch.no_such_name,
    "module name": lambda: nn.Linear(1, 1).wieght,
    "lr": lambda: torch.optim.SGD([w], lr=-1.0),
    "empty": lambda: torch.optim.Adam([], lr=0.1),
    "dropout": lambda: nn.Dropout(1.5),
    "deepcopy": lambda: copy.deepcopy(w * 2),
    "squeeze": lambda: torch.ones(2).sum(dim=3),
    "dtype": lambda: torch.ones(2).long() @ torch.ones(2),
}
for name, mistake in mistakes.items():
    try:
        mistake()
        print(name, "passed")
    except Exception as error:
        print(name, type(error).__name__, bool(str(error)))
