"""A mixture of experts, low-rank adaptation, rotary positions, grouped attention."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import parametrize

torch.manual_seed(0)


class MoE(nn.Module):
    def __init__(s, d=8, n=4, k=2):
        super().__init__()
        s.g = nn.Linear(d, n)
        s.e = nn.ModuleList(
            nn.Sequential(nn.Linear(d, 16), nn.SiLU(), nn.Linear(16, d)) for _ in range(n)
        )
        s.k = k

    def forward(s, x):
        w, i = torch.topk(F.softmax(s.g(x), -1), s.k)
        w = w / w.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        for n, e in enumerate(s.e):
            b, k = torch.where(i == n)
            if b.numel():
                out.index_add_(0, b, e(x[b]) * w[b, k, None])
        imp = F.softmax(s.g(x), -1).sum(0)
        return out, imp.std() / imp.mean()


m = MoE()
o = torch.optim.AdamW(m.parameters(), 1e-2)
x = torch.randn(32, 8)
for i in range(5):
    y, aux = m(x)
    l = (y - x.roll(1, 1)).pow(2).mean() + 0.01 * aux
    o.zero_grad()
    l.backward()
    o.step()
    print(i, l.item(), aux.item())


class LoRA(nn.Module):
    def __init__(s, o, i, r=2, a=4):
        super().__init__()
        s.A = nn.Parameter(torch.zeros(r, i))
        s.B = nn.Parameter(torch.zeros(o, r))
        nn.init.normal_(s.A)
        s.sc = a / r

    def forward(s, W):
        return W + s.sc * (s.B @ s.A)


l = nn.Linear(8, 4)
base = l.weight.clone()
parametrize.register_parametrization(l, "weight", LoRA(4, 8))
for n, p in l.named_parameters():
    if "original" in n:
        p.requires_grad = False
print([n for n, p in l.named_parameters() if p.requires_grad])
o = torch.optim.Adam([p for p in l.parameters() if p.requires_grad], 0.05)
for i in range(3):
    t = (l(x) - x[:, :4]).pow(2).mean()
    o.zero_grad()
    t.backward()
    o.step()
    print(t.item())
print(torch.linalg.matrix_rank(l.weight - base))
parametrize.remove_parametrizations(l, "weight")
print(type(l.weight).__name__, l.weight.requires_grad)


class RMS(nn.RMSNorm):
    pass


print(RMS(8)(x)[0], F.rms_norm(x, (8,)).std())


def rope(x):
    d = x.shape[-1]
    f = 1.0 / 10000 ** (torch.arange(0, d, 2).float() / d)
    c = torch.polar(
        torch.ones(x.shape[0], d // 2), torch.outer(torch.arange(x.shape[0]).float(), f)
    )
    return torch.view_as_real(
        torch.view_as_complex(x.float().reshape(x.shape[0], -1, 2)) * c
    ).flatten(1)


print(rope(x)[3])
q = torch.randn(1, 4, 6, 8)
k = v = torch.randn(1, 2, 6, 8)
print(
    F.scaled_dot_product_attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)).mean(),
    F.scaled_dot_product_attention(q, k, v, enable_gqa=True).mean(),
)
