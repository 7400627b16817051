"""PPO with generalised advantages on a small environment of its own, and Q-learning."""

import random

import torch
import torch.nn as nn
from torch.distributions import Categorical, Normal

torch.manual_seed(1)
random.seed(1)


class AC(nn.Module):
    def __init__(s):
        super().__init__()
        s.b = nn.Sequential(nn.Linear(3, 16), nn.Tanh())
        s.mu = nn.Linear(16, 1)
        s.v = nn.Linear(16, 1)
        s.ls = nn.Parameter(torch.zeros(1))
        [nn.init.orthogonal_(m.weight, 2**0.5) for m in s.modules() if isinstance(m, nn.Linear)]

    def forward(s, x):
        h = s.b(x)
        return Normal(s.mu(h), s.ls.exp().expand(h.shape[0], 1)), s.v(h).squeeze(-1)


m = AC()
o = torch.optim.Adam(m.parameters(), 3e-3, eps=1e-5)
for it in range(3):
    S, A, L, R, V = [], [], [], [], []
    s = torch.tensor([[0.5, -0.2, 0.1]])
    for t in range(16):
        with torch.no_grad():
            d, v = m(s)
            a = d.sample()
            lp = d.log_prob(a).sum(-1)
        r = -(a - s[:, :1]).abs().squeeze()
        S.append(s)
        A.append(a)
        L.append(lp)
        R.append(r)
        V.append(v)
        s = torch.tanh(s.roll(1, 1) + 0.1 * a)
    S, A, L, R, V = map(torch.cat, (S, A, L, [r.view(1) for r in R], V))
    adv = torch.zeros_like(R)
    g = 0.0
    for t in reversed(range(16)):
        nv = V[t + 1] if t < 15 else 0.0
        dl = R[t] + 0.99 * nv - V[t]
        g = dl + 0.99 * 0.95 * g
        adv[t] = g
    ret = adv + V
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    for _ in range(2):
        for i in torch.randperm(16).chunk(2):
            d, v = m(S[i])
            ra = (d.log_prob(A[i]).sum(-1) - L[i]).exp()
            l = (
                -torch.min(ra * adv[i], ra.clamp(0.8, 1.2) * adv[i]).mean()
                + 0.5 * (v - ret[i]).pow(2).mean()
                - 0.01 * d.entropy().mean()
            )
            o.zero_grad()
            l.backward()
            gn = nn.utils.clip_grad_norm_(m.parameters(), 0.5)
            o.step()
    print(it, l.item(), gn.item(), R.mean().item())


class Gumbel:
    pass


pi = Categorical(logits=torch.zeros(3))
a = pi.sample((5,))
print(a, pi.log_prob(a), pi.probs, pi.entropy())
q = torch.zeros(4, 2)
e = 0.3
for ep in range(20):
    s = 0
    for _ in range(10):
        a = random.randrange(2) if random.random() < e else int(q[s].argmax())
        n = min(max(s + (1 if a else -1), 0), 3)
        q[s, a] += 0.5 * ((n == 3) + 0.9 * q[n].max() - q[s, a])
        s = n
        if s == 3:
            break
print(q)
