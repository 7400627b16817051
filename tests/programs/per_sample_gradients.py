"""Gradients for each sample, ensembles, Jacobians and the tangent kernel by vmap."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import (
    functional_call,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    stack_module_state,
    vjp,
    vmap,
)

torch.manual_seed(0)


class CNN(nn.Module):
    def __init__(s):
        super().__init__()
        s.c1 = nn.Conv2d(1, 4, 3, 1)
        s.c2 = nn.Conv2d(4, 6, 3, 1)
        s.f = nn.Linear(6 * 16, 10)

    def forward(s, x):
        return F.log_softmax(s.f(F.max_pool2d(F.relu(s.c2(F.relu(s.c1(x)))), 2).flatten(1)), 1)


m = CNN()
x, y = torch.randn(5, 1, 12, 12), torch.randint(0, 10, (5,))
p = {k: v.detach() for k, v in m.named_parameters()}
b = {k: v.detach() for k, v in m.named_buffers()}


def loss(p, b, s, t):
    return F.nll_loss(functional_call(m, (p, b), (s.unsqueeze(0),)), t.unsqueeze(0))


g = vmap(grad(loss), in_dims=(None, None, 0, 0))(p, b, x, y)
print({k: v.shape for k, v in g.items()})
print({k: v.flatten(1).norm(dim=1) for k, v in g.items() if "bias" in k})
ref = [
    torch.autograd.grad(F.nll_loss(m(x[i : i + 1]), y[i : i + 1]), m.parameters()) for i in range(5)
]
print(all(torch.allclose(torch.stack(r), v, atol=1e-5) for r, v in zip(zip(*ref), g.values())))
models = [CNN() for _ in range(3)]
ps, bs = stack_module_state(models)
base = copy.deepcopy(models[0]).to("meta")
out = vmap(lambda p, b, x: functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))(ps, bs, x)
print(out.shape, out.mean((1, 2)))
f = lambda v: (v.sin() * v.pow(2)).sum()
v = torch.randn(4)
print(jacrev(f)(v), hessian(f)(v).diagonal())
print(jacfwd(lambda v: v**3)(v))
o, fn = vjp(lambda v: v.exp(), v)
print(fn(torch.ones(4)))
print(jvp(lambda v: v.tanh(), (v,), (torch.ones(4),)))
fnet = lambda p, x: functional_call(m, p, (x.unsqueeze(0),)).squeeze(0)
j1 = vmap(jacrev(fnet), (None, 0))(p, x[:2])
j = [v.flatten(2) for v in j1.values()]
ntk = sum(torch.einsum("Naf,Mbf->NMab", a, a) for a in j)
print(ntk.shape, ntk.diagonal(dim1=2, dim2=3).sum(-1))
