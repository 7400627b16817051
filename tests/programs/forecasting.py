"""Forecasts by dilated convolutions and an LSTM, quantile regression."""

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
np.random.seed(0)
t = np.linspace(0, 20, 200)
y = np.sin(t) + 0.1 * np.random.randn(200)
y = (y - y.mean()) / y.std()
X = torch.tensor(np.stack([y[i : i + 12] for i in range(180)]), dtype=torch.float32).unsqueeze(-1)
Y = torch.tensor(y[12:192], dtype=torch.float32)


class TCN(nn.Module):
    def __init__(s):
        super().__init__()
        s.c = nn.ModuleList(nn.Conv1d(1 if i == 0 else 8, 8, 2, dilation=2**i) for i in range(3))
        s.o = nn.Linear(8, 1)

    def forward(s, x):
        x = x.transpose(1, 2)
        for i, c in enumerate(s.c):
            x = torch.relu(c(nn.functional.pad(x, (2**i, 0))))
        return s.o(x[..., -1]).squeeze(-1)


class L(nn.Module):
    def __init__(s):
        super().__init__()
        s.r = nn.LSTM(1, 12, 2, batch_first=True, dropout=0.1)
        s.o = nn.Linear(12, 1)

    def forward(s, x):
        o, (h, c) = s.r(x)
        return s.o(o[:, -1]).squeeze(-1)


for M in (TCN, L):
    m = M()
    o = torch.optim.Adam(m.parameters(), 1e-2)
    best = float("inf")
    pat = 0
    tr = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X[:140], Y[:140]), 35, shuffle=True
    )
    for e in range(4):
        m.train()
        for a, b in tr:
            o.zero_grad()
            l = nn.HuberLoss()(m(a), b)
            l.backward()
            o.step()
        m.eval()
        with torch.no_grad():
            v = nn.functional.l1_loss(m(X[140:]), Y[140:]).item()
        if v < best - 1e-3:
            best = v
            pat = 0
        else:
            pat += 1
        print(M.__name__, e, f"{l.item():.4f} {v:.4f}", pat)
    w = X[-1:].clone()
    out = []
    with torch.no_grad():
        for _ in range(5):
            p = m(w)
            out.append(round(p.item(), 4))
            w = torch.cat([w[:, 1:], p.view(1, 1, 1)], 1)
    print(out)
q = torch.tensor([0.1, 0.5, 0.9])
lin = nn.Linear(12, 3)
o = torch.optim.Adagrad(lin.parameters(), 0.1)
for i in range(3):
    d = Y[:, None] - lin(X.squeeze(-1))
    l = torch.maximum(q * d, (q - 1) * d).mean()
    o.zero_grad()
    l.backward()
    o.step()
    print("%.5f" % l)
