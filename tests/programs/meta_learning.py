"""MAML: steps through which the outer gradient goes, by autograd and by torch.func."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
m = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))
o = torch.optim.Adam(m.parameters(), 1e-3)


def task():
    a, p = torch.rand(1) * 4.9 + 0.1, torch.rand(1) * 3.14
    f = lambda x: a * torch.sin(x + p)
    xs, xq = torch.rand(10, 1) * 10 - 5, torch.rand(10, 1) * 10 - 5
    return xs, f(xs), xq, f(xq)


for it in range(5):
    o.zero_grad()
    tot = 0
    for _ in range(4):
        xs, ys, xq, yq = task()
        fast = dict(m.named_parameters())
        for _ in range(2):
            l = F.mse_loss(functional_call(m, fast, xs), ys)
            gs = torch.autograd.grad(l, fast.values(), create_graph=True)
            fast = {k: p - 0.01 * g for (k, p), g in zip(fast.items(), gs)}
        tot = tot + F.mse_loss(functional_call(m, fast, (xq,)), yq)
    (tot / 4).backward()
    o.step()
    print(it, tot.item() / 4)
params = {k: v.detach() for k, v in m.named_parameters()}


def loss(p, xs, ys, xq, yq):
    g = grad(lambda q: F.mse_loss(functional_call(m, q, (xs,)), ys))(p)
    return F.mse_loss(functional_call(m, {k: p[k] - 0.01 * g[k] for k in p}, (xq,)), yq)


b = [torch.stack(v) for v in zip(*[task() for _ in range(6)])]
print(vmap(loss, in_dims=(None, 0, 0, 0, 0))(params, *b))
gg = grad(lambda p: vmap(loss, in_dims=(None, 0, 0, 0, 0))(p, *b).mean())(params)
print({k: round(v.norm().item(), 4) for k, v in gg.items()})
