"""Denoising diffusion on a circle: training and sampling."""

import math

import torch
import torch.nn as nn

torch.manual_seed(0)
T = 20
beta = torch.linspace(1e-4, 0.2, T)
alpha = 1 - beta
ab = torch.cumprod(alpha, 0)


class Emb(nn.Module):
    def __init__(s, d):
        super().__init__()
        s.d = d

    def forward(s, t):
        h = s.d // 2
        e = torch.exp(torch.arange(h) * -(math.log(10000) / (h - 1)))
        e = t[:, None] * e[None]
        return torch.cat((e.sin(), e.cos()), -1)


class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.t = nn.Sequential(Emb(8), nn.Linear(8, 16), nn.SiLU())
        s.i = nn.Linear(2, 16)
        s.o = nn.Sequential(nn.SiLU(), nn.Linear(16, 16), nn.Mish(), nn.Linear(16, 2))

    def forward(s, x, t):
        return s.o(s.i(x) + s.t(t.float()))


n = Net()
o = torch.optim.Adam(n.parameters(), 1e-2)
x0 = torch.stack([torch.cos(torch.linspace(0, 6, 128)), torch.sin(torch.linspace(0, 6, 128))], 1)
for i in range(20):
    t = torch.randint(0, T, (128,))
    e = torch.randn_like(x0)
    xt = ab[t].sqrt()[:, None] * x0 + (1 - ab[t]).sqrt()[:, None] * e
    l = nn.functional.mse_loss(n(xt, t), e)
    o.zero_grad()
    l.backward()
    o.step()
    if i % 5 == 0:
        print(i, l.item())


@torch.inference_mode()
def sample(k):
    x = torch.randn(k, 2)
    for t in reversed(range(T)):
        z = torch.randn_like(x) if t else torch.zeros_like(x)
        e = n(x, torch.full((k,), t))
        x = (x - beta[t] / (1 - ab[t]).sqrt() * e) / alpha[t].sqrt() + beta[t].sqrt() * z
    return x


print(sample(4))
print(sample(2).is_inference())
