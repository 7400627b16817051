"""Every optimizer on one small problem, with parameter groups, maximize and closures."""

import torch
from torch import optim

torch.manual_seed(15)
target = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
makers = {
    "SGD": dict(lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "Adam": dict(lr=0.1),
    "AdamW": dict(lr=0.1, amsgrad=True),
    "RMSprop": dict(lr=0.05, momentum=0.5, centered=True),
    "Adagrad": dict(lr=0.5, lr_decay=0.01),
    "Adadelta": dict(lr=1.0),
    "Adamax": dict(lr=0.1),
    "NAdam": dict(lr=0.1),
    "RAdam": dict(lr=0.1),
    "ASGD": dict(lr=0.1),
    "Rprop": dict(lr=0.1),
    "LBFGS": dict(lr=0.5, max_iter=3),
}
for name, options in makers.items():
    w = torch.zeros(2, 2, requires_grad=True)
    optimizer = getattr(optim, name)([w], **options)

    def closure():
        optimizer.zero_grad()
        loss = ((w - target) ** 2 * torch.tensor([1.0, 5.0])).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(6)]
    print(name, " ".join(f"{v:.3f}" for v in losses))
    print(w.detach())
    print(sorted(optimizer.state[w]), sorted(optimizer.param_groups[0]))
w = torch.ones(2, requires_grad=True)
up = optim.SGD([{"params": [w], "lr": 1.0}], lr=0.1, maximize=True)
(w * 2).sum().backward()
up.step()
print(w, up)
up.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
print(len(up.param_groups), up.param_groups[1]["lr"], up.state_dict())
