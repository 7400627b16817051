"""REINFORCE and a Q table on a two-armed toy, with categorical draws."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical, Normal

torch.manual_seed(7)
policy = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(10):
    log_probs, rewards = [], []
    state = torch.randn(4)
    for _ in range(6):
        dist = Categorical(F.softmax(policy(state), dim=-1))
        action = dist.sample()
        log_probs.append(dist.log_prob(action))
        rewards.append(1.0 if action.item() == int(state[0] > 0) else 0.0)
        state = torch.randn(4)
    returns, R = [], 0.0
    for r in rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    loss = torch.stack([-lp * R for lp, R in zip(log_probs, returns)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(episode, sum(rewards), f"{loss.item():.4f}", f"{dist.entropy():.4f}")
print(Normal(0.0, 1.0), Normal(torch.zeros(2), 1.0).rsample())
q = torch.zeros(3, 2)
for s, a, r in [(0, 1, 1.0), (1, 0, 0.5), (0, 1, 0.0)]:
    q[s, a] += 0.5 * (r + 0.9 * q[(s + 1) % 3].max() - q[s, a])
print(q, q.max(dim=1), q.argmax(1).tolist())
