"""Skip-grams with negative samples: sparse embeddings, SparseAdam, bags."""

from collections import Counter

import torch
import torch.nn as nn

torch.manual_seed(0)
text = "we are about to study the idea of a computational process computational processes are abstract beings that inhabit computers as they evolve processes manipulate other abstract things called data".split()
vocab = sorted(set(text))
ix = {w: i for i, w in enumerate(vocab)}
freq = torch.tensor([Counter(text)[w] for w in vocab]).float().pow(0.75)


class SG(nn.Module):
    def __init__(s):
        super().__init__()
        s.u = nn.Embedding(len(vocab), 10, sparse=True)
        s.v = nn.Embedding(len(vocab), 10, sparse=True)
        nn.init.zeros_(s.v.weight)

    def forward(s, c, p, neg):
        e = s.u(c)
        pos = nn.functional.logsigmoid((e * s.v(p)).sum(1))
        n = nn.functional.logsigmoid(-torch.bmm(s.v(neg), e.unsqueeze(2)).squeeze(2)).sum(1)
        return -(pos + n).mean()


m = SG()
opt = torch.optim.SparseAdam(list(m.parameters()), lr=0.05)
pairs = [
    (ix[text[i]], ix[text[j]])
    for i in range(len(text))
    for j in range(max(0, i - 2), min(len(text), i + 3))
    if i != j
]
c, p = map(torch.tensor, zip(*pairs))
for ep in range(4):
    perm = torch.randperm(len(c))
    tot = 0.0
    for b in perm.split(32):
        neg = torch.multinomial(freq, len(b) * 3, replacement=True).view(len(b), 3)
        opt.zero_grad()
        l = m(c[b], p[b], neg)
        l.backward()
        opt.step()
        tot += l.item() * len(b)
    print(ep, round(tot / len(c), 4))
print(m.u.weight.grad.is_sparse, m.u.weight.grad.coalesce().indices().shape)
w = nn.functional.normalize(m.u.weight.detach())
s = w @ w[ix["processes"]]
print([vocab[i] for i in s.topk(4).indices])
print(s.topk(4).values)
m2 = nn.EmbeddingBag(10, 3, mode="mean", sparse=True)
o2 = torch.optim.SGD(m2.parameters(), 0.1)
o = m2(torch.tensor([1, 2, 4, 5, 4, 3]), torch.tensor([0, 3]))
o.pow(2).sum().backward()
o2.step()
print(o)
print(m2.weight.grad)
print(m2.weight)
