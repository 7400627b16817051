"""A mixture density network: mixtures of distributions as outputs."""

import torch
import torch.nn as nn
from torch import distributions as D

torch.manual_seed(0)
x = torch.linspace(-1, 1, 100).unsqueeze(1)
y = x + 0.3 * torch.sin(2 * 3.14159 * x) + 0.05 * torch.randn(100, 1)
x, y = y, x


class MDN(nn.Module):
    def __init__(s, k=3):
        super().__init__()
        s.h = nn.Sequential(nn.Linear(1, 16), nn.Tanh())
        s.pi = nn.Linear(16, k)
        s.mu = nn.Linear(16, k)
        s.s = nn.Linear(16, k)

    def forward(s, x):
        h = s.h(x)
        return D.MixtureSameFamily(D.Categorical(logits=s.pi(h)), D.Normal(s.mu(h), s.s(h).exp()))


m = MDN()
o = torch.optim.Adam(m.parameters(), 0.02)
for i in range(60):
    l = -m(x).log_prob(y.squeeze(1)).mean()
    o.zero_grad()
    l.backward()
    o.step()
    if i % 20 == 0:
        print(i, l.item())
d = m(torch.tensor([[0.0], [0.5]]))
print(d)
print(d.mean, d.variance)
print(d.sample((3,)))
