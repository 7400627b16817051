"""A small decoder with experts, rotary positions and grouped queries; LoRA merged; sampling."""

import copy
import math
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r=4, alpha=8, dropout=0.0):
        super().__init__()
        self.base = base
        self.base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(r, base.in_features))
        self.B = nn.Parameter(base.weight.new_zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.scale = alpha / r
        self.drop = nn.Dropout(dropout) if dropout > 0 else nn.Identity()

    def forward(self, x):
        return self.base(x) + self.drop(x) @ self.A.mT @ self.B.T * self.scale

    @torch.no_grad()
    def merge(self):
        m = copy.deepcopy(self.base)
        m.weight += self.scale * self.B @ self.A
        return m

    def extra_repr(self):
        return f"r={self.A.shape[0]}, scale={self.scale}"


class RMSNorm(nn.Module):
    def __init__(self, d, eps=1e-6):
        super().__init__()
        self.w = nn.Parameter(torch.ones(d))
        self.eps = eps

    def forward(self, x):
        return (
            x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps)
        ).type_as(x) * self.w


def rope(x, base=10000.0):
    B, H, T, D = x.shape
    inv = 1.0 / base ** (torch.arange(0, D, 2)[: D // 2].float() / D)
    f = torch.outer(torch.arange(T), inv)
    c = torch.polar(torch.ones_like(f), f)
    xc = torch.view_as_complex(x.float().reshape(B, H, T, -1, 2))
    return torch.view_as_real(xc * c).flatten(3).type_as(x)


class SwiGLU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.w1, self.w2, self.w3 = (
            nn.Linear(d, h, False),
            nn.Linear(h, d, False),
            nn.Linear(d, h, False),
        )

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class MoE(nn.Module):
    def __init__(self, d, n=4, k=2):
        super().__init__()
        self.gate = nn.Linear(d, n, bias=False)
        self.experts = nn.ModuleList([SwiGLU(d, 2 * d) for _ in range(n)])
        self.k = k
        self.aux = None

    def forward(self, x):
        B, T, D = x.shape
        x = x.view(-1, D)
        lg = self.gate(x)
        p = F.softmax(lg, dim=1, dtype=torch.float)
        w, sel = torch.topk(p, self.k, dim=-1)
        w /= w.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(x)
        mask = F.one_hot(sel, num_classes=len(self.experts)).permute(2, 1, 0)
        self.aux = (mask.float().sum(1).mean(1) * p.mean(0)).sum() * len(self.experts)
        for e, ex in enumerate(self.experts):
            idx, top = torch.where(mask[e])
            if top.numel():
                out.index_add_(
                    0, top, (ex(x[None, top].reshape(-1, D)) * w[top, idx, None]).to(x.dtype)
                )
        return out.reshape(B, T, D)


class Block(nn.Module):
    def __init__(self, d, h, kv):
        super().__init__()
        self.n1, self.n2 = RMSNorm(d), nn.RMSNorm(d, eps=1e-6)
        self.h, self.kv, self.hd = h, kv, d // h
        self.q, self.k, self.v, self.o = (
            nn.Linear(d, d, False),
            nn.Linear(d, self.hd * kv, False),
            nn.Linear(d, self.hd * kv, False),
            nn.Linear(d, d, False),
        )
        self.moe = MoE(d)

    def forward(self, x):
        B, T, D = x.size()
        y = self.n1(x)
        q = rope(self.q(y).view(B, T, self.h, -1).transpose(1, 2))
        k = rope(self.k(y).view(B, T, self.kv, -1).transpose(1, 2))
        v = self.v(y).unflatten(-1, (self.kv, -1)).transpose(1, 2)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        k2 = k.repeat_interleave(self.h // self.kv, 1)
        v2 = v[:, :, None].expand(-1, -1, self.h // self.kv, -1, -1).reshape(B, self.h, T, -1)
        a2 = (q @ k2.transpose(-2, -1) / math.sqrt(self.hd)).masked_fill(
            torch.ones(T, T, dtype=torch.bool).triu(1), float("-inf")
        ).softmax(-1) @ v2
        assert torch.allclose(a, a2, atol=1e-5)
        x = x + self.o(a.transpose(1, 2).contiguous().view(B, T, D))
        return x + self.moe(self.n2(x))


class LM(nn.Module):
    def __init__(self, V=17, d=16):
        super().__init__()
        self.tok = nn.Embedding(V, d)
        self.blocks = nn.Sequential(OrderedDict((f"b{i}", Block(d, 4, 2)) for i in range(2)))
        self.norm = RMSNorm(d)
        self.head = nn.Linear(d, V, bias=False)
        self.head.weight = self.tok.weight
        self.apply(self._init)

    def _init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.trunc_normal_(m.weight, std=0.1, a=-0.2, b=0.2)

    def forward(self, i):
        return self.head(self.norm(self.blocks(self.tok(i))))


m = LM()
x = torch.randint(17, (4, 9))
dec = [p for n, p in m.named_parameters() if p.dim() >= 2]
nod = [p for n, p in m.named_parameters() if p.dim() < 2]
o = torch.optim.AdamW(
    [{"params": dec, "weight_decay": 0.1}, {"params": nod, "weight_decay": 0.0}],
    lr=3e-3,
    betas=(0.9, 0.95),
    fused=True,
)
print(len(dec), len(nod))


def lr_at(i, w=3, n=8):
    return (i + 1) / (w + 1) if i < w else 0.1 + 0.45 * (1 + math.cos(math.pi * (i - w) / (n - w)))


for i in range(8):
    for g in o.param_groups:
        g["lr"] = 3e-3 * lr_at(i)
    lg = m(x[:, :-1])
    ce = F.cross_entropy(lg.transpose(1, 2), x[:, 1:], label_smoothing=0.1)
    z = lg.logsumexp(-1).square().mean() * 1e-3
    l = ce + z + 0.01 * sum(b.moe.aux for b in m.blocks)
    o.zero_grad()
    l.backward()
    n = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    o.step()
    print(f"{i} {l:.5f} {ce.item():.5f} {n:.5f}")
for n, c in list(m.named_modules()):
    if isinstance(c, nn.Linear) and n.endswith((".q", ".v")):
        p, _, leaf = n.rpartition(".")
        setattr(m.get_submodule(p), leaf, LoRALinear(c))
print(
    m.blocks.b0.q,
    sum(p.numel() for p in m.parameters() if p.requires_grad and p.dim()),
    [n for n, p in m.named_parameters() if not p.requires_grad],
)
o = torch.optim.Adam([p for n, p in m.named_parameters() if n.endswith((".A", ".B"))], 1e-2)
for i in range(4):
    l = F.cross_entropy(m(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten())
    o.zero_grad()
    l.backward()
    o.step()
    print(l.item())
a = m(x)
for n, c in list(m.named_modules()):
    if isinstance(c, LoRALinear):
        m.set_submodule(n, c.merge())
print(torch.allclose(m(x), a, atol=1e-5), (m(x) - a).abs().max() < 1e-5)
sd = {k: v for k, v in m.state_dict().items() if "b1" in k}
print(list(sd)[:3], m.load_state_dict(sd, strict=False).missing_keys[:3])


@torch.inference_mode()
def gen(m, i, n, T=0.8, k=5, p=0.9):
    for _ in range(n):
        lg = m(i)[:, -1] / T
        v, _ = torch.topk(lg, k)
        lg[lg < v[:, [-1]]] = -float("inf")
        s, ix = torch.sort(lg, descending=True)
        cp = s.softmax(-1).cumsum(-1)
        rm = cp > p
        rm[..., 1:] = rm[..., :-1].clone()
        rm[..., 0] = 0
        lg = lg.masked_fill(rm.scatter(1, ix, rm), -float("inf"))
        i = torch.cat((i, torch.multinomial(F.softmax(lg, -1), 1)), 1)
    return i


torch.manual_seed(3)
print(gen(m, x[:2, :3], 6))
