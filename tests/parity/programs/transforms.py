"""Programs about derivatives of functions: transforms alone, inside each other, and refused."""

from __future__ import annotations

from typing import Any

from tests.parity.programs.autograd import Trial


def arange(torch: Any, *shape: int) -> Any:
    count = 1
    for n in shape:
        count *= n
    return (torch.arange(1.0, count + 1) / count).reshape(shape)


def net_of(torch: Any) -> tuple[Any, dict[str, Any]]:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(arange(torch, *p.shape))
    return net, {name: p.detach() for name, p in net.named_parameters()}


arange.__module__ = net_of.__module__ = "helpers"


# grad and its kin


def grad_of_grad(torch: Any) -> Any:
    grad = torch.func.grad
    x = torch.tensor(2.0)
    return [grad(f)(x) for f in (torch.sin, grad(torch.sin), grad(grad(torch.sin)))]


def grad_argnums(torch: Any) -> Any:
    grad = torch.func.grad
    a, b = arange(torch, 3), arange(torch, 3) + 1

    def f(a: Any, b: Any) -> Any:
        return (a * b.exp()).sum()

    return grad(f)(a, b), grad(f, argnums=1)(a, b), grad(f, argnums=(0, 1))(a, b)


def grad_aux(torch: Any) -> Any:
    def f(x: Any) -> Any:
        return (x**2).sum(), {"twice": 2 * x, "n": torch.tensor(3)}

    t = Trial()
    x = arange(torch, 3)
    t(lambda: torch.func.grad(f, has_aux=True)(x))
    t(lambda: torch.func.grad_and_value(f, has_aux=True)(x))
    t(lambda: torch.func.grad(lambda x: (x.sum(), "no tensor"), has_aux=True)(x))
    return t.log


def grad_tree(torch: Any) -> Any:
    def f(tree: Any) -> Any:
        return (tree["a"] * tree["b"][0]).sum() + tree["b"][1].prod()

    tree = {"a": arange(torch, 2), "b": [arange(torch, 2) + 1, arange(torch, 3)]}
    return torch.func.grad(f)(tree), torch.func.grad_and_value(f)(tree)


def grad_refuses(torch: Any) -> Any:
    t = Trial()
    grad = torch.func.grad
    x = arange(torch, 3)
    t(lambda: grad(torch.sin)(x))
    t(lambda: grad(lambda x: 3.0)(x))
    t(lambda: grad(lambda x: x.sum(), argnums=1)(x))
    t(lambda: grad(lambda x: x.sum(), argnums=(0, 0))(x))
    t(lambda: grad(lambda x: x.sum(), has_aux=True)(x))
    t(lambda: grad(lambda x: x.sum().to(torch.int64))(x))
    return t.log


def grad_in_the_users_graph(torch: Any) -> Any:
    w = arange(torch, 3).requires_grad_()
    g = torch.func.grad(lambda x: (w * x**2).sum())(arange(torch, 3))
    g.sum().backward()
    return g, w.grad


def grad_under_no_grad(torch: Any) -> Any:
    x = arange(torch, 3).requires_grad_()
    with torch.no_grad():
        outer = torch.func.grad(lambda x: (x**2).sum())(x)

    def f(x: Any) -> Any:
        with torch.no_grad():
            c = x**2
        return (x - c).sum()

    return outer, outer.requires_grad, torch.func.grad(f)(arange(torch, 3))


def grad_inplace(torch: Any) -> Any:
    def f(x: Any) -> Any:
        y = x.clone()
        y.mul_(2)
        y[0] = 5 * x[1]
        y[1:].add_(x[:2] ** 2)
        return (y**2).sum()

    return torch.func.grad(f)(arange(torch, 3))


def vjp_forms(torch: Any) -> Any:
    x, y = arange(torch, 3), arange(torch, 3) + 1
    out, pull = torch.func.vjp(lambda x, y: (x * y, {"s": x.sin()}), x, y)
    again = pull((y, {"s": x}))
    out2, pull2, aux = torch.func.vjp(lambda x: (x.exp(), x.sum()), x, has_aux=True)
    return out, again, out2, pull2(y), aux


def vjp_refuses(torch: Any) -> Any:
    t = Trial()
    x = arange(torch, 3)
    _, pull = torch.func.vjp(torch.sin, x)
    t(lambda: pull((x, x)))
    t(lambda: pull(arange(torch, 2)))
    t(lambda: torch.func.vjp(lambda x: 3, x))
    return t.log


def jvp_forms(torch: Any) -> Any:
    jvp = torch.func.jvp
    x, v = arange(torch, 3), arange(torch, 3) + 1
    return (
        jvp(torch.sin, (x,), (v,)),
        jvp(lambda a, b: (a * b, a.sum()), (x, v), (v, x)),
        jvp(lambda x: (x.exp(), x.sum()), (x,), (v,), has_aux=True),
        jvp(lambda x: torch.ones(2), (x,), (v,)),
    )


def jvp_refuses(torch: Any) -> Any:
    t = Trial()
    x = arange(torch, 3)
    t(lambda: torch.func.jvp(torch.sin, x, x))
    t(lambda: torch.func.jvp(torch.sin, (x,), (x, x)))
    t(lambda: torch.func.jvp(torch.sin, (x,), (arange(torch, 2),)))
    t(lambda: torch.func.jvp(lambda x: 2, (x,), (x,)))
    return t.log


# Jacobians


def jacobians(torch: Any) -> Any:
    x = arange(torch, 3)
    w = arange(torch, 2, 3)

    def f(x: Any) -> Any:
        return torch.tanh(w @ x)

    return torch.func.jacrev(f)(x), torch.func.jacfwd(f)(x)


def jacobian_trees(torch: Any) -> Any:
    def f(a: Any, b: Any) -> Any:
        return {"s": a * b.sum(), "t": (b**2, a.sin())}

    a, b = arange(torch, 2), arange(torch, 3)
    return (
        torch.func.jacrev(f)(a, b),
        torch.func.jacrev(f, argnums=(0, 1))(a, b),
        torch.func.jacfwd(f, argnums=1)(a, b),
    )


def jacobian_aux_chunks(torch: Any) -> Any:
    x = arange(torch, 5)
    plain = torch.func.jacrev(torch.sin, chunk_size=2)(x)
    return (
        plain,
        torch.func.jacrev(lambda x: (x**2, x.sum()), has_aux=True)(x),
        torch.func.jacfwd(lambda x: (x**2, x.sum()), has_aux=True)(x),
        torch.func.jacfwd(torch.sin, randomness="same")(x),
    )


def jacobian_of_scalars_and_matrices(torch: Any) -> Any:
    x = arange(torch, 2, 2)
    return (
        torch.func.jacrev(lambda x: x.sum())(x),
        torch.func.jacfwd(lambda x: x @ x)(x),
        torch.func.jacrev(lambda x: x**3)(torch.tensor(2.0)),
    )


def jacobian_refuses(torch: Any) -> Any:
    t = Trial()
    x = arange(torch, 3)
    t(lambda: torch.func.jacrev(torch.sin, chunk_size=0))
    t(lambda: torch.func.jacrev(lambda x: 3)(x))
    t(lambda: torch.func.jacrev(torch.sin, argnums=2)(x))
    t(lambda: torch.func.jacrev(torch.sin)(torch.arange(3)))
    return t.log


def hessians(torch: Any) -> Any:
    x = arange(torch, 3)

    def f(x: Any) -> Any:
        return (x.sin() * x).sum() ** 2

    func = torch.func
    return (
        func.hessian(f)(x),
        func.jacrev(func.jacrev(f))(x),
        func.jacfwd(func.jacrev(f))(x),
        func.jacrev(func.jacfwd(f))(x),
        func.jacfwd(func.jacfwd(f))(x),
        func.hessian(lambda a, b: (a * b).sum() ** 2, argnums=(0, 1))(x, x + 1),
    )


def third_derivative(torch: Any) -> Any:
    jac = torch.func.jacrev
    return jac(jac(jac(lambda x: (x**4).sum())))(arange(torch, 2))


# Transforms inside each other


def per_sample_gradients(torch: Any) -> Any:
    net, params = net_of(torch)
    x, y = arange(torch, 5, 3), torch.tensor([0, 1, 0, 1, 1])

    def loss(params: Any, x: Any, y: Any) -> Any:
        out = torch.func.functional_call(net, params, (x.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(out, y.unsqueeze(0))

    func = torch.func
    return (
        func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, y),
        func.vmap(func.grad_and_value(loss), in_dims=(None, 0, 0), chunk_size=2)(params, x, y),
    )


def per_sample_gradients_of_convolutions(torch: Any) -> Any:
    f, func = torch.nn.functional, torch.func
    w, x = arange(torch, 2, 3, 3, 3) - 0.5, (7 * arange(torch, 4, 3, 6, 6)).sin()

    def loss(w: Any, x: Any) -> Any:
        out = f.max_pool2d(f.conv2d(x.unsqueeze(0), w, padding=1).relu(), 2)
        return f.group_norm(out, 1).sin().sum()

    return func.vmap(func.grad(loss, argnums=(0, 1)), in_dims=(None, 0))(w, x)


def grad_of_vmap(torch: Any) -> Any:
    func = torch.func
    w, x = arange(torch, 3), arange(torch, 4, 3)

    def shared(w: Any) -> Any:
        return func.vmap(lambda r: (w * r).sin().sum())(x).sum()

    def derived(w: Any) -> Any:
        return func.vmap(lambda r: ((w * 2).exp() * r).sum() + w.sum())(x).sum()

    def unused(w: Any) -> Any:
        return func.vmap(lambda r: w * 2)(x).sum()

    return [
        *(func.grad(f)(w) for f in (shared, derived, unused)),
        func.grad(lambda x: func.vmap(torch.dot, in_dims=(0, None))(x, w).pow(2).sum())(x),
    ]


def backward_through_vmap(torch: Any) -> Any:
    w = arange(torch, 3).requires_grad_()
    x = arange(torch, 4, 3).requires_grad_()
    out = torch.func.vmap(lambda r: (w * r).sin().sum())(x)
    out.pow(2).sum().backward()
    return out, out.requires_grad, w.grad, x.grad


def double_backward_through_vmap(torch: Any) -> Any:
    w = arange(torch, 3).requires_grad_()
    x = arange(torch, 4, 3)
    out = torch.func.vmap(lambda r: (w * r).sin().sum())(x).pow(2).sum()
    (g,) = torch.autograd.grad(out, w, create_graph=True)
    (h,) = torch.autograd.grad(g.pow(2).sum(), w)
    return g, h


def vmap_of_grad_of_vmap(torch: Any) -> Any:
    func = torch.func
    x, w = arange(torch, 2, 4, 3), arange(torch, 3)

    def inner(w: Any, xs: Any) -> Any:
        return func.vmap(lambda r: (w * r).tanh().sum())(xs).prod()

    return (
        func.vmap(func.grad(inner), in_dims=(None, 0))(w, x),
        func.vmap(func.grad(inner, argnums=1), in_dims=(None, 0))(w, x),
    )


def vmap_of_vjp_function(torch: Any) -> Any:
    func = torch.func
    x = arange(torch, 3)
    w = arange(torch, 2, 3)
    _, pull = func.vjp(lambda x: torch.tanh(w @ x), x)
    return func.vmap(pull)(torch.eye(2)), func.vmap(lambda v: pull(v)[0].sum())(torch.eye(2))


def vmap_of_jvp_and_jacobians(torch: Any) -> Any:
    func = torch.func
    x = arange(torch, 4, 3)

    def f(x: Any) -> Any:
        return x.sin() * x.sum()

    return (
        func.vmap(func.jacrev(f))(x),
        func.vmap(func.jacfwd(f))(x),
        func.vmap(func.hessian(lambda x: f(x).sum()))(x),
        func.vmap(lambda x: func.jvp(f, (x,), (x,))[1])(x),
        func.vmap(lambda v: func.jvp(f, (x[0],), (v,))[1])(x),
        func.vmap(lambda x: func.vjp(f, x)[1](x))(x),
    )


def jvp_of_grad_and_grad_of_jvp(torch: Any) -> Any:
    func = torch.func
    x, v = arange(torch, 3), arange(torch, 3) + 1

    def f(x: Any) -> Any:
        return (x.sin() * x).sum()

    def along(x: Any) -> Any:
        return func.jvp(f, (x,), (v,))[1]

    return (
        func.jvp(func.grad(f), (x,), (v,)),
        func.grad(along)(x),
        func.jvp(along, (x,), (v,)),
        func.vmap(along)(arange(torch, 2, 3)),
    )


def jacobian_through_vmap(torch: Any) -> Any:
    func = torch.func
    x = arange(torch, 2, 3)

    def f(x: Any) -> Any:
        return func.vmap(lambda r: r.cumsum(0) ** 2)(x)

    return func.jacrev(f)(x), func.jacfwd(f)(x)


def ensembles(torch: Any) -> Any:
    nets = [net_of(torch)[0] for _ in range(3)]
    with torch.no_grad():
        for k, net in enumerate(nets):
            for p in net.parameters():
                p.mul_(k + 1)
    params, buffers = torch.func.stack_module_state(nets)
    x = arange(torch, 5, 3)

    def call(params: Any, buffers: Any, x: Any) -> Any:
        return torch.func.functional_call(nets[0], (params, buffers), (x,))

    vmap = torch.func.vmap
    return (
        vmap(call, in_dims=(0, 0, None))(params, buffers, x),
        vmap(call)(params, buffers, torch.stack([x, x + 1, x + 2])),
        {k: (v.requires_grad, v.is_leaf) for k, v in params.items()},
    )


def functional_calls(torch: Any) -> Any:
    t = Trial()
    net, params = net_of(torch)
    x = arange(torch, 2, 3)
    call = torch.func.functional_call
    twice = {k: 2 * v for k, v in params.items()}
    t(lambda: call(net, twice, x))
    t(lambda: call(net, twice, (x,)))
    t(lambda: call(net, {"0.weight": twice["0.weight"]}, (x,)))
    t(lambda: call(net, ({"0.weight": x}, {"0.weight": x}), (x,)))
    t(lambda: call(net, {"nothing": x}, (x,), strict=True))
    t(lambda: torch.func.grad(lambda p: call(net, p, (x,)).sum())(params))
    return t.log, {k: bool((v == params[k]).all()) for k, v in net.named_parameters()}


def stacked_states_refuse(torch: Any) -> Any:
    t = Trial()
    t(lambda: torch.func.stack_module_state([]))
    t(lambda: torch.func.stack_module_state([torch.nn.Linear(2, 2), torch.nn.ReLU()]))
    t(lambda: torch.func.stack_module_state([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2).eval()]))
    return t.log


def functionalized(torch: Any) -> Any:
    def f(x: Any) -> Any:
        y = x.clone()
        y.view(-1)[1:].mul_(3)
        return y.sum()

    x = arange(torch, 2, 2)
    return torch.func.functionalize(f)(x), torch.func.grad(torch.func.functionalize(f))(x)


def stateful_modules_are_told_apart(torch: Any) -> Any:
    net = torch.nn.BatchNorm1d(3)
    torch.func.replace_all_batch_norm_modules_(net)
    x = arange(torch, 2, 4, 3)
    return torch.func.vmap(net)(x), net.running_mean


# Functions of the user's own


def _sine(torch: Any, generate: bool, with_vmap: bool) -> Any:
    class Sine(torch.autograd.Function):
        generate_vmap_rule = generate

        @staticmethod
        def forward(x: Any, k: float) -> Any:
            return k * x.sin()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * ctx.k * x.cos(), None

        if with_vmap:

            @staticmethod
            def vmap(info: Any, in_dims: Any, x: Any, k: float) -> Any:
                assert info.batch_size == x.shape[in_dims[0]]
                return Sine.apply(x, k), in_dims[0]

    return Sine


def function_under_transforms(torch: Any) -> Any:
    t = Trial()
    func = torch.func
    x = arange(torch, 2, 3)
    for generate, with_vmap in ((True, False), (False, True), (False, False), (True, True)):
        sine = _sine(torch, generate, with_vmap)
        t(lambda sine=sine: func.grad(lambda x: sine.apply(x, 2.0).sum())(x))
        t(lambda sine=sine: func.vmap(lambda r: sine.apply(r, 2.0), in_dims=1)(x))
        t(lambda sine=sine: func.vmap(func.grad(lambda r: sine.apply(r, 2.0).sum()))(x))
        t(lambda sine=sine: func.jacrev(lambda x: sine.apply(x, 2.0))(x[0]))
        t(lambda sine=sine: func.grad(func.grad(lambda s: sine.apply(s, 2.0)))(x[0, 0]))
    return t.log


def function_with_old_forward(torch: Any) -> Any:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g

    t = Trial()
    x = arange(torch, 3)
    t(lambda: Double.apply(x))
    t(lambda: torch.func.grad(lambda x: Double.apply(x).sum())(x))
    t(lambda: torch.func.vmap(Double.apply)(x))
    return t.log


def saved_tensor_hooks_inside(torch: Any) -> Any:
    seen = []

    def pack(t: Any) -> Any:
        seen.append(tuple(t.shape))
        return t * 1

    def f(x: Any) -> Any:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            return (x.sin() * x).sum()

    x = arange(torch, 3).requires_grad_()
    (g,) = torch.autograd.grad(f(x), x)
    return g, len(seen) > 0
