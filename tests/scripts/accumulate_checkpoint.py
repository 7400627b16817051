"""Gradient accumulation, activation checkpointing, clipping, schedulers of several kinds."""

import torch
import torch.nn as nn
from torch.optim import lr_scheduler as sched
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

torch.manual_seed(14)
body = nn.Sequential(
    *[nn.Sequential(nn.Linear(8, 8), nn.SiLU(), nn.Dropout(0.1)) for _ in range(4)]
)
head = nn.Linear(8, 3)
params = [
    {"params": body.parameters(), "lr": 0.1, "weight_decay": 1e-2},
    {"params": head.parameters()},
]
optimizer = torch.optim.SGD(params, lr=0.01, momentum=0.9)
x, y = torch.randn(16, 8), torch.randint(3, (16,))
for step in range(3):
    optimizer.zero_grad()
    for xb, yb in zip(x.chunk(4), y.chunk(4)):
        h = checkpoint(body[:2], xb, use_reentrant=False)
        h = checkpoint_sequential(body[2:], 2, h, use_reentrant=False)
        loss = nn.functional.cross_entropy(head(h), yb) / 4
        loss.backward()
    norm = nn.utils.clip_grad_norm_([*body.parameters(), *head.parameters()], 0.5)
    optimizer.step()
    print(f"{step} {loss.item():.4f} {norm.item():.4f}")
makers = {
    "step": lambda o: sched.StepLR(o, 2, 0.1),
    "multi": lambda o: sched.MultiStepLR(o, [1, 3], 0.5),
    "exp": lambda o: sched.ExponentialLR(o, 0.9),
    "cos": lambda o: sched.CosineAnnealingLR(o, 4, eta_min=1e-3),
    "warm": lambda o: sched.CosineAnnealingWarmRestarts(o, 2, 2),
    "lambda": lambda o: sched.LambdaLR(o, lambda e: 0.95**e),
    "linear": lambda o: sched.LinearLR(o, 0.5, total_iters=3),
    "poly": lambda o: sched.PolynomialLR(o, 4, 2.0),
    "one": lambda o: sched.OneCycleLR(o, max_lr=0.5, total_steps=6),
    "cyclic": lambda o: sched.CyclicLR(o, 0.01, 0.1, step_size_up=2),
    "chain": lambda o: sched.SequentialLR(
        o, [sched.ConstantLR(o, 0.1, 2), sched.ExponentialLR(o, 0.5)], milestones=[2]
    ),
}
for name, make in makers.items():
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    scheduler = make(opt)
    lrs = []
    for _ in range(6):
        lrs.append(f"{opt.param_groups[0]['lr']:.5f}")
        opt.step()
        if name != "one" or len(lrs) < 6:
            scheduler.step()
    print(name, *lrs)
opt = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
plateau = sched.ReduceLROnPlateau(opt, factor=0.5, patience=1)
for value in (1.0, 0.9, 0.95, 0.96, 0.97):
    plateau.step(value)
print(opt.param_groups[0]["lr"], plateau.num_bad_epochs)
