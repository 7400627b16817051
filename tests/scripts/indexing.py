"""Indexing tricks: advanced, boolean, in place, gather, scatter, sort, topk."""

import torch

x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[:, 1], x[..., -1], x[None].shape, x[:, [0, 2]], x[x % 5 == 0], sep="\n")
rows, cols = torch.tensor([0, 2]), torch.tensor([[1], [3]])
print(x[1][rows, cols], x[:, rows, 1:3], x[torch.tensor([True, False])], sep="\n")
y = x.clone().float()
y[y > 20] = -1
y[:, 0, ::2] = 100
y[0, [0, 1], [1, 1]] += 0.5
y[1, ..., 3] = torch.tensor([7.0, 8.0, 9.0])
print(y)
z = torch.zeros(3, 5)
z.scatter_(1, torch.tensor([[0, 1], [2, 3], [4, 0]]), torch.tensor([[1.0, 2], [3, 4], [5, 6]]))
print(z, z.gather(1, torch.tensor([[0], [2], [4]])), z.nonzero(), z.nonzero(as_tuple=True))
z.index_add_(0, torch.tensor([0, 0]), torch.ones(2, 5))
z.index_fill_(1, torch.tensor([2]), 9)
z.masked_fill_(z == 0, float("nan"))
print(z, z.isnan().sum(), torch.nan_to_num(z).sum())
one_hot = torch.zeros(3, 4).scatter(1, torch.tensor([[1], [0], [3]]), 1)
print(one_hot, torch.nn.functional.one_hot(torch.tensor([1, 0, 3])))
t = torch.tensor([[3, 1, 2], [9, 7, 8]])
print(t.sort(), t.sort(dim=0, descending=True).values, t.argsort(), t.topk(2), t.kthvalue(2))
print(t.max(), t.max(1), t.min(dim=0), t.median(), t.median(1), t.mode(), t.cummax(1))
print(torch.unique(torch.tensor([3, 1, 1, 2]), return_counts=True, return_inverse=True))
print(torch.where(t > 2, t, -t), torch.take(t, torch.tensor([0, 5])), t.flip(0), t.roll(1, 1))
print(torch.bincount(torch.tensor([0, 1, 1, 4])), torch.searchsorted(torch.tensor([1, 3, 5]), 4))
print(torch.masked_select(t, t > 2), t.index_select(1, torch.tensor([2, 0])), t.unfold(1, 2, 1))
print(torch.cat([t, t], 1), torch.stack([t, t]).shape, t.repeat(1, 2), t.repeat_interleave(2, 0))
print(
    torch.chunk(torch.arange(7), 3),
    torch.arange(7).split([3, 4]),
    torch.meshgrid(t[0], t[1], indexing="ij"),
)
print(torch.tril_indices(3, 3), torch.triu(torch.ones(3, 3), 1), torch.combinations(t[0]))
print(
    torch.scatter_add(torch.zeros(3), 0, torch.tensor([0, 0, 2]), torch.ones(3)),
    t.T,
    t.t().stride(),
)
print(torch.cartesian_prod(t[0], t[1])[:3], torch.bucketize(t, torch.tensor([2, 7])), t.diff())
w = torch.ones(3, requires_grad=True)
v = w * 2
v[1] = 0
v[[0, 0]].sum().backward()
print(w.grad, v)
