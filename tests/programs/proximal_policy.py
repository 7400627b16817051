"""PPO with generalised advantages; squashed actions; TRPO's conjugate gradients."""

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import (
    Categorical,
    Independent,
    Normal,
    TransformedDistribution,
    kl_divergence,
)
from torch.distributions.transforms import AffineTransform, TanhTransform
from torch.utils.data import BatchSampler, SubsetRandomSampler

torch.manual_seed(1)
rng = np.random.default_rng(0)


class Pendulumish:
    def __init__(self, n):
        self.n = n

    def reset(self):
        self.x = rng.uniform(-1, 1, (self.n, 3)).astype(np.float32)
        self.t = 0
        return self.x.copy()

    def step(self, a):
        self.t += 1
        self.x[:, 1] += 0.1 * np.clip(a[:, 0], -2, 2)
        self.x[:, 0] += 0.1 * self.x[:, 1]
        self.x[:, 2] *= 0.9
        return self.x.copy(), -(self.x**2).sum(1), np.full(self.n, self.t % 20 == 0)


def layer_init(layer, std=2**0.5, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, o, a):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(o, 32)),
            nn.Tanh(),
            layer_init(nn.Linear(32, 32)),
            nn.Tanh(),
            layer_init(nn.Linear(32, 1), std=1.0),
        )
        self.actor_mean = nn.Sequential(
            layer_init(nn.Linear(o, 32)),
            nn.Tanh(),
            layer_init(nn.Linear(32, 32)),
            nn.Tanh(),
            layer_init(nn.Linear(32, a), std=0.01),
        )
        self.actor_logstd = nn.Parameter(torch.zeros(1, a))

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None):
        m = self.actor_mean(x)
        s = self.actor_logstd.expand_as(m).exp()
        p = Normal(m, s)
        if action is None:
            action = p.sample()
        return action, p.log_prob(action).sum(1), p.entropy().sum(1), self.critic(x)


N, T = 4, 20
env = Pendulumish(N)
agent = Agent(3, 1)
opt = torch.optim.Adam(agent.parameters(), lr=3e-4, eps=1e-5)
obs = torch.zeros((T, N, 3))
actions = torch.zeros((T, N, 1))
logp = torch.zeros((T, N))
rew = torch.zeros((T, N))
dones = torch.zeros((T, N))
vals = torch.zeros((T, N))
nobs = torch.Tensor(env.reset())
ndone = torch.zeros(N)
for update in range(1, 5):
    opt.param_groups[0]["lr"] = (1 - (update - 1) / 4) * 3e-4
    for t in range(T):
        obs[t], dones[t] = nobs, ndone
        with torch.no_grad():
            a, lp, _, v = agent.get_action_and_value(nobs)
            vals[t] = v.flatten()
        actions[t], logp[t] = a, lp
        o, r, d = env.step(a.cpu().numpy())
        rew[t] = torch.tensor(r).view(-1)
        nobs, ndone = torch.Tensor(o), torch.Tensor(d)
    with torch.no_grad():
        nv = agent.get_value(nobs).reshape(1, -1)
        adv = torch.zeros_like(rew)
        last = 0
        for t in reversed(range(T)):
            nonterm = 1.0 - (ndone if t == T - 1 else dones[t + 1])
            nxt = nv if t == T - 1 else vals[t + 1]
            delta = rew[t] + 0.99 * nxt * nonterm - vals[t]
            adv[t] = last = delta + 0.99 * 0.95 * nonterm * last
        ret = adv + vals
    bo, blp, ba, badv, bret, bval = (
        obs.reshape(-1, 3),
        logp.reshape(-1),
        actions.reshape(-1, 1),
        adv.reshape(-1),
        ret.reshape(-1),
        vals.reshape(-1),
    )
    inds = np.arange(N * T)
    fr = []
    for ep in range(3):
        rng.shuffle(inds)
        for s in range(0, N * T, 20):
            mb = inds[s : s + 20]
            _, nlp, ent, nval = agent.get_action_and_value(bo[mb], ba[mb])
            lr = nlp - blp[mb]
            ratio = lr.exp()
            with torch.no_grad():
                kl = ((ratio - 1) - lr).mean()
                fr += [((ratio - 1.0).abs() > 0.2).float().mean().item()]
            A = badv[mb]
            A = (A - A.mean()) / (A.std() + 1e-8)
            pg = torch.max(-A * ratio, -A * torch.clamp(ratio, 0.8, 1.2)).mean()
            nval = nval.view(-1)
            vc = bval[mb] + torch.clamp(nval - bval[mb], -0.2, 0.2)
            vl = 0.5 * torch.max((nval - bret[mb]) ** 2, (vc - bret[mb]) ** 2).mean()
            loss = pg - 0.01 * ent.mean() + vl * 0.5
            opt.zero_grad()
            loss.backward()
            gn = nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            opt.step()
    yp, yt = bval.numpy(), bret.numpy()
    print(
        f"update={update} v={vl.item():.5f} pg={pg.item():.5f} ent={ent.mean().item():.5f} kl={kl.item():.6f} clip={np.mean(fr):.4f} ev={1 - np.var(yt - yp) / np.var(yt):.5f} gn={gn:.4f}"
    )
print(agent.actor_logstd)
# SAC policy pieces
base = Normal(torch.zeros(4, 2), torch.ones(4, 2))
sq = Independent(
    TransformedDistribution(base, [TanhTransform(cache_size=1), AffineTransform(0.0, 2.0)]), 1
)
a = sq.rsample()
print(sq.log_prob(a), a)
old, new = Categorical(logits=torch.randn(3, 4)), Categorical(logits=torch.randn(3, 4))
print(kl_divergence(old, new), new.sample((2,)), new.mode, new)
for b in BatchSampler(SubsetRandomSampler(range(10)), 4, drop_last=True):
    print(b)
# TRPO's conjugate gradients with Fisher products
x = torch.randn(16, 3)


def flat(ts):
    return torch.cat([t.contiguous().view(-1) for t in ts])


def fvp(v):
    m = agent.actor_mean(x)
    kl = kl_divergence(Normal(m.detach(), 1.0), Normal(m, 1.0)).sum(1).mean()
    g = flat(torch.autograd.grad(kl, agent.actor_mean.parameters(), create_graph=True))
    return flat(torch.autograd.grad((g * v).sum(), agent.actor_mean.parameters())) + 0.1 * v


b = torch.ones(sum(p.numel() for p in agent.actor_mean.parameters()))
xk = torch.zeros_like(b)
r = b.clone()
p = r.clone()
rs = r.dot(r)
for i in range(4):
    Ap = fvp(p)
    al = rs / p.dot(Ap)
    xk += al * p
    r -= al * Ap
    rn = r.dot(r)
    p = r + rn / rs * p
    rs = rn
    print(i, rs.item(), xk.norm().item())
torch.nn.utils.vector_to_parameters(
    torch.nn.utils.parameters_to_vector(agent.actor_mean.parameters()) + 0.01 * xk,
    agent.actor_mean.parameters(),
)
print(agent.actor_mean(x)[0])
