"""Burgers' and the heat equation by a network: gradients of gradients, LBFGS."""

import torch
import torch.nn as nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
opt = torch.optim.Adam(net.parameters(), 1e-3)


def grad(y, x):
    return torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)[0]


for i in range(12):
    x = torch.rand(64, 1, requires_grad=True)
    t = torch.rand(64, 1, requires_grad=True)
    u = net(torch.cat([x, t], 1))
    ut = grad(u, t)
    ux = grad(u, x)
    uxx = grad(ux, x)
    res = ut + u * ux - 0.01 / torch.pi * uxx
    x0 = torch.linspace(-1, 1, 32).view(-1, 1)
    ic = net(torch.cat([x0, torch.zeros_like(x0)], 1)) + torch.sin(torch.pi * x0)
    loss = res.pow(2).mean() + ic.pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 3 == 0:
        print(i, loss.item(), net[0].weight.grad.norm().item())
lb = torch.optim.LBFGS(
    net.parameters(), lr=0.5, max_iter=10, line_search_fn="strong_wolfe", tolerance_grad=1e-7
)
xs = torch.linspace(0, 1, 20).view(-1, 1).requires_grad_()
ts = torch.linspace(0, 1, 20).view(-1, 1).flip(0).clone().requires_grad_()
n = 0


def closure():
    global n
    lb.zero_grad()
    u = net(torch.cat([xs, ts], 1))
    r = grad(u, ts) - grad(grad(u, xs), xs)
    l = (r**2).mean()
    l.backward()
    n += 1
    return l


print(lb.step(closure).item(), n, closure().item() < 1)
