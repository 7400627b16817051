"""Gradient penalty and a MAML step: gradients of gradients."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(6)
critic = nn.Sequential(nn.Linear(2, 16), nn.Softplus(), nn.Linear(16, 1))
optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
for _ in range(5):
    real, fake = torch.randn(32, 2), torch.rand(32, 2)
    eps = torch.rand(32, 1)
    mixed = (eps * real + (1 - eps) * fake).requires_grad_()
    score = critic(mixed)
    (grad,) = torch.autograd.grad(score, mixed, torch.ones_like(score), create_graph=True)
    penalty = ((grad.norm(2, dim=1) - 1) ** 2).mean()
    loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f} {penalty.item():.4f}")

w = torch.randn(1, 5, requires_grad=True)
meta = torch.optim.SGD([w], lr=0.1)
for _ in range(3):
    meta.zero_grad()
    total = 0
    for task in range(3):
        x = torch.randn(10, 5)
        y = x.sum(1, keepdim=True) * (task + 1)
        inner = F.mse_loss(F.linear(x, w), y)
        g = torch.autograd.grad(inner, w, create_graph=True)[0]
        total = total + F.mse_loss(F.linear(x, w - 0.1 * g), y)
    total.backward()
    meta.step()
    print(f"{total.item():.4f}", w.grad.norm())
x = torch.tensor([1.0, 2.0], requires_grad=True)
print(torch.autograd.functional.hessian(lambda t: (t**3).sum() + t.prod(), x))
print(torch.autograd.functional.jacobian(lambda t: t.outer(t), x))
d = (x**4).sum()
for _ in range(3):
    (d,) = torch.autograd.grad(d.sum(), x, create_graph=True)
    print(d)
