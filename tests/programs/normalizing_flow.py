"""RealNVP by coupling layers, and transformed distributions."""

import math

import torch
import torch.distributions.transforms as T
import torch.nn as nn
from torch.distributions import Independent, MultivariateNormal, Normal, TransformedDistribution

torch.manual_seed(4)


class Coupling(nn.Module):
    def __init__(s, mask):
        super().__init__()
        s.register_buffer("m", mask)
        s.s = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Tanh())
        s.t = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2))

    def forward(s, z):
        zm = z * s.m
        a, t = s.s(zm) * (1 - s.m), s.t(zm) * (1 - s.m)
        return zm + (1 - s.m) * (z * a.exp() + t), a.sum(1)

    def inverse(s, x):
        xm = x * s.m
        a, t = s.s(xm) * (1 - s.m), s.t(xm) * (1 - s.m)
        return xm + (1 - s.m) * (x - t) * (-a).exp(), -a.sum(1)


class RealNVP(nn.Module):
    def __init__(s):
        super().__init__()
        s.l = nn.ModuleList([Coupling(torch.tensor(v)) for v in ([0.0, 1.0], [1.0, 0.0]) * 2])
        s.prior = MultivariateNormal(torch.zeros(2), torch.eye(2))

    def log_prob(s, x):
        ld = x.new_zeros(x.shape[0])
        for l in reversed(s.l):
            x, d = l.inverse(x)
            ld += d
        return s.prior.log_prob(x) + ld

    def sample(s, n):
        z = s.prior.sample((n,))
        for l in s.l:
            z, _ = l(z)
        return z


th = torch.rand(200) * 2 * math.pi
data = torch.stack([th.cos(), th.sin()], 1) + 0.1 * torch.randn(200, 2)
f = RealNVP()
o = torch.optim.Adam(f.parameters(), 5e-3)
for i in range(30):
    l = -f.log_prob(data).mean()
    o.zero_grad()
    l.backward()
    o.step()
    if i % 10 == 0:
        print(i, f"{l.item():.5f}")
with torch.no_grad():
    print(f.sample(4))
base = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
td = TransformedDistribution(
    base,
    [
        T.AffineTransform(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 2.0]), event_dim=1),
        T.ExpTransform(),
    ],
)
s = td.rsample((3,))
print(s, td.log_prob(s))
print(list(f.state_dict())[:3])
