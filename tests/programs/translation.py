"""A transformer from sequence to sequence, with masks and greedy decoding."""

import math

import torch
import torch.nn as nn
from torch.nn import Transformer

torch.manual_seed(0)
PAD = 1


class Pos(nn.Module):
    def __init__(self, e, p, n=50):
        super().__init__()
        den = torch.exp(-torch.arange(0, e, 2) * math.log(10000) / e)
        pos = torch.arange(0, n).reshape(n, 1)
        pe = torch.zeros((n, e))
        pe[:, 0::2] = torch.sin(pos * den)
        pe[:, 1::2] = torch.cos(pos * den)
        self.dropout = nn.Dropout(p)
        self.register_buffer("pe", pe.unsqueeze(-2))

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(0), :])


class S2S(nn.Module):
    def __init__(self, V=20, e=16):
        super().__init__()
        self.t = Transformer(
            d_model=e,
            nhead=4,
            num_encoder_layers=2,
            num_decoder_layers=2,
            dim_feedforward=32,
            dropout=0.1,
        )
        self.gen = nn.Linear(e, V)
        self.a = nn.Embedding(V, e)
        self.b = nn.Embedding(V, e)
        self.pos = Pos(e, 0.1)
        self.e = e

    def forward(self, s, t, sm, tm, sp, tp, mp):
        return self.gen(
            self.t(
                self.pos(self.a(s.long()) * math.sqrt(self.e)),
                self.pos(self.b(t.long()) * math.sqrt(self.e)),
                sm,
                tm,
                None,
                sp,
                tp,
                mp,
            )
        )

    def encode(self, s, sm):
        return self.t.encoder(self.pos(self.a(s) * math.sqrt(self.e)), sm)

    def decode(self, t, m, tm):
        return self.t.decoder(self.pos(self.b(t) * math.sqrt(self.e)), m, tm)


def subsequent(sz):
    m = (torch.triu(torch.ones((sz, sz))) == 1).transpose(0, 1)
    return m.float().masked_fill(m == 0, float("-inf")).masked_fill(m == 1, 0.0)


def masks(s, t):
    return (
        torch.zeros((s.shape[0], s.shape[0])).type(torch.bool),
        subsequent(t.shape[0]),
        (s == PAD).transpose(0, 1),
        (t == PAD).transpose(0, 1),
    )


m = S2S()
for p in m.parameters():
    if p.dim() > 1:
        nn.init.xavier_uniform_(p)
loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
opt = torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
src = torch.randint(2, 20, (7, 8))
src[5:, ::2] = PAD
tgt = torch.randint(2, 20, (9, 8))
tgt[7:, ::3] = PAD
print(sum(p.numel() for p in m.parameters()))
for i in range(4):
    ti = tgt[:-1]
    sm, tm, sp, tp = masks(src, ti)
    tpf = torch.zeros_like(tp, dtype=torch.float).masked_fill_(tp, float("-inf"))
    spf = sp
    out = m(src, ti, sm, tm, sp, tp, sp)
    opt.zero_grad()
    loss = loss_fn(out.reshape(-1, out.shape[-1]), tgt[1:].reshape(-1))
    loss.backward()
    opt.step()
    print(i, loss.item())
m.eval()
mem = m.encode(src[:, :1], torch.zeros(7, 7).bool())
ys = torch.ones(1, 1).fill_(2).type(torch.long)
for i in range(4):
    o = m.decode(ys, mem, subsequent(ys.size(0)).type(torch.bool)).transpose(0, 1)
    _, nw = torch.max(m.gen(o[:, -1]), dim=1)
    ys = torch.cat([ys, torch.ones(1, 1).type_as(src.data).fill_(nw.item())], dim=0)
print(ys.flatten())
