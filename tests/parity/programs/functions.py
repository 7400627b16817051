"""Programs about `autograd.Function`."""

from __future__ import annotations

from typing import Any

from tests.parity.programs.autograd import Trial, leaf


def plain(torch: Any) -> Any:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, n: int) -> Any:
            ctx.save_for_backward(x)
            ctx.n = n
            return x**n

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * ctx.n * x ** (ctx.n - 1), None

    x = leaf(torch)
    y = Square.apply(x, 3)
    name = y.grad_fn.name(), type(y.grad_fn).__name__
    y.sum().backward()
    g = torch.autograd.grad(Square.apply(x, 3).sum(), x, create_graph=True)[0]
    return (
        name,
        x.grad,
        torch.autograd.grad(g.sum(), x)[0],
        Square.apply(torch.ones(2), 2).requires_grad,
    )


def setup_context(torch: Any) -> Any:
    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(a: Any, b: Any) -> Any:
            return a * b, a + b

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)
            ctx.count = len(output)

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            a, b = ctx.saved_tensors
            return g * b + h, g * a + h

    a, b = leaf(torch), leaf(torch)
    p, s = Mul.apply(a, b)
    (p + s * 2).sum().backward()
    return a.grad, b.grad


def needs_input_grad(torch: Any) -> Any:
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any, k: Any) -> Any:
            log.append(ctx.needs_input_grad)
            return a + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            log.append(ctx.needs_input_grad)
            return (
                g if ctx.needs_input_grad[0] else None,
                g if ctx.needs_input_grad[1] else None,
                None,
            )

    a, b = leaf(torch), torch.ones(3)
    F.apply(a, b, 2).sum().backward()
    return log, a.grad


def materialize(torch: Any) -> Any:
    log = []

    def make(flag: bool) -> Any:
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, a: Any) -> Any:
                ctx.set_materialize_grads(flag)
                return a * 1, a * 2

            @staticmethod
            def backward(ctx: Any, g: Any, h: Any) -> Any:
                log.append((g is None, h is None, None if h is None else h.tolist()))
                return g

        return F

    a = leaf(torch)
    make(True).apply(a)[0].sum().backward()
    make(False).apply(a)[0].sum().backward()
    return log, a.grad


def dirty(torch: Any) -> Any:
    class Inc(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 10

    t = Trial()
    a = leaf(torch)
    b = a * 2
    c = Inc.apply(b)
    out = c is b, b._version, b.grad_fn.name()
    (b * b).sum().backward()
    t(lambda: Inc.apply(a))
    h = a * 2
    k = h * h
    Inc.apply(h)
    t(lambda: k.sum().backward())
    v = a * 1
    Inc.apply(v[0:2])
    g = torch.autograd.grad(v.sum(), a)
    return out, a.grad, t.log, g


def non_differentiable(torch: Any) -> Any:
    class Top(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            v, i = x.max(0)
            ctx.mark_non_differentiable(i)
            ctx.i = i
            ctx.n = x.shape[0]
            return v, i

        @staticmethod
        def backward(ctx: Any, g: Any, gi: Any) -> Any:
            out = torch.zeros(ctx.n)
            out[ctx.i] = g
            return out

    a = leaf(torch)
    v, i = Top.apply(a)
    v.backward()
    return v, i, i.requires_grad, a.grad


def returns_input(torch: Any) -> Any:
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3

    a = leaf(torch)
    b = Same.apply(a)
    b.sum().backward()
    return b is a, a.grad, b.is_leaf


def returns_view(torch: Any) -> Any:
    class View(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.view(-1)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.view(3, 1)

    a = torch.ones(3, 1, requires_grad=True)
    b = View.apply(a * 2)
    b.sum().backward()
    return a.grad, b._is_view()


def errors(torch: Any) -> Any:
    t = Trial()

    def make(back: Any, fore: Any = lambda ctx, x: x * 2) -> Any:
        return type(
            "F",
            (torch.autograd.Function,),
            {"forward": staticmethod(fore), "backward": staticmethod(back)},
        )

    a = leaf(torch)
    t(lambda: make(lambda ctx, g: (g, g)).apply(a).sum().backward())
    t(lambda: make(lambda ctx, g: (g, None)).apply(a).sum().backward())
    t(lambda: make(lambda ctx, g: 3.0).apply(a).sum().backward())
    t(lambda: make(lambda ctx, g: torch.ones(7)).apply(a).sum().backward())
    t(lambda: make(lambda ctx, g: None).apply(a).sum().backward())
    t(
        lambda: (
            type("G", (torch.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
            .apply(a)
            .sum()
            .backward()
        )
    )
    t(lambda: type(torch.autograd.Function()).__name__)
    t(lambda: torch.autograd.Function()(a))
    t(lambda: torch.autograd.Function.apply(a))
    t(lambda: make(lambda ctx, g: g, lambda ctx, x: 5).apply(a))
    t(lambda: make(lambda ctx, g: g, lambda ctx, x: [x]).apply(a))
    t(lambda: make(lambda ctx, g: g.double()).apply(a).sum().backward())
    t(lambda: make(lambda ctx, g: g.sum(0, keepdim=True).expand(2, 3)).apply(a).sum().backward())
    return t.log, a.grad


def save_and_free(torch: Any) -> Any:
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y, None, x)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            y, none, x = ctx.saved_tensors
            assert none is None
            return g * y

    t = Trial()
    a = leaf(torch)
    y = F.apply(a)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    t(lambda: y.sum().backward())
    z = F.apply(a)
    z.mul_(2)
    t(lambda: z.sum().backward())
    w = a * 1
    u = F.apply(w)
    w.add_(1)
    t(lambda: u.sum().backward())
    g = torch.autograd.grad(F.apply(a).sum(), a, create_graph=True)[0]
    return t.log, a.grad, torch.autograd.grad(g.sum(), a)[0]


def once(torch: Any) -> Any:
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2 * x

    t = Trial()
    a = leaf(torch)
    F.apply(a).sum().backward()
    g = torch.autograd.grad(F.apply(a).sum(), a, create_graph=True)[0]
    t(lambda: torch.autograd.grad(g.sum(), a))
    return a.grad, g.requires_grad, t.log


def grad_mode_inside(torch: Any) -> Any:
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            log.append(torch.is_grad_enabled())
            y = x * 2
            log.append(y.requires_grad)
            with torch.enable_grad():
                z = x.detach().requires_grad_()
                w = (z**2).sum()
                log.append(torch.autograd.grad(w, z)[0].tolist())
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            log.append(torch.is_grad_enabled())
            return g * 2

    a = leaf(torch)
    F.apply(a).sum().backward()
    torch.autograd.grad(F.apply(a).sum(), a, create_graph=True)
    return log, a.grad


def attributes_of_ctx(torch: Any) -> Any:
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any = None, *rest: Any) -> Any:
            ctx.anything = {"k": rest}
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return (g * len(ctx.anything["k"]), *(None,) * (len(ctx.needs_input_grad) - 1))

    a = leaf(torch)
    F.apply(a, None, 1, "two", [3]).sum().backward()
    return a.grad


def jacobian_and_reentrant(torch: Any) -> Any:
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                z = x.detach().requires_grad_()
                z.exp().backward(g)
            return z.grad

    a = leaf(torch)
    Inner.apply(a * 2).sum().backward()
    return a.grad
