"""Negative sampling with SparseAdam, GloVe, factorisation, bags, adaptive softmax, a tied LM, a CRF."""

import collections
import io
import math
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
random.seed(0)
text = (
    "the quick brown fox jumps over the lazy dog . a fast auburn fox leaps above a sleepy hound . the dog sleeps while the fox runs . "
    * 6
).split()
cnt = collections.Counter(text)
itos = [w for w, _ in cnt.most_common()]
stoi = {w: i for i, w in enumerate(itos)}
ids = torch.tensor([stoi[w] for w in text])
V = len(itos)
print(V, itos[:5])
fr = torch.tensor([cnt[w] for w in itos], dtype=torch.float) ** 0.75


class SG(nn.Module):
    def __init__(s, V, d):
        super().__init__()
        s.u = nn.Embedding(V, d, sparse=True)
        s.v = nn.Embedding(V, d, sparse=True)
        r = 0.5 / d
        s.u.weight.data.uniform_(-r, r)
        nn.init.zeros_(s.v.weight)

    def forward(s, c, o, neg):
        e = s.u(c)
        pos = F.logsigmoid((e * s.v(o)).sum(1))
        ng = F.logsigmoid(-torch.bmm(s.v(neg), e.unsqueeze(2)).squeeze(2)).sum(1)
        return -(pos + ng).mean()


m = SG(V, 10)
o = torch.optim.SparseAdam(list(m.parameters()), lr=0.05)
pairs = torch.tensor(
    [(i, j) for i in range(len(ids)) for j in range(max(0, i - 2), min(len(ids), i + 3)) if i != j]
)
for st in range(6):
    b = pairs[torch.randint(len(pairs), (64,))]
    neg = torch.multinomial(fr, 64 * 4, replacement=True).view(64, 4)
    l = m(ids[b[:, 0]], ids[b[:, 1]], neg)
    o.zero_grad()
    l.backward()
    g = m.u.weight.grad
    o.step()
    print(
        "sg",
        l.item(),
        g.is_sparse,
        g.coalesce().indices().shape[1],
        g.coalesce().values().norm().item(),
    )
w = F.normalize(m.u.weight.detach())
print([itos[i] for i in (w @ w[stoi["fox"]]).topk(4).indices])
e = nn.Embedding.from_pretrained(
    w, freeze=False, padding_idx=0, max_norm=0.5, scale_grad_by_freq=True
)
y = e(torch.tensor([[1, 1, 0]]))
y.sum().backward()
print(y.norm(dim=-1), e.weight.grad[:2, 0], e)
X = torch.zeros(V, V)
X.index_put_((ids[pairs[:, 0]], ids[pairs[:, 1]]), torch.ones(len(pairs)), accumulate=True)
gw, gb = nn.Parameter(torch.randn(V, 5) * 0.1), nn.Parameter(torch.zeros(V))
o = torch.optim.Adagrad([gw, gb], 0.1)
nz = X.nonzero(as_tuple=True)
for i in range(4):
    f = (X[nz] / 50).clamp(max=1) ** 0.75
    l = (f * ((gw[nz[0]] * gw[nz[1]]).sum(1) + gb[nz[0]] + gb[nz[1]] - X[nz].log()) ** 2).sum()
    o.zero_grad()
    l.backward()
    o.step()
    print("glove", l.item())


class MF(nn.Module):
    def __init__(s, nu, ni, k=6):
        super().__init__()
        s.U, s.I = nn.Embedding(nu, k), nn.Embedding(ni, k)
        s.bu, s.bi = nn.Embedding(nu, 1), nn.Embedding(ni, 1)
        s.mu = nn.Parameter(torch.zeros(1))
        [nn.init.normal_(p, std=0.1) for p in s.parameters()]

    def forward(s, u, i):
        return (s.U(u) * s.I(i)).sum(-1) + s.bu(u).squeeze(-1) + s.bi(i).squeeze(-1) + s.mu


mf = MF(20, 30)
u, it, r = torch.randint(20, (200,)), torch.randint(30, (200,)), torch.randint(1, 6, (200,)).float()
o = torch.optim.SGD(mf.parameters(), 0.5, weight_decay=1e-3)
for ep in range(3):
    for b in torch.randperm(200).split(50):
        l = F.mse_loss(mf(u[b], it[b]), r[b])
        o.zero_grad()
        l.backward()
        o.step()
    print("mf", l.item())
neg = torch.randint(30, (200,))
print("bpr", -F.logsigmoid(mf(u, it) - mf(u, neg)).mean().item())
sc = mf.U.weight @ mf.I.weight.T
print(sc.topk(3).indices[:2], torch.linalg.matrix_norm(sc, "nuc"), torch.linalg.svdvals(sc)[:3])
for mode in ("sum", "mean", "max"):
    eb = nn.EmbeddingBag(V, 4, mode=mode, include_last_offset=mode == "sum")
    torch.manual_seed(1)
    off = torch.tensor([0, 2, 3, 5] if mode == "sum" else [0, 2, 3])
    z = eb(
        torch.tensor([1, 2, 3, 1, 4]),
        off,
        *(() if mode != "sum" else (torch.tensor([1.0, 0.5, 2, 1, 1]),)),
    )
    z.pow(2).sum().backward()
    print(mode, z.shape, eb.weight.grad.norm().item())
asm = nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10], div_value=2.0)
h = torch.randn(6, 8, requires_grad=True)
out = asm(h, torch.tensor([0, 3, 6, 12, 19, 9]))
out.loss.backward()
print(out.output, out.loss, asm.log_prob(h).exp().sum(1), asm.predict(h), h.grad.norm())


class TiedLM(nn.Module):
    def __init__(s, V, d=16):
        super().__init__()
        s.drop = nn.Dropout(0.2)
        s.enc = nn.Embedding(V, d)
        s.rnn = nn.LSTM(d, d, 2, dropout=0.2)
        s.dec = nn.Linear(d, V)
        s.dec.weight = s.enc.weight

    def forward(s, x, h):
        o, h = s.rnn(s.drop(s.enc(x)), h)
        return F.log_softmax(s.dec(s.drop(o)).view(-1, V), 1), h


def rep(h):
    return h.detach() if isinstance(h, torch.Tensor) else tuple(rep(v) for v in h)


lm = TiedLM(V)
data = ids[: len(ids) // 4 * 4].view(4, -1).t().contiguous()
h = (torch.zeros(2, 4, 16), torch.zeros(2, 4, 16))
lr = 5.0
for i in range(0, 30, 6):
    x, y = data[i : i + 6], data[i + 1 : i + 7].reshape(-1)
    lm.zero_grad()
    h = rep(h)
    out, h = lm(x, h)
    l = F.nll_loss(out, y)
    l.backward()
    n = nn.utils.clip_grad_norm_(lm.parameters(), 0.25)
    for p in lm.parameters():
        p.data.add_(p.grad, alpha=-lr)
    print("lm", l.item(), n.item(), len(list(lm.parameters())))
file = io.BytesIO()
torch.save(lm.state_dict(), file)
file.seek(0)
sd = torch.load(file)
print(sd["enc.weight"].data_ptr() == sd["dec.weight"].data_ptr())


# pointer network, char-CNN, CRF by forward algorithm
class Ptr(nn.Module):
    def __init__(s, d=12):
        super().__init__()
        s.e = nn.LSTM(1, d, batch_first=True)
        s.c = nn.LSTMCell(1, d)
        s.w1, s.w2, s.v = nn.Linear(d, d, False), nn.Linear(d, d, False), nn.Linear(d, 1, False)

    def forward(s, x, tgt):
        E, (h, c) = s.e(x)
        h, c = h[0], c[0]
        inp = x.new_zeros(len(x), 1)
        mask = torch.zeros(x.shape[:2], dtype=torch.bool)
        L = []
        for t in range(x.size(1)):
            h, c = s.c(inp, (h, c))
            a = s.v(torch.tanh(s.w1(E) + s.w2(h)[:, None])).squeeze(-1).masked_fill(mask, -math.inf)
            L.append(a)
            mask = mask.scatter(1, tgt[:, t : t + 1], True)
            inp = x.gather(1, tgt[:, t, None, None]).squeeze(1)
        return torch.stack(L, 1)


x = torch.rand(8, 5, 1)
tgt = x.squeeze(-1).argsort(1)
p = Ptr()
o = torch.optim.Adam(p.parameters(), 1e-2)
for i in range(3):
    l = F.cross_entropy(p(x, tgt).flatten(0, 1), tgt.flatten())
    o.zero_grad()
    l.backward()
    o.step()
    print("ptr", l.item())


def crf(em, tags, T):
    s = em[:, 0]
    n = em.size(1)
    [None for _ in ()]
    gold = em.gather(2, tags[..., None]).squeeze(-1).sum(1) + T[tags[:, :-1], tags[:, 1:]].sum(1)
    import functools

    z = functools.reduce(
        lambda a, k: torch.logsumexp(a[:, :, None] + T[None] + em[:, k, None, :], 1), range(1, n), s
    )
    return (z.logsumexp(1) - gold).mean()


em, T = torch.randn(3, 6, 4, requires_grad=True), torch.zeros(4, 4, requires_grad=True)
l = crf(em, torch.randint(4, (3, 6)), T)
l.backward()
print("crf", l.item(), T.grad.sum().item(), em.grad.abs().sum().item())
bp = []
v = em[0, 0].detach()
for k in range(1, 6):
    v, ix = (v[:, None] + T.detach() + em[0, k].detach()).max(0)
    bp.append(ix)
path = [v.argmax().item()]
[path.append(b[path[-1]].item()) for b in reversed(bp)]
print(path[::-1])
