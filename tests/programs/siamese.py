"""Pairs and triplets: contrastive losses, a dataset of its own."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(11)


class Pairs(Dataset):
    def __init__(s, n=64):
        g = torch.Generator().manual_seed(4)
        s.x = torch.randn(n, 1, 8, 8, generator=g)
        s.y = torch.randint(0, 3, (n,), generator=g)

    def __len__(s):
        return len(s.x)

    def __getitem__(s, i):
        j = (i * 7 + 3) % len(s)
        return s.x[i], s.x[j], torch.tensor(float(s.y[i] == s.y[j]))


class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.c = nn.Conv2d(1, 4, 3)
        s.f = nn.Linear(4 * 3 * 3, 8)

    def one(s, x):
        return s.f(F.max_pool2d(F.relu(s.c(x)), 2).flatten(1))

    def forward(s, a, b):
        return s.one(a), s.one(b)


m = Net()
o = torch.optim.Adadelta(m.parameters(), lr=1.0)
sc = torch.optim.lr_scheduler.StepLR(o, 1, 0.7)
for ep in range(3):
    for a, b, t in DataLoader(Pairs(), 16, shuffle=True):
        u, v = m(a, b)
        d = F.pairwise_distance(u, v)
        l = (t * d.pow(2) + (1 - t) * F.relu(1 - d).pow(2)).mean()
        l2 = F.cosine_embedding_loss(u, v, 2 * t - 1, margin=0.2)
        o.zero_grad()
        (l + l2).backward()
        o.step()
    sc.step()
    print(ep, l.item(), l2.item(), sc.get_last_lr())
tr = nn.TripletMarginLoss(margin=1.0, p=2)
a, b, t = next(iter(DataLoader(Pairs(), 9)))
u, v = m(a, b)
print(tr(u, v, u.roll(1, 0)), t)
print(torch.cdist(u, v).shape, F.cosine_similarity(u, v))
