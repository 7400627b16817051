"""A neural ODE through a Runge-Kutta solver."""

import torch
import torch.nn as nn

torch.manual_seed(0)
A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])


def rk4(f, y, t):
    out = [y]
    for a, b in zip(t[:-1], t[1:]):
        h = b - a
        k1 = f(a, y)
        k2 = f(a + h / 2, y + h / 2 * k1)
        k3 = f(a + h / 2, y + h / 2 * k2)
        k4 = f(b, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out.append(y)
    return torch.stack(out)


t = torch.linspace(0.0, 5.0, 40)
y0 = torch.tensor([[2.0, 0.0]])
with torch.no_grad():
    true = rk4(lambda t, y: (y**3) @ A, y0, t)
print(true[-1], true.shape)


class F(nn.Module):
    def __init__(s):
        super().__init__()
        s.net = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 2))
        for m in s.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.1)
                nn.init.constant_(m.bias, val=0)

    def forward(s, t, y):
        return s.net(y**3)


f = F()
o = torch.optim.RMSprop(f.parameters(), 1e-3)
import numpy as np

rng = np.random.RandomState(0)
for i in range(8):
    s = torch.from_numpy(rng.choice(np.arange(30, dtype=np.int64), 10, replace=False))
    by = true[s]
    bt = t[:8]
    ty = torch.stack([true[s + k] for k in range(8)])
    p = rk4(f, by, bt)
    l = torch.mean(torch.abs(p - ty))
    o.zero_grad()
    l.backward()
    o.step()
    print(i, "%.6f" % l.item())
