"""Programs about hooks: on tensors, nodes, leaves, saved values; their order and what they may
return.
"""

from __future__ import annotations

from typing import Any

from tests.parity.programs.autograd import Trial, leaf


def tensor_hook(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    h = y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward(retain_graph=True)
    first = x.grad.clone()
    h.remove()
    x.grad = None
    y.sum().backward()
    return first, x.grad


def tensor_hook_rules(torch: Any) -> Any:
    t = Trial()
    t(lambda: torch.ones(2).register_hook(print))
    for bad in (lambda g: g[:1], lambda g: 3.0, lambda g: g.double()):
        x = leaf(torch)
        y = x * 2
        y.register_hook(bad)
        t(lambda y=y: y.sum().backward())
    return t.log


def hook_order(torch: Any) -> Any:
    log = []
    x = leaf(torch)
    y = x * 2
    z = y * 3
    x.register_hook(lambda g: log.append("x1"))
    x.register_hook(lambda g: log.append("x2"))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("post", p.grad.tolist())))
    y.register_hook(lambda g: log.append("y"))
    z.register_hook(lambda g: log.append("z"))
    y.grad_fn.register_prehook(lambda g: log.append(("ypre", len(g))))
    y.grad_fn.register_hook(lambda gi, go: log.append(("yhook", len(gi), len(go), gi[1] is None)))
    y.retain_grad()
    y.register_hook(lambda g: log.append("y after retain"))
    z.sum().backward()
    return log, y.grad


def retain_grad_sees_hooks(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    y.sum().backward()
    return y.grad, x.grad


def node_hook_replaces(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 100, gi[1]))
    y.grad_fn.register_prehook(lambda go: (go[0] + 1,))
    y.sum().backward()
    return x.grad


def node_hook_bad_count(torch: Any) -> Any:
    t = Trial()
    y = leaf(torch) * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0],) * 3)
    t(lambda: y.sum().backward())
    return t.log


def accumulate_node_hook(torch: Any) -> Any:
    log = []
    x = leaf(torch)
    node = x.expand_as(x).grad_fn.next_functions[0][0]
    node.register_prehook(lambda g: log.append(("pre", g[0].tolist())))
    node.register_hook(lambda gi, go: log.append(("hook", len(gi), len(go), x.grad.tolist())))
    (x * 2).sum().backward()
    return log


def post_accumulate(torch: Any) -> Any:
    log = []
    x = leaf(torch)
    t = Trial()
    t(lambda: (x * 2).register_post_accumulate_grad_hook(print))
    t(lambda: torch.ones(2).register_post_accumulate_grad_hook(print))

    def step(p: Any) -> None:
        log.append((p is x, p.grad.tolist(), torch.is_grad_enabled()))
        with torch.no_grad():
            p.sub_(p.grad, alpha=0.1)
        p.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    torch.autograd.grad((x * 3).sum(), x)
    return t.log, log, x, x.grad


def hook_in_grad_call(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    x.register_hook(lambda g: g * 7)
    y.register_hook(lambda g: g * 2)
    return torch.autograd.grad(y.sum(), [x, y]), x.grad


def hook_on_output_of_several(torch: Any) -> Any:
    log = []
    x = torch.arange(6.0).view(3, 2).requires_grad_()
    a, b, _ = x.unbind(0)
    a.register_hook(lambda g: log.append(("a", g.tolist())))
    b.register_hook(lambda g: g * 3)
    a.grad_fn.register_hook(lambda gi, go: log.append([g is None for g in go]))
    (a * 2 + b).sum().backward()
    return log, x.grad


def hook_create_graph(torch: Any) -> Any:
    x = leaf(torch)
    y = x**2
    y.register_hook(lambda g: g * x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    return g, h


def hook_gets_plain(torch: Any) -> Any:
    seen = []
    x = torch.tensor(2.0, requires_grad=True)
    y = x.exp()
    y.register_hook(
        lambda g: seen.append(
            (g.requires_grad, g.is_leaf, g.dtype == torch.float32, torch.is_grad_enabled())
        )
    )
    (y * y).backward()
    return seen


def hook_raises(torch: Any) -> Any:
    t = Trial()

    def bad(g: Any) -> None:
        raise KeyError("mine")

    x = leaf(torch)
    y = x * 2
    y.register_hook(bad)
    t(lambda: y.sum().backward())
    return t.log, x.grad, torch.is_grad_enabled()


def hook_in_place(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: g.mul_(0) if False else None)
    x.register_hook(lambda g: g.clamp(max=1))
    y.sum().backward()
    return x.grad


def hook_same_function_twice(torch: Any) -> Any:
    x = leaf(torch)

    def double(g: Any) -> Any:
        return g * 2

    x.register_hook(double)
    handle = x.register_hook(double)
    (x * 1).sum().backward()
    with handle:
        pass
    x2 = x.grad.clone()
    x.grad = None
    (x * 1).sum().backward()
    return x2, x.grad


def hook_before_inplace(torch: Any) -> Any:
    log = []
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: log.append(("before", g.tolist())))
    y.mul_(3)
    y.register_hook(lambda g: log.append(("after", g.tolist())))
    y.sum().backward()
    return log


def multi_grad_hook(torch: Any) -> Any:
    log = []
    a, b, c = leaf(torch), leaf(torch), leaf(torch)
    from importlib import import_module

    graph = import_module(torch.__name__ + ".autograd.graph")
    h = graph.register_multi_grad_hook(
        (a, b, c), lambda gs: log.append([None if g is None else g.tolist() for g in gs])
    )
    (a * b).sum().backward()
    (a * b * c).sum().backward()
    h.remove()
    (a * b * c).sum().backward()
    h = graph.register_multi_grad_hook((a, b), lambda g: log.append(g.tolist()), mode="any")
    (a * 2 + b * 3).sum().backward()
    return log


def saved_hooks(torch: Any) -> Any:
    log = []

    def pack(t: Any) -> Any:
        log.append(("pack", list(t.shape)))
        return t.detach().clone()

    def unpack(t: Any) -> Any:
        log.append(("unpack", list(t.shape)))
        return t

    x, w = leaf(torch), torch.tensor(2.0, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * w).exp() + x
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return log, x.grad, w.grad


def saved_hooks_numpy(torch: Any) -> Any:
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: t.detach().numpy(), lambda a: torch.from_numpy(a)
    ):
        y = (x * x).sum()
    y.backward()
    with torch.autograd.graph.save_on_cpu():
        (x**3).sum().backward()
    return x.grad


def saved_hooks_nested(torch: Any) -> Any:
    log = []

    def tag(name: str) -> Any:
        return (lambda t: (log.append(name), t.detach())[1]), (lambda t: t)

    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(*tag("outer")):
        a = x.exp()
        with torch.autograd.graph.saved_tensors_hooks(*tag("inner")):
            b = a.exp()
        c = b.exp()
    c.sum().backward()
    return log, x.grad


def saved_hooks_disabled(torch: Any) -> Any:
    t = Trial()

    def use() -> Any:
        with torch.autograd.graph.saved_tensors_hooks(lambda v: v, lambda v: v):
            return leaf(torch).exp()

    with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
        t(use)
    t(lambda: use().requires_grad)
    return t.log


def saved_hooks_cat(torch: Any) -> Any:
    count = []
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda v: (count.append(1), v.detach())[1], lambda v: v
    ):
        y = torch.cat([x, x * 2]).exp().sum()
    y.backward()
    return x.grad, len(count)


def gradient_edge(torch: Any) -> Any:
    x = leaf(torch)
    y = x * 2
    edge = torch.autograd.graph.get_gradient_edge(y)
    z = (y * y).sum()
    return torch.autograd.grad(z, edge), edge.output_nr, edge.node is y.grad_fn


def accumulation_order(torch: Any) -> Any:
    log = []
    params = [leaf(torch) for _ in range(4)]
    for k, p in enumerate(params):
        p.register_post_accumulate_grad_hook(lambda p, k=k: log.append(k))
    h = params[0] * params[1]
    h = h + params[2].exp() * params[0]
    (h * params[3]).sum().backward()
    return log


def node_order(torch: Any) -> Any:
    log = []
    x = leaf(torch)
    a, b = x * 2, x.exp()
    c = b * 3
    d = a * 4
    for name, t in (("a", a), ("b", b), ("c", c), ("d", d)):
        t.grad_fn.register_hook(lambda gi, go, name=name: log.append(name))
    (c + d).sum().backward()
    return log


def leaf_hook_grad_in_place(torch: Any) -> Any:
    x = leaf(torch)
    g = torch.ones(3)
    y = x * 1
    y.backward(g)
    x.grad.add_(1)
    return g, x.grad


def same_gradient_for_two(torch: Any) -> Any:
    a, b = leaf(torch), leaf(torch)
    (a + b).backward(torch.ones(3))
    a.grad.mul_(5)
    return a.grad, b.grad
