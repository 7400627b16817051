"""Modes, wrapper and unit-carrying subclasses, jagged tensors, pruning, parametrisations, complex."""

import collections
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.utils.parametrize as P
import torch.nn.utils.prune as prune
from torch.nn.utils.parametrizations import orthogonal, weight_norm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

torch.manual_seed(0)


class Count(TorchDispatchMode):
    def __init__(s):
        super().__init__()
        s.c = collections.Counter()

    def __torch_dispatch__(s, f, types, args=(), kw=None):
        s.c[str(f).split(".")[1]] += 1
        return f(*args, **(kw or {}))


m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
x = torch.randn(5, 3)
with Count() as c:
    F.cross_entropy(m(x), torch.tensor([0, 1, 0, 1, 1])).backward()
print({k: c.c[k] for k in ("addmm", "relu", "_log_softmax", "nll_loss_forward", "mm")})


class Scaled(torch.Tensor):
    @staticmethod
    def __new__(cls, q, s):
        return torch.Tensor._make_wrapper_subclass(cls, q.shape, dtype=torch.float32)

    def __init__(self, q, s):
        self.q, self.s = q, s

    @classmethod
    def of(cls, t):
        s = t.abs().max() / 127
        return cls((t / s).round().to(torch.int8), s)

    def deq(self):
        return self.q.float() * self.s

    def __repr__(self):
        return f"Scaled({tuple(self.q.shape)}, {self.s:.4f})"

    def __tensor_flatten__(self):
        return ["q", "s"], None

    @classmethod
    def __torch_dispatch__(cls, f, types, args=(), kw=None):
        if f is torch.ops.aten.detach.default:
            return cls(args[0].q, args[0].s)
        if f is torch.ops.aten.t.default:
            return cls(args[0].q.t(), args[0].s)
        d = lambda t: t.deq() if isinstance(t, Scaled) else t
        return f(*tree_map(d, args), **tree_map(d, kw or {}))


w = torch.randn(4, 3)
q = Scaled.of(w)
print(q, q.dtype, F.linear(x, q) - F.linear(x, w) < 0.1, (q + 1).shape)
lin = nn.Linear(3, 4)
lin.weight = nn.Parameter(q, requires_grad=False)
print(lin(x).shape, lin)


class Unit(torch.Tensor):
    @staticmethod
    def __new__(cls, d, u):
        r = torch.as_tensor(d, dtype=torch.float32).as_subclass(cls)
        r.u = u
        return r

    @classmethod
    def __torch_function__(cls, f, types, args=(), kw=None):
        r = super().__torch_function__(f, types, args, kw or {})
        us = [getattr(a, "u", None) for a in args if isinstance(a, Unit)]
        if isinstance(r, Unit):
            r.u = (
                f"{us[0]}*{us[1]}"
                if f in (torch.mul, torch.Tensor.mul) and len(us) > 1
                else us[0]
                if us
                else None
            )
        return r


a = Unit([1.0, 2.0], "m")
print(
    (a * Unit([3.0, 4.0], "s")).u,
    (a + 1).u,
    a.sum().u,
    a[0].u,
    torch.stack([a, a]).u if hasattr(torch.stack([a, a]), "u") else None,
)
print(a.unsqueeze(0), a.tolist(), type(a.detach()), type(a.numpy()))
# nested
nt = torch.nested.nested_tensor(
    [torch.randn(2, 4), torch.randn(3, 4)], layout=torch.jagged, requires_grad=True
)
l = nn.Linear(4, 4)
y = F.relu(l(nt))
print(
    y.shape[0],
    y.is_nested,
    y.offsets(),
    [t.shape for t in y.unbind()],
    torch.nested.to_padded_tensor(y, 0.0).shape,
    y.max_seqlen if hasattr(y, "max_seqlen") else "",
)
s = torch.nested.nested_tensor_from_jagged(torch.arange(10.0).view(5, 2), torch.tensor([0, 2, 5]))
print(s.values().sum(), (s * 2 + s).unbind()[1])
yy = F.scaled_dot_product_attention(*[y.unflatten(-1, (2, 2)).transpose(1, 2)] * 3)
print(yy.shape[1], yy.transpose(1, 2).flatten(-2).values().sum())
y.values().sum().backward()
print(nt.grad is not None, l.weight.grad.norm())
# pruning and parametrization
n = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
prune.l1_unstructured(n[0], "weight", amount=0.4)
prune.ln_structured(n[2], "weight", amount=1, n=2, dim=1)
prune.random_unstructured(n[0], "bias", amount=2)
print(
    list(n.state_dict()),
    n[0].weight_mask.sum(),
    n[2].weight_mask[0],
    [type(h).__name__ for h in n[0]._forward_pre_hooks.values()],
)
n(torch.randn(3, 6)).sum().backward()
print((n[0].weight_orig.grad == 0).sum() >= 12)
prune.global_unstructured(
    [(n[0], "weight"), (n[2], "weight")], pruning_method=prune.L1Unstructured, amount=0.3
)
print(sum((l.weight == 0).sum().item() for l in (n[0], n[2])), prune.is_pruned(n))
prune.remove(n[0], "weight")
prune.remove(n[0], "bias")
print([k for k, _ in n.named_parameters()], [k for k, _ in n.named_buffers()])


class My(prune.BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        k = default_mask.clone()
        k.view(-1)[::2] = 0
        return k


My.apply(n[0], "bias")
print(n[0].bias_mask)


class Sym(nn.Module):
    def forward(s, X):
        return X.triu() + X.triu(1).transpose(-1, -2)

    def right_inverse(s, A):
        return A.triu()


class Exp(nn.Module):
    def forward(s, X):
        return torch.linalg.matrix_exp(X - X.mT)


k = nn.Linear(3, 3)
P.register_parametrization(k, "weight", Sym())
print(torch.allclose(k.weight, k.weight.T), k, list(k.state_dict()), P.is_parametrized(k, "weight"))
k.weight = torch.eye(3) * 2
print(k.weight)
P.register_parametrization(k, "weight", Exp())
print(torch.dist(k.weight.T @ k.weight, torch.eye(3)) < 1e-5, P.type_before_parametrizations(k))
P.remove_parametrizations(k, "weight", leave_parametrized=True)
print(type(k).__name__, k.weight.shape)
for mp in ("matrix_exp", "cayley", "householder"):
    torch.manual_seed(1)
    ol = orthogonal(nn.Linear(4, 3), orthogonal_map=mp)
    W = ol.weight
    print(mp, torch.allclose(W @ W.T, torch.eye(3), atol=1e-5), W.sum().item())
    o = torch.optim.SGD(ol.parameters(), 0.1)
    ol(torch.ones(2, 4)).pow(2).sum().backward()
    o.step()
    print(torch.allclose(ol.weight @ ol.weight.T, torch.eye(3), atol=1e-5))
with P.cached():
    wn = weight_norm(nn.Linear(3, 2), dim=0)
    print(wn.weight is wn.weight, wn.parametrizations.weight.original0.shape)
cp = copy.deepcopy(ol)
print(torch.equal(cp.weight, ol.weight), type(cp).__name__)


# complex network, dtypes, finfo, numpy interop
class CN(nn.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b = nn.Linear(4, 6, dtype=torch.cfloat), nn.Linear(6, 1, dtype=torch.cfloat)

    def forward(s, z):
        z = s.a(z)
        z = F.relu(z.abs() - 0.1) * torch.exp(1j * z.angle())
        return s.b(z)


cn = CN()
z = torch.randn(8, 4, dtype=torch.cfloat)
o = torch.optim.Adam(cn.parameters(), 1e-2)
for i in range(3):
    l = (cn(z) - z.sum(1, keepdim=True)).abs().square().mean()
    o.zero_grad()
    l.backward()
    o.step()
    print("cn", l.item())
print(
    torch.view_as_real(z[0, :1]),
    z.imag.is_neg(),
    torch.resolve_conj(z.conj()).is_conj(),
    (z @ z.mH).diagonal().real.sum(),
    torch.linalg.eigh(z @ z.mH).eigenvalues[-1],
    z[0, 0].item(),
    torch.complex(torch.ones(2), torch.zeros(2)),
    torch.tensor(1 + 2j).dtype,
    z.real.dtype,
    z.to(torch.complex128).abs().dtype,
)
