"""Momentum contrast and NT-Xent."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
enc = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
mom = copy.deepcopy(enc)
[p.requires_grad_(False) for p in mom.parameters()]
queue = F.normalize(torch.randn(16, 64), dim=0)
ptr = 0
o = torch.optim.SGD(enc.parameters(), 0.1)
x = torch.randn(64, 10)


def ntx(a, b, t=0.5):
    z = F.normalize(torch.cat([a, b]), dim=1)
    s = z @ z.T / t
    s.fill_diagonal_(float("-inf"))
    n = len(a)
    return F.cross_entropy(s, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


for i in range(4):
    v1, v2 = (x[i * 16 : (i + 1) * 16] + 0.1 * torch.randn(16, 10) for _ in range(2))
    q = F.normalize(enc(v1), dim=1)
    with torch.no_grad():
        for a, b in zip(enc.parameters(), mom.parameters()):
            b.mul_(0.99).add_(a, alpha=0.01)
        k = F.normalize(mom(v2), dim=1)
    lo = (
        torch.cat(
            [
                torch.einsum("nc,nc->n", q, k).unsqueeze(-1),
                torch.einsum("nc,ck->nk", q, queue.clone().detach()),
            ],
            1,
        )
        / 0.07
    )
    l = F.cross_entropy(lo, torch.zeros(16, dtype=torch.long)) + ntx(enc(v1), enc(v2))
    o.zero_grad()
    l.backward()
    o.step()
    queue[:, ptr : ptr + 16] = k.T
    ptr = (ptr + 16) % 64
    print(i, l.item())
print(
    queue.norm(dim=0)[:3],
    torch.lerp(torch.zeros(2), torch.ones(2), 0.3),
    F.cosine_similarity(q, k)[:3],
)
c = torch.randn(16, 4).requires_grad_()
F.kl_div(F.log_softmax(c, 1), F.softmax(c.detach() * 2, 1), reduction="batchmean").backward()
print(c.grad[0])
print(F.pdist(c[:4]), torch.cdist(c[:2], c[2:4], p=1).detach())
t = nn.Parameter(torch.tensor(2.65))
l = F.cross_entropy(q.detach() @ k.T * t.exp(), torch.arange(16))
l.backward()
print(l, t.grad)
