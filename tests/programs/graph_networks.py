"""Graph convolution and attention by scatter, and as sparse matrices."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
N, E = 30, 90
ei = torch.randint(0, N, (2, E))
x = torch.randn(N, 8)
y = torch.randint(0, 3, (N,))
train = torch.zeros(N, dtype=torch.bool)
train[:15] = True


class GCN(nn.Module):
    def __init__(s, i, o):
        super().__init__()
        s.lin = nn.Linear(i, o, bias=False)
        s.b = nn.Parameter(torch.zeros(o))

    def forward(s, x, ei):
        r, c = ei
        deg = torch.zeros(x.size(0)).scatter_add_(0, c, torch.ones(c.size(0))) + 1
        n = deg.pow(-0.5)
        n[n == float("inf")] = 0
        x = s.lin(x)
        m = x[r] * (n[r] * n[c]).view(-1, 1)
        return torch.zeros_like(x).index_add_(0, c, m) + x * (n * n).unsqueeze(1) + s.b


class GAT(nn.Module):
    def __init__(s, i, o, h=2):
        super().__init__()
        s.h, s.o = h, o
        s.W = nn.Linear(i, h * o, bias=False)
        s.a = nn.Parameter(torch.empty(1, h, 2 * o))
        nn.init.xavier_uniform_(s.a)

    def forward(s, x, ei):
        r, c = ei
        z = s.W(x).view(-1, s.h, s.o)
        e = F.leaky_relu((torch.cat([z[r], z[c]], -1) * s.a).sum(-1), 0.2)
        mx = torch.full((x.size(0), s.h), -1e9).scatter_reduce(
            0, c[:, None].expand(-1, s.h), e, "amax"
        )
        e = (e - mx[c]).exp()
        den = torch.zeros(x.size(0), s.h).index_add(0, c, e)
        al = e / (den[c] + 1e-16)
        return torch.zeros(x.size(0), s.h, s.o).index_add(0, c, z[r] * al.unsqueeze(-1)).flatten(1)


class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.g1 = GCN(8, 12)
        s.g2 = GAT(12, 4)
        s.o = GCN(8, 3)

    def forward(s, x, e):
        x = F.dropout(F.elu(s.g1(x, e)), 0.3, s.training)
        return F.log_softmax(s.o(F.elu(s.g2(x, e)), e), 1)


m = Net()
o = torch.optim.Adam(m.parameters(), lr=0.01, weight_decay=5e-4)
for i in range(10):
    m.train()
    o.zero_grad()
    out = m(x, ei)
    l = F.nll_loss(out[train], y[train])
    l.backward()
    o.step()
    m.eval()
    acc = (m(x, ei).argmax(1)[~train] == y[~train]).sum().item() / int((~train).sum())
    print(i, round(l.item(), 5), round(acc, 4))
A = torch.sparse_coo_tensor(ei, torch.ones(E), (N, N)).coalesce()
deg = torch.sparse.sum(A, 1).to_dense()
print(A)
print((torch.sparse.mm(A, x)).sum(), deg[:5], A.to_sparse_csr().crow_indices()[:5])
