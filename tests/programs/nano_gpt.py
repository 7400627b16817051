"""A small GPT: tied weights, a schedule by hand, accumulation, autocast, a cache of keys and values."""

import inspect
import math
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(1337)


class LayerNorm(nn.Module):
    def __init__(self, n, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.bias = nn.Parameter(torch.zeros(n)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


@dataclass
class Cfg:
    block_size: int = 16
    vocab_size: int = 27
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 16
    dropout: float = 0.1
    bias: bool = False


class Attn(nn.Module):
    def __init__(s, c):
        super().__init__()
        s.c_attn = nn.Linear(c.n_embd, 3 * c.n_embd, bias=c.bias)
        s.c_proj = nn.Linear(c.n_embd, c.n_embd, bias=c.bias)
        s.rd = nn.Dropout(c.dropout)
        s.c = c
        s.flash = hasattr(F, "scaled_dot_product_attention")
        s.register_buffer(
            "bias",
            torch.tril(torch.ones(c.block_size, c.block_size)).view(
                1, 1, c.block_size, c.block_size
            ),
            persistent=False,
        )

    def forward(s, x, kv=None):
        B, T, C = x.size()
        q, k, v = s.c_attn(x).split(s.c.n_embd, dim=2)
        q, k, v = [t.view(B, T, s.c.n_head, C // s.c.n_head).transpose(1, 2) for t in (q, k, v)]
        if kv is not None:
            if kv:
                k = torch.cat([kv[0], k], 2)
                v = torch.cat([kv[1], v], 2)
            kv[:] = [k, v]
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = F.scaled_dot_product_attention(
                q, k, v, attn_mask=None, dropout_p=s.c.dropout if s.training else 0, is_causal=True
            )
        return s.rd(s.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))


class Block(nn.Module):
    def __init__(s, c):
        super().__init__()
        s.ln_1 = LayerNorm(c.n_embd, c.bias)
        s.attn = Attn(c)
        s.ln_2 = LayerNorm(c.n_embd, c.bias)
        s.mlp = nn.ModuleDict(
            dict(
                c_fc=nn.Linear(c.n_embd, 4 * c.n_embd),
                c_proj=nn.Linear(4 * c.n_embd, c.n_embd),
                act=nn.GELU(approximate="tanh"),
            )
        )

    def forward(s, x, kv=None):
        x = x + s.attn(s.ln_1(x), kv)
        return x + s.mlp.c_proj(s.mlp.act(s.mlp.c_fc(s.ln_2(x))))


class GPT(nn.Module):
    def __init__(s, c):
        super().__init__()
        s.c = c
        s.transformer = nn.ModuleDict(
            dict(
                wte=nn.Embedding(c.vocab_size, c.n_embd),
                wpe=nn.Embedding(c.block_size, c.n_embd),
                drop=nn.Dropout(c.dropout),
                h=nn.ModuleList([Block(c) for _ in range(c.n_layer)]),
                ln_f=LayerNorm(c.n_embd, c.bias),
            )
        )
        s.lm_head = nn.Linear(c.n_embd, c.vocab_size, bias=False)
        s.transformer.wte.weight = s.lm_head.weight
        s.apply(s._init)
        for n, p in s.named_parameters():
            if n.endswith("c_proj.weight"):
                nn.init.normal_(p, 0.0, 0.02 / math.sqrt(2 * c.n_layer))
        print("number of parameters: %.2fK" % (sum(p.numel() for p in s.parameters()) / 1e3,))

    def _init(s, m):
        if isinstance(m, nn.Linear):
            torch.nn.init.normal_(m.weight, 0.0, 0.02)
            m.bias is not None and torch.nn.init.zeros_(m.bias)
        elif isinstance(m, nn.Embedding):
            torch.nn.init.normal_(m.weight, 0.0, 0.02)

    def forward(s, idx, y=None, kvs=None, pos=0):
        p = torch.arange(pos, pos + idx.size(1), dtype=torch.long, device=idx.device)
        x = s.transformer.drop(s.transformer.wte(idx) + s.transformer.wpe(p))
        for i, b in enumerate(s.transformer.h):
            x = b(x, kvs[i] if kvs else None)
        x = s.transformer.ln_f(x)
        if y is not None:
            l = s.lm_head(x)
            return l, F.cross_entropy(l.view(-1, l.size(-1)), y.view(-1), ignore_index=-1)
        return s.lm_head(x[:, [-1], :]), None

    def configure(s, wd, lr, betas, dev):
        pd = {n: p for n, p in s.named_parameters() if p.requires_grad}
        g = [
            {"params": [p for p in pd.values() if p.dim() >= 2], "weight_decay": wd},
            {"params": [p for p in pd.values() if p.dim() < 2], "weight_decay": 0.0},
        ]
        fused = "fused" in inspect.signature(torch.optim.AdamW).parameters
        print(fused)
        return torch.optim.AdamW(g, lr=lr, betas=betas, fused=fused)

    @torch.no_grad()
    def generate(s, idx, n, temp=1.0, top_k=None):
        for _ in range(n):
            l, _ = s(idx[:, -s.c.block_size :])
            l = l[:, -1, :] / temp
            if top_k:
                v, _ = torch.topk(l, min(top_k, l.size(-1)))
                l[l < v[:, [-1]]] = -float("Inf")
            idx = torch.cat((idx, torch.multinomial(F.softmax(l, dim=-1), 1)), dim=1)
        return idx

    @torch.no_grad()
    def cached(s, idx, n):
        kvs = [[] for _ in s.transformer.h]
        pos = 0
        x = idx
        for _ in range(n):
            for j in range(x.size(1)):
                l, _ = s(x[:, j : j + 1], kvs=kvs, pos=pos)
                pos += 1
            x = l[:, -1].argmax(-1, keepdim=True)
            idx = torch.cat([idx, x], 1)
        return idx

    def crop(s, b):
        s.c.block_size = b
        s.transformer.wpe.weight = nn.Parameter(s.transformer.wpe.weight[:b])


c = Cfg()
m = GPT(c)
opt = m.configure(0.1, 1e-2, (0.9, 0.95), "cpu")
data = torch.tensor([(i * i + i // 3) % 27 for i in range(400)])
ctx = torch.amp.autocast(device_type="cpu", dtype=torch.bfloat16)


def batch():
    ix = torch.randint(len(data) - 16, (4,))
    return torch.stack([data[i : i + 16] for i in ix]), torch.stack(
        [data[i + 1 : i + 17] for i in ix]
    )


def lr(it):
    return (
        1e-2 * (it + 1) / 4
        if it < 3
        else 1e-3 + 0.5 * (1 + math.cos(math.pi * (it - 3) / 7)) * 9e-3
    )


for it in range(10):
    for g in opt.param_groups:
        g["lr"] = lr(it)
    for k in range(2):
        x, y = batch()
        with nullcontext() if it < 8 else ctx:
            l, loss = m(x, y)
        (loss / 2).backward()
    gn = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    opt.zero_grad(set_to_none=True)
    print(
        f"iter {it}: loss {loss.item():.4f} norm {gn:.3f}"
        if it < 8
        else f"{loss.dtype} {loss.item():.2f}"
    )
m.eval()
print(m.generate(torch.zeros(1, 1, dtype=torch.long), 20, 0.8, 5).tolist())
print(m.cached(torch.zeros(1, 1, dtype=torch.long), 10).tolist())
m.crop(8)
print(m(x[:, :8])[0].shape)
