"""Deep Q-learning with replay and a target network."""

import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

random.seed(0)
torch.manual_seed(0)
Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class Corridor:
    def reset(self):
        self.p = 3
        return [self.p / 6, 1.0]

    def step(self, a):
        self.p += 1 if a == 1 else -1
        done = self.p in (0, 6)
        return [self.p / 6, 1.0], (1.0 if self.p == 6 else -0.1), done


class Memory:
    def __init__(self, n):
        self.m = deque([], maxlen=n)

    def push(self, *a):
        self.m.append(Transition(*a))

    def sample(self, n):
        return random.sample(self.m, n)

    def __len__(self):
        return len(self.m)


class DQN(nn.Module):
    def __init__(self, n, a):
        super().__init__()
        self.l1 = nn.Linear(n, 16)
        self.l2 = nn.Linear(16, 16)
        self.l3 = nn.Linear(16, a)

    def forward(self, x):
        return self.l3(F.relu(self.l2(F.relu(self.l1(x)))))


policy, target = DQN(2, 2), DQN(2, 2)
target.load_state_dict(policy.state_dict())
opt = optim.AdamW(policy.parameters(), lr=1e-2, amsgrad=True)
mem = Memory(500)
steps = 0
env = Corridor()
TAU = 0.05
BS = 16


def act(s):
    global steps
    eps = 0.05 + 0.85 * math.exp(-steps / 100)
    steps += 1
    if random.random() > eps:
        with torch.no_grad():
            return policy(s).max(1).indices.view(1, 1)
    return torch.tensor([[random.randrange(2)]], dtype=torch.long)


def optimize():
    if len(mem) < BS:
        return None
    b = Transition(*zip(*mem.sample(BS)))
    mask = torch.tensor(tuple(map(lambda s: s is not None, b.next_state)), dtype=torch.bool)
    nonfinal = torch.cat([s for s in b.next_state if s is not None])
    s, a, r = torch.cat(b.state), torch.cat(b.action), torch.cat(b.reward)
    q = policy(s).gather(1, a)
    nv = torch.zeros(BS)
    with torch.no_grad():
        nv[mask] = target(nonfinal).max(1).values
    loss = nn.SmoothL1Loss()(q, (nv * 0.9 + r).unsqueeze(1))
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy.parameters(), 100)
    opt.step()
    return loss.item()


for ep in range(12):
    s = torch.tensor(env.reset(), dtype=torch.float32).unsqueeze(0)
    ret = 0
    loss = None
    for t in range(20):
        a = act(s)
        o, r, done = env.step(a.item())
        ret += r
        ns = None if done else torch.tensor(o, dtype=torch.float32).unsqueeze(0)
        mem.push(s, a, ns, torch.tensor([r]))
        s = ns
        loss = optimize()
        sd, pd = target.state_dict(), policy.state_dict()
        for k in pd:
            sd[k] = pd[k] * TAU + sd[k] * (1 - TAU)
        target.load_state_dict(sd)
        if done:
            break
    print(ep, t, round(ret, 3), None if loss is None else round(loss, 4))
