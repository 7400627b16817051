"""REINFORCE with a baseline, tabular and dueling Q with priorities, TD3, ES, CEM, bandits."""

import itertools
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Bernoulli, Categorical, Normal

SEED = 5
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)


class Maze:
    N = 4

    def reset(s):
        s.p = [0, 0]
        s.t = 0
        return s.obs()

    def obs(s):
        o = torch.zeros(s.N, s.N)
        o[tuple(s.p)] = 1
        return o.flatten()

    def step(s, a):
        d = [(0, 1), (1, 0), (0, -1), (-1, 0)][a]
        s.p = [min(max(s.p[i] + d[i], 0), s.N - 1) for i in (0, 1)]
        s.t += 1
        win = s.p == [3, 3]
        return s.obs(), 1.0 if win else -0.01, win or s.t >= 30


env = Maze()
pi = nn.Sequential(nn.Linear(16, 24), nn.LeakyReLU(), nn.Linear(24, 5))
o = torch.optim.Adam(pi.parameters(), 1e-2)
for ep in range(6):
    s, lp, vs, rs, en, done = env.reset(), [], [], [], [], False
    while not done:
        out = pi(s)
        d = Categorical(logits=out[:4])
        a = d.sample()
        lp.append(d.log_prob(a))
        vs.append(out[4])
        en.append(d.entropy())
        s, r, done = env.step(a.item())
        rs.append(r)
    G = torch.tensor(list(itertools.accumulate(reversed(rs), lambda g, r: r + 0.97 * g))[::-1])
    vs = torch.stack(vs)
    adv = G - vs.detach()
    l = -(torch.stack(lp) * adv).sum() + F.huber_loss(vs, G) - 0.01 * sum(en)
    o.zero_grad()
    l.backward()
    n = nn.utils.clip_grad_norm_(pi.parameters(), 1.0, error_if_nonfinite=True)
    o.step()
    print("pg", len(rs), round(sum(rs), 3), l.item(), n.item())
Q = torch.zeros(16, 4)
C = torch.zeros(16, 4, dtype=torch.long)
for ep in range(20):
    s = env.reset().argmax()
    done = False
    while not done:
        a = torch.randint(4, ()) if torch.rand(()) < 0.3 else Q[s].argmax()
        s2, r, done = env.step(a.item())
        s2 = s2.argmax()
        C[s, a] += 1
        Q[s, a] += 0.5 * (r + 0.9 * Q[s2].max() * (not done) - Q[s, a])
        s = s2
print(Q.max(1).values.view(4, 4), C.sum())


class Dueling(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
        s.v, s.a = nn.Linear(32, 1), nn.Linear(32, 4)

    def forward(s, x):
        h = s.f(x)
        a = s.a(h)
        return s.v(h) + a - a.mean(-1, keepdim=True)


class PER:
    def __init__(s, n):
        s.n, s.d, s.p, s.i = n, [], torch.zeros(n), 0

    def add(s, x):
        if len(s.d) < s.n:
            s.d.append(x)
        else:
            s.d[s.i] = x
        s.p[s.i] = s.p.max().clamp(min=1.0)
        s.i = (s.i + 1) % s.n

    def sample(s, k, beta):
        pr = s.p[: len(s.d)] ** 0.6
        pr = pr / pr.sum()
        ix = torch.multinomial(pr, k)
        w = (len(s.d) * pr[ix]) ** -beta
        return ix, [torch.stack(t) for t in zip(*[s.d[i] for i in ix])], w / w.max()


q, tq = Dueling(), Dueling()
tq.load_state_dict(q.state_dict())
o = torch.optim.RMSprop(q.parameters(), 5e-3, eps=1e-4)
mem = PER(200)
step = 0
for ep in range(6):
    s, done = env.reset(), False
    while not done:
        with torch.no_grad():
            a = q(s).argmax() if random.random() > 0.5 else torch.tensor(random.randrange(4))
        s2, r, done = env.step(int(a))
        mem.add((s, a, torch.tensor(r), s2, torch.tensor(float(done))))
        s = s2
        step += 1
        if len(mem.d) >= 32 and step % 4 == 0:
            ix, (S, A, R, S2, D), w = mem.sample(32, 0.4)
            with torch.no_grad():
                y = R + 0.95 * (1 - D) * tq(S2).gather(1, q(S2).argmax(1, keepdim=True)).squeeze(1)
            td = y - q(S)[torch.arange(32), A]
            l = (w * F.smooth_l1_loss(td, torch.zeros_like(td), reduction="none", beta=0.5)).mean()
            o.zero_grad()
            l.backward()
            o.step()
            mem.p[ix] = td.detach().abs() + 1e-5
            for p, t in zip(q.parameters(), tq.parameters()):
                t.data.lerp_(p.data, 0.05)
    print("dqn", ep, env.t, l.item() if len(mem.d) >= 32 else None, mem.p.sum().item())
# TD3
A, A2 = [nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1), nn.Tanh()) for _ in range(2)]
A2.load_state_dict(A.state_dict())
Qs = nn.ModuleList([nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)) for _ in range(2)])
import copy

Q2 = copy.deepcopy(Qs)
oa, oq = (
    torch.optim.Adam(A.parameters(), 1e-3, maximize=True),
    torch.optim.Adam(Qs.parameters(), 1e-3),
)
for i in range(5):
    S = torch.randn(32, 3)
    a = (A(S) + 0.1 * torch.randn(32, 1)).clamp(-1, 1)
    R = -(S[:, :1] + a).pow(2)
    S2 = S + 0.1 * a
    with torch.no_grad():
        na = (A2(S2) + (torch.randn_like(a) * 0.2).clamp(-0.5, 0.5)).clamp(-1, 1)
        y = R + 0.9 * torch.min(*[c(torch.cat([S2, na], 1)) for c in Q2])
    lq = sum(F.mse_loss(c(torch.cat([S, a], 1)), y) for c in Qs)
    oq.zero_grad()
    lq.backward()
    oq.step()
    if i % 2 == 0:
        j = Qs[0](torch.cat([S, A(S)], 1)).mean()
        oa.zero_grad()
        j.backward()
        oa.step()
        torch._foreach_mul_([p.data for p in A2.parameters()], 0.9)
        torch._foreach_add_(
            [p.data for p in A2.parameters()], [p.data for p in A.parameters()], alpha=0.1
        )
    print("td3", lq.item(), j.item())
# ES and CEM, bandits, MCTS-like PUCT, replay to disk by memmap
th = torch.zeros(6)
f = lambda t: -(t - torch.arange(6.0)).pow(2).sum(-1)
for i in range(5):
    e = torch.randn(32, 6)
    r = f(th + 0.5 * e)
    rk = r.argsort().argsort().float() / 31 - 0.5
    th += 0.5 / (32 * 0.5) * (rk[:, None] * e).sum(0)
    print("es", f(th).item())
mu, sd = torch.zeros(6), torch.ones(6) * 2
for i in range(4):
    xs = Normal(mu, sd).sample((64,))
    el = xs[f(xs).topk(8).indices]
    mu, sd = el.mean(0), el.std(0, correction=0) + 0.05
print("cem", mu, sd)
ab = torch.ones(3, 2)
for i in range(30):
    k = torch.distributions.Beta(ab[:, 0], ab[:, 1]).sample().argmax()
    w = Bernoulli(torch.tensor([0.2, 0.5, 0.8])[k]).sample()
    ab[k] += torch.stack([w, 1 - w])
print(ab)
pr = F.softmax(torch.tensor([1.0, 2, 0]), 0)
N, W = torch.zeros(3), torch.zeros(3)
for i in range(15):
    u = W / N.clamp(min=1) + 1.5 * pr * (N.sum() + 1).sqrt() / (1 + N)
    k = int(u.argmax())
    N[k] += 1
    W[k] += [0.1, 0.3, 0.9][k]
print(N)
