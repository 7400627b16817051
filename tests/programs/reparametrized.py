"""Weight norm, spectral norm, orthogonal weights, pruning."""

import torch
import torch.nn as nn
from torch.nn.utils import (
    parametrizations as P,
)
from torch.nn.utils import (
    parametrize,
    prune,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)

torch.manual_seed(0)
l = P.weight_norm(nn.Linear(3, 2))
print(l, list(l.state_dict()), l(torch.ones(1, 3)))
s = P.spectral_norm(nn.Linear(4, 3))
print(torch.linalg.matrix_norm(s.weight, 2))
[s(torch.randn(2, 4)) for _ in range(10)]
print(torch.linalg.matrix_norm(s.weight, 2), list(s.state_dict()))
o = P.orthogonal(nn.Linear(3, 3))
print((o.weight.T @ o.weight).round(decimals=3))


class Sym(nn.Module):
    def forward(s, x):
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(s, x):
        return x.triu()


q = nn.Linear(3, 3)
parametrize.register_parametrization(q, "weight", Sym())
print(torch.equal(q.weight, q.weight.T), parametrize.is_parametrized(q), q)
parametrize.remove_parametrizations(q, "weight")
print(q)
import warnings

warnings.simplefilter("ignore")
w = weight_norm(nn.Conv1d(2, 3, 2))
print(list(w.state_dict()), w.weight_g.shape)
remove_weight_norm(w)
print(list(w.state_dict()))
sn = spectral_norm(nn.Conv2d(2, 3, 2))
sn(torch.randn(1, 2, 4, 4))
print(list(sn.state_dict()), sn.weight.norm())
m = nn.Linear(4, 3)
prune.random_unstructured(m, "weight", amount=0.3)
print(
    list(m.named_buffers()),
    list(dict(m.named_parameters())),
    m._forward_pre_hooks.values().__len__(),
)
prune.l1_unstructured(m, "bias", amount=2)
print(m.bias)
prune.ln_structured(m, "weight", amount=0.5, n=2, dim=0)
print(m.weight)
print(type(list(m._forward_pre_hooks.values())[0]).__name__)
prune.remove(m, "weight")
print(m.weight, list(m.state_dict()))
n = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
prune.global_unstructured(
    [(n[0], "weight"), (n[1], "weight")], pruning_method=prune.L1Unstructured, amount=0.4
)
print([float((k.weight == 0).sum()) for k in n])


class Foo(prune.BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        k = default_mask.clone()
        k.view(-1)[::2] = 0
        return k


Foo.apply(n[0], "bias")
print(n[0].bias_mask, prune.is_pruned(n))
x = torch.nn.utils.parameters_to_vector(n.parameters())
print(x.shape)
nn.utils.vector_to_parameters(torch.zeros_like(x), n.parameters())
print(n(torch.ones(4)))
