"""Programs about the graph and its gradients: each takes the engine's module and returns what is
compared.
"""

from __future__ import annotations

from typing import Any


class Trial:
    """Collects what happened, exceptions by type."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def __call__(self, call: Any) -> Any:
        try:
            value = call()
        except Exception as error:
            self.log.append(error)
            return None
        self.log.append(value)
        return value


def leaf(torch: Any, *values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0, 3.0), requires_grad=True)


leaf.__module__ = "helpers"


# Leaves and in-place rules


def leaf_written(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    t(lambda: x.add_(1))
    t(lambda: x.mul_(2))
    t(lambda: x.zero_())
    t(lambda: x.__setitem__(0, 5.0))
    t(lambda: x.view(3).add_(1))
    t(lambda: x[0].add_(1))
    t(lambda: x.detach().add_(1))
    t(lambda: x.data.mul_(2))
    with torch.no_grad():
        t(lambda: x.add_(1))
        t(lambda: x[1:].zero_())
    return t.log, x, x._version, x.is_leaf


def view_before_requires_grad(torch: Any) -> Any:
    x = torch.tensor([2.0, 1.0]).view(2, 1).requires_grad_()
    y = torch.tensor([2.0, 1.0], requires_grad=True).view(2, 1)
    return x.is_leaf, y.is_leaf, x.requires_grad, str(y.grad_fn).split(" ")[0]


def requires_grad_rules(torch: Any) -> Any:
    t = Trial()
    t(lambda: torch.tensor([1, 2]).requires_grad_())
    t(lambda: torch.tensor([1, 2], requires_grad=True))
    t(lambda: torch.tensor([1j], requires_grad=True).requires_grad)
    x = leaf(torch)
    y = x * 2
    t(lambda: y.requires_grad_(False))
    t(lambda: y.requires_grad_().is_leaf)
    t(lambda: setattr(y, "requires_grad", False))
    x.requires_grad = False
    return t.log, (x * 2).requires_grad


def version_mul(torch: Any) -> Any:
    t = Trial()
    a, b = leaf(torch), leaf(torch, 4.0, 5.0, 6.0)
    h = a * 1
    c = h * b
    h.add_(1)
    t(lambda: c.sum().backward())
    return t.log, h._version


def version_mul_needed_only(torch: Any) -> Any:
    a, b = leaf(torch), torch.tensor([4.0, 5.0, 6.0])
    h = a * 1
    c = h * b
    h.add_(1)
    c.sum().backward()
    return a.grad


def version_exp(torch: Any) -> Any:
    t = Trial()
    a = leaf(torch)
    e = a.exp()
    e.mul_(2)
    t(lambda: e.sum().backward())
    return t.log


def version_square_setitem(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    z = x * 1
    c = z**2
    z[0] = z[0] ** 2
    t(lambda: c.sum().backward())
    u = x * 1
    u[0] = u[0] ** 2
    t(lambda: u.sum().backward())
    v = x * 1
    v[0] *= v[0]
    t(lambda: v.sum().backward())
    return t.log


def overwritten_result(torch: Any) -> Any:
    a, b = leaf(torch), leaf(torch)
    c = a * b
    c.fill_(3)
    c.sum().backward()
    d = a * b
    d.mul_(3)
    d.sum().backward()
    return a.grad, b.grad


def detach_shares_version(torch: Any) -> Any:
    t = Trial()
    a = leaf(torch)
    h = a * 1
    c = h * h
    d = h.detach()
    d.add_(1)
    t(lambda: c.sum().backward())
    return t.log, h._version, d._version


def data_keeps_version(torch: Any) -> Any:
    a = leaf(torch)
    a.data.fill_(3)
    return a._version, a, a.data.requires_grad, a.data._version


def inplace_chain(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.add_(1).mul_(3).sub_(x)
    y.relu_()
    y.sum().backward()
    return x.grad, y, y._version, type(y.grad_fn).__name__


def inplace_self(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.add_(y)
    y.mul_(2)
    y.sum().backward()
    return x.grad


def inplace_mul_saved(torch: Any) -> Any:
    x = leaf(torch)
    w = leaf(torch, 3.0, 4.0, 5.0)
    y = x * 2
    y.mul_(w)
    y.sum().backward()
    return x.grad, w.grad


def inplace_exp(torch: Any) -> Any:
    x = leaf(torch, 0.1, 0.2)
    y = x * 1
    y.exp_()
    y.sum().backward()
    y = x * 1
    y.sigmoid_().tanh_()
    y.sum().backward()
    return x.grad


def inplace_requires_grad_joins(torch: Any) -> Any:
    x = leaf(torch)
    buffer = torch.zeros(3)
    buffer += x
    out = buffer.requires_grad, buffer.is_leaf
    (buffer * 2).sum().backward()
    return out, x.grad


def inplace_dtype(torch: Any) -> Any:
    t = Trial()
    x = torch.tensor([1, 2])
    t(lambda: x.mul_(2.5))
    t(lambda: x.add_(torch.tensor([1.5, 2.5])))
    t(lambda: torch.ones(2, 3).add_(torch.ones(4, 2, 3)))
    t(lambda: torch.ones(1, 3).add_(torch.ones(2, 3)))
    t(lambda: torch.ones(1, 3).expand(2, 3).add_(1))
    return t.log


def copy_inplace(torch: Any) -> Any:
    x, w = leaf(torch), leaf(torch, 4.0, 5.0, 6.0)
    y = x * 1
    y.copy_(w)
    y.sum().backward()
    z = torch.zeros(2, 3)
    z.copy_(w)
    (z * torch.tensor([[1.0], [2.0]])).sum().backward()
    return x.grad, w.grad, type(z.grad_fn).__name__


# Views and their bases


def write_base_read_view(torch: Any) -> Any:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    v = y[0]
    y.mul_(3)
    (v * torch.tensor([1.0, 10.0])).sum().backward()
    return x.grad, v


def write_view_read_base(torch: Any) -> Any:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    y[0].mul_(3)
    name = type(y.grad_fn).__name__
    (y * y).sum().backward()
    return x.grad, name, y._version


def write_view_read_view(torch: Any) -> Any:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    a, b = y[0], y[:, 1]
    a.mul_(5)
    name = type(b.grad_fn).__name__
    (b * torch.tensor([1.0, 100.0])).sum().backward()
    return x.grad, name, type(a.grad_fn).__name__


def write_view_of_view(torch: Any) -> Any:
    x = torch.arange(12.0).view(3, 4).requires_grad_()
    y = x * 1
    v = y.t()[1:3]
    v[0].mul_(2)
    v[:, 1].add_(v[:, 0])
    (y * torch.arange(12.0).view(3, 4)).sum().backward()
    return x.grad, y


def write_view_other(torch: Any) -> Any:
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    w = leaf(torch)
    y = x * 1
    y[1].mul_(w)
    y.sum().backward()
    return x.grad, w.grad


def setitem_forms(torch: Any) -> Any:
    x = torch.arange(12.0).view(3, 4).requires_grad_()
    w = leaf(torch, 1.0, 2.0, 3.0, 4.0)
    y = x * 1
    y[0] = w
    y[1, 2] = w[0] * 2
    y[2, ::2] = 7.0
    y[torch.tensor([1, 1]), torch.tensor([0, 1])] = w[:2]
    y[y > 8] = 0.5
    (y * torch.arange(12.0).view(3, 4)).sum().backward()
    return x.grad, w.grad, y


def setitem_no_grad_buffer(torch: Any) -> Any:
    w = leaf(torch)
    out = torch.zeros(2, 3)
    out[0] = w
    out[1] = w * 2
    name = type(out.grad_fn).__name__
    (out**2).sum().backward()
    return w.grad, name


def no_grad_view_written(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    y = x * 1
    with torch.no_grad():
        v = y[0:2]
    t(lambda: v.mul_(2))
    t(lambda: v.requires_grad)
    base = torch.ones(3)
    with torch.no_grad():
        u = base[0:2]
    t(lambda: u.mul_(leaf(torch)[0:2]))
    return t.log


def multi_view_written(torch: Any) -> Any:
    t = Trial()
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    y = x * 1
    a, _ = y.unbind(0)
    t(lambda: a.mul_(2))
    c, _ = y.chunk(2)
    t(lambda: c.mul_(2))
    s, _ = y.split(1)
    t(lambda: s.add_(1))
    with torch.no_grad():
        t(lambda: s.add_(1))
    p, _ = torch.zeros(2, 3).unbind(0)
    t(lambda: p.add_(1))
    t(lambda: p.add_(leaf(torch)))
    return t.log


def multi_view_base_written(torch: Any) -> Any:
    t = Trial()
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    y = x * 1
    a, b = y.unbind(0)
    y.mul_(2)
    t(lambda: (a * b).sum().backward())
    return t.log, x.grad


def write_expanded(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch, 1.0)
    y = (x * 1).expand(3)
    t(lambda: y.add_(1))
    return t.log


def views_of_leaf_under_no_grad(torch: Any) -> Any:
    x = torch.arange(4.0, requires_grad=True)
    with torch.no_grad():
        x[:2].fill_(9)
        x[2] = 5
    (x * x).sum().backward()
    return x, x.grad, x._version


def detach_view(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    y = (x * 1).view(3, 1)
    t(lambda: y.detach_())
    z = x * 1
    t(lambda: z.detach_().requires_grad)
    return t.log, z.is_leaf


def base_attribute(torch: Any) -> Any:
    x = torch.zeros(4, 4)
    v = x[1:].t()[0]
    return v._base is x, v._is_view(), x._is_view(), x.detach()._is_view()


def clone_detach_forms(torch: Any) -> Any:
    lin = torch.tensor([[1.0, 2.0]], requires_grad=True)
    out = []
    for made in (
        lin.detach().requires_grad_(),
        lin.clone().detach_().requires_grad_(),
        lin.clone().requires_grad_(),
        torch.zeros_like(lin).copy_(lin).requires_grad_(),
        torch.autograd.Variable(lin, requires_grad=True),
        lin.data,
    ):
        out.append(
            (
                made.is_leaf,
                made.requires_grad,
                type(made.grad_fn).__name__,
                made.data_ptr() == lin.data_ptr(),
            )
        )
    return out


# Backward


def nonscalar(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    y = x * 2
    t(lambda: y.backward())
    t(lambda: y.backward(torch.ones(2)))
    t(lambda: y.backward(torch.tensor([1.0, 10.0, 100.0])))
    t(lambda: torch.ones(1).backward())
    t(lambda: torch.ones(1, requires_grad=True).backward())
    return t.log, x.grad


def two_outputs(torch: Any) -> Any:
    x = leaf(torch, 2.0, 3.0)
    a, b = (x**2).sum(), (x**3).sum()
    torch.autograd.backward([a, b], [torch.tensor(1.0), torch.tensor(2.0)])
    g = x.grad.clone()
    torch.stack([(x**2).sum(), x.sum()]).backward(torch.tensor([1.0, 2.0]))
    return g, x.grad


def twice(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    y = (x * x).sum()
    t(lambda: y.backward())
    t(lambda: y.backward())
    z = (x + 1).sum()
    t(lambda: z.backward())
    t(lambda: z.backward())
    w = x.exp().sum()
    t(lambda: w.backward(retain_graph=True))
    t(lambda: w.backward())
    t(lambda: w.backward())
    h = x.exp()
    p, q = h.sum(), (h * 2).sum()
    t(lambda: p.backward())
    t(lambda: q.backward())
    return t.log, x.grad


def grad_unused(torch: Any) -> Any:
    t = Trial()
    x, w = leaf(torch), leaf(torch)
    t(lambda: torch.autograd.grad((x * 2).sum(), [x, w]))
    t(lambda: torch.autograd.grad((x * 2).sum(), [x, w], allow_unused=True))
    t(lambda: torch.autograd.grad((x * 2).sum(), [x, w], materialize_grads=True))
    t(
        lambda: torch.autograd.grad(
            (x * 2).sum(), [x, w], materialize_grads=True, allow_unused=False
        )
    )
    t(lambda: torch.autograd.grad((x * 2).sum(), torch.ones(3)))
    t(lambda: torch.autograd.grad((x * 2), x))
    t(lambda: torch.autograd.grad((x * 2), x, torch.ones(3)))
    t(lambda: torch.autograd.grad([], x))
    return t.log, x.grad


def grad_intermediate(torch: Any) -> Any:
    x = leaf(torch)
    h = x * 2
    y = (h * h).sum()
    gh, gx = torch.autograd.grad(y, [h, x])
    return gh, gx, x.grad


def grad_of_self(torch: Any) -> Any:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 1
    return torch.autograd.grad(y, y), torch.autograd.grad(x, x)


def backward_inputs(torch: Any) -> Any:
    t = Trial()
    x, w = leaf(torch), leaf(torch)
    h = x * w
    y = (h * 2).sum()
    y.backward(inputs=[x], retain_graph=True)
    log = [x.grad.clone(), w.grad]
    y.backward(inputs=[h], retain_graph=True)
    t(lambda: h.grad)
    t(lambda: y.backward(inputs=[]))
    t(lambda: y.backward(inputs=w, retain_graph=True))
    t(lambda: y.backward(inputs=[torch.ones(3)]))
    return log, t.log, x.grad, w.grad


def double_backward(torch: Any) -> Any:
    x = leaf(torch)
    y = (x**3).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = torch.autograd.grad(h.sum(), x)
    return g, h, k, g.requires_grad, k.requires_grad


def gradient_penalty(torch: Any) -> Any:
    w = torch.tensor([[1.0, -1.0], [0.5, 2.0]], requires_grad=True)
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    out = torch.tanh(x @ w).sum()
    (g,) = torch.autograd.grad(out, x, create_graph=True)
    ((g.norm() - 1) ** 2).backward()
    return w.grad, x.grad


def create_graph_backward(torch: Any) -> Any:
    x = leaf(torch)
    (x**2).sum().backward(create_graph=True)
    g = x.grad
    out = g.requires_grad, g.clone()
    x.grad = None
    g.sum().backward()
    return out, x.grad


def accumulates(torch: Any) -> Any:
    x = leaf(torch)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    return x.grad, first is x.grad, first


def grad_assignment(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    t(lambda: setattr(x, "grad", torch.ones(2)))
    t(lambda: setattr(x, "grad", torch.ones(3, dtype=torch.float64)))
    t(lambda: setattr(x, "grad", 3.0))
    t(lambda: setattr(x, "grad", x))
    t(lambda: setattr(x, "grad", torch.ones(3)))
    (x * 2).sum().backward()
    return t.log, x.grad


def nonleaf_grad(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    got = y.grad
    y.retain_grad()
    flag = y.retains_grad, x.retains_grad
    (y * 3).sum().backward()
    return got, flag, y.grad, x.grad


def retain_grad_rules(torch: Any) -> Any:
    t = Trial()
    t(lambda: torch.ones(3).retain_grad())
    x = leaf(torch)
    t(lambda: x.retain_grad())
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    y.sum().backward()
    return t.log, y.grad


def retain_grad_then_inplace(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad, y.retains_grad


def diamond(torch: Any) -> Any:
    x = leaf(torch)
    a = x * 2
    b = a + a * x
    c = b * a + x
    c.sum().backward()
    return x.grad


def broadcast(torch: Any) -> Any:
    x = torch.ones(3, 1, requires_grad=True)
    y = torch.ones(4, requires_grad=True)
    z = torch.tensor(2.0, requires_grad=True)
    (x * y + z).pow(2).sum().backward()
    return x.grad, y.grad, z.grad


def mixed_dtypes(torch: Any) -> Any:
    x = torch.ones(3, requires_grad=True)
    y = torch.ones(3, dtype=torch.float64, requires_grad=True)
    i = torch.tensor([1, 2, 3])
    (x * y * i).sum().backward()
    return x.grad, y.grad


def scalar_results(torch: Any) -> Any:
    x = torch.tensor(3.0, requires_grad=True)
    seen = []
    y = x * x
    y.register_hook(lambda g: seen.append((g.shape == torch.Size([]), g.item(), type(g).__name__)))
    (y + 1).backward()
    return x.grad, seen


def partially_used_outputs(torch: Any) -> Any:
    x = torch.tensor([[3.0, 1.0], [2.0, 5.0]], requires_grad=True)
    values, indices = x.sort(dim=1)
    values[0].sum().backward()
    a, b = x.split(1)
    (b * 2).sum().backward()
    m, i = x.max(dim=0)
    m.sum().backward()
    return x.grad, indices.requires_grad, values.grad_fn.name(), b.grad_fn.name(), i.requires_grad


def integer_results(torch: Any) -> Any:
    x = leaf(torch)
    return (
        (x > 1).requires_grad,
        x.argmax().requires_grad,
        x.long().requires_grad,
        x.sign().requires_grad,
        x.round().requires_grad,
    )


def deep_graph(torch: Any) -> Any:
    x = leaf(torch)
    y = x
    for _ in range(5000):
        y = y * 1.0
    y.sum().backward()
    return x.grad


# Complex


def complex_gradients(torch: Any) -> Any:
    z = torch.tensor([1 + 2j, -0.5 + 1j], requires_grad=True)
    out = []
    for f in (
        lambda z: (z * z.conj()).real.sum(),
        lambda z: z.abs().sum(),
        lambda z: (z**3).imag.sum(),
        lambda z: torch.exp(z).real.sum(),
        lambda z: (z * (2 - 1j)).real.sum(),
        lambda z: torch.angle(z).sum(),
        lambda z: torch.view_as_real(z).prod(),
        lambda z: (z / z.conj()).imag.sum(),
    ):
        out.append(torch.autograd.grad(f(z), z)[0])
    t = Trial()
    t(lambda: (z * z).sum().backward())
    t(lambda: (z * z).backward(torch.ones(2)))
    t(lambda: (z * z).backward(torch.ones(2, dtype=torch.complex64)))
    return out, t.log, z.grad


def complex_to_real(torch: Any) -> Any:
    x = leaf(torch)
    (x * (1 + 2j)).abs().sum().backward()
    g = x.grad.clone()
    (x * (1 + 2j)).imag.sum().backward()
    return g, x.grad


# Names


def grad_fn_names(torch: Any) -> Any:
    x = torch.rand(3, 3, requires_grad=True)
    w = torch.rand(3, 3, requires_grad=True)
    b = torch.rand(3, requires_grad=True)
    return [
        y.grad_fn.name()
        for y in (
            x + w,
            x - w,
            x * w,
            x / w,
            x**2,
            x**w,
            2**x,
            -x,
            x.abs(),
            x.exp(),
            x.log(),
            x.sqrt(),
            x.sin(),
            x.sum(),
            x.sum(0),
            x.mean(),
            x.mean(0),
            x.max(),
            x.max(0)[0],
            x.min(),
            x.t(),
            x.T,
            x.mT,
            x.transpose(0, 1),
            x.permute(1, 0),
            x.view(9),
            x.reshape(9),
            x.flatten(),
            x[0],
            x[:, 1],
            x[0, 1],
            x[torch.tensor([0, 1])],
            x.unsqueeze(0),
            x.unsqueeze(0).squeeze(0),
            x.expand(2, 3, 3),
            x @ w,
            x.mm(w),
            x.matmul(b),
            torch.dot(b, b),
            torch.cat([x, w]),
            torch.stack([x, w]),
            x.clone(),
            x.relu(),
            x.sigmoid(),
            x.tanh(),
            x.softmax(0),
            x.log_softmax(0),
            x.clamp(0, 1),
            x.double(),
            x.contiguous().t().contiguous(),
            torch.where(x > 0, x, w),
            x.gather(0, torch.zeros(1, 3, dtype=torch.long)),
            x.index_select(0, torch.tensor([1])),
            x.masked_fill(x > 0.5, 0.0),
            x.cumsum(0),
            x.norm(),
            x.var(),
            x.std(),
            x.prod(),
            x.unbind(0)[0],
            x.split(1)[0],
            x.chunk(3)[0],
            x.repeat(2, 1),
            x.diagonal(),
            x.tril(),
            x.flip(0),
            x.roll(1),
            torch.outer(b, b),
            torch.addmm(b, x, w),
            torch.nn.functional.linear(x, w, b),
            torch.nn.functional.linear(x, w),
            torch.nn.functional.mse_loss(x, w),
            torch.nn.functional.gelu(x),
            torch.nn.functional.layer_norm(x, (3,)),
            torch.einsum("ij,jk->ik", x, w),
            torch.nn.functional.cross_entropy(x, torch.tensor([0, 1, 2])),
            torch.logsumexp(x, 0),
            x.squeeze(),
            x.narrow(0, 0, 1),
            x.select(0, 1),
            x.reciprocal(),
            x.rsqrt(),
            torch.maximum(x, w),
            x.amax(0),
            x.sort()[0],
            x.topk(1)[0],
            x.view_as(w),
            x.pow(3.0),
            x.addcmul(w, w),
            torch.lerp(x, w, 0.5),
            x.median(),
            x.kthvalue(1)[0],
        )
    ]


def grad_fn_text(torch: Any) -> Any:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = x * 1
    z += 1
    u = x * 1
    u[0] = 3
    return (
        repr(y),
        repr(x),
        repr(y.sum()),
        repr(z),
        repr(u),
        repr(y.detach()),
        type(x.grad_fn).__name__,
    )


def next_functions(torch: Any) -> Any:
    x = leaf(torch)
    y = (x * 2 + x).sum()
    names = []
    stack = [y.grad_fn]
    while stack:
        node = stack.pop()
        names.append(
            (node.name(), [(None if n is None else n.name(), k) for n, k in node.next_functions])
        )
        stack.extend(n for n, _ in node.next_functions if n is not None)
    return names


def accumulate_grad_variable(torch: Any) -> Any:
    x = leaf(torch)
    node = (x * 2).grad_fn.next_functions[0][0]
    return node.name(), node.variable is x, str(type(node).__name__)
