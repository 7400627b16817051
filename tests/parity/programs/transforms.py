"""Programs about torch.func and forward mode: transforms alone, inside each other, and refused."""

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


# vmap


def vmap_dims(torch: Any) -> Any:
    vmap = torch.func.vmap
    m, v = arange(torch, 2, 3), arange(torch, 3)
    return (
        vmap(torch.dot, in_dims=(0, None))(m, v),
        vmap(torch.mul, in_dims=(1, 0))(m, v),
        vmap(torch.mul, in_dims=(1, 0), out_dims=1)(m, v),
        vmap(lambda r: (r, r.sum()), in_dims=-1, out_dims=(-1, 0))(m),
        vmap(lambda d: d["a"] + d["b"], in_dims=({"a": 0, "b": None},))({"a": m, "b": v}),
        vmap(lambda a: torch.ones(2))(m),
        vmap(lambda a: torch.ones(2), out_dims=1)(m),
        vmap(lambda a: v, out_dims=None)(m),
    )


def vmap_nested(torch: Any) -> Any:
    vmap = torch.func.vmap
    x, y = arange(torch, 2, 3, 4), arange(torch, 5, 4)
    return (
        vmap(vmap(torch.sin))(x),
        vmap(vmap(torch.dot, in_dims=(0, None)), in_dims=(0, None))(x, y[0]),
        vmap(lambda a: vmap(lambda b: a @ b)(y))(x),
        vmap(vmap(vmap(lambda a: a * 2)), in_dims=1, out_dims=2)(x),
        vmap(lambda a: vmap(lambda b: (a * b).sum(), in_dims=1)(a))(x),
    )


def vmap_chunks(torch: Any) -> Any:
    x = arange(torch, 5, 3)
    return (
        torch.func.vmap(lambda r: r.softmax(0), chunk_size=2)(x),
        torch.func.vmap(lambda r: (r.sum(), r), out_dims=(0, 1), chunk_size=2)(x),
    )


def vmap_refuses(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(torch.add)(m, arange(torch, 3, 3)))
    t(lambda: vmap(torch.sin, in_dims=2)(m))
    t(lambda: vmap(torch.sin, in_dims=None)(m))
    t(lambda: vmap(torch.sin, in_dims=(0, 0))(m))
    t(lambda: vmap(torch.sin, in_dims=[0])(m))
    t(lambda: vmap(torch.sin)(3.0))
    t(lambda: vmap(lambda r: 3)(m))
    t(lambda: vmap(torch.sin, out_dims=3)(m))
    t(lambda: vmap(torch.sin, out_dims=(0, 0))(m))
    t(lambda: vmap(torch.sin, out_dims=None)(m))
    t(lambda: vmap(torch.sin, randomness="other")(m))
    t(lambda: vmap(torch.sin, chunk_size=0)(m))
    t(lambda: vmap(torch.sin)())
    return t.log


def vmap_data_dependent(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(lambda r: r.sum().item())(m))
    t(lambda: vmap(lambda r: r if r.sum() > 0 else -r)(m))
    t(lambda: vmap(lambda r: r[r > 0.5])(m))
    t(lambda: vmap(torch.nonzero)(m))
    t(lambda: vmap(lambda r: torch.tensor(float(r[0])))(m))
    return t.log


def vmap_random(torch: Any) -> Any:
    vmap = torch.func.vmap
    m = arange(torch, 3, 4)
    found = []
    for mode in ("same", "different"):
        for f in (
            lambda r: r + torch.rand(4),
            lambda r: r + torch.rand_like(r),
            lambda r: torch.nn.functional.dropout(r, 0.5),
            lambda r: torch.randint(0, 100, (3,)),
            lambda r: torch.randperm(4),
            lambda r: torch.bernoulli(torch.full((4,), 0.5)),
        ):
            torch.manual_seed(3)
            found.append(vmap(f, randomness=mode)(m))
    return found


def vmap_random_refused(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(lambda r: r + torch.rand(3))(m))
    t(lambda: vmap(lambda r: torch.nn.functional.dropout(r))(m))
    t(lambda: vmap(lambda r: torch.zeros(3).uniform_(), randomness="different")(m))
    t(lambda: vmap(lambda r: torch.nn.functional.dropout(r, training=False))(m))
    return t.log


def vmap_inplace(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)

    def fill(r: Any) -> Any:
        out = torch.zeros_like(r)
        out[0] = r[1]
        out[1:] += r[:2]
        out.mul_(r).sub_(0.3)
        return out

    def into_shared(r: Any) -> Any:
        return torch.zeros(3).add_(r)

    def new(r: Any) -> Any:
        out = r.new_zeros(2, 3)
        out[1] = r
        return out

    t(lambda: vmap(fill)(m))
    t(lambda: vmap(into_shared)(m))
    t(lambda: vmap(new)(m))
    written = m.clone()
    vmap(lambda r: r.mul_(2))(written)
    return t.log, written


def vmap_indexing(torch: Any) -> Any:
    vmap = torch.func.vmap
    m = arange(torch, 3, 4, 5)
    k = torch.tensor([[0, 2], [1, 1], [3, 0]])
    v = arange(torch, 6)
    return (
        vmap(lambda a, i: a[i])(m, k),
        vmap(lambda a, i: a[:, i])(m, k),
        vmap(lambda a, i: a[i, i + 1])(m, k),
        vmap(lambda i: v[i])(k),
        vmap(lambda a: a[torch.tensor([0, 3])])(m),
        vmap(lambda a: a[..., torch.tensor([True, False, True, False, True])])(m),
        vmap(lambda a, i: a.index_select(1, i))(m, k),
        vmap(lambda a: a[1:, None, ::2])(m),
        vmap(lambda a, i: torch.gather(a[:, 0], 0, i))(m, k),
        vmap(lambda a, i: a[:, 0].scatter(0, i[:1], 9.0))(m, k),
        vmap(lambda a, i: a.index_add(0, i, a[:2]))(m, k),
        vmap(lambda a, i: torch.take_along_dim(a[:, 0], i, 0))(m, k),
    )


def vmap_shapes(torch: Any) -> Any:
    vmap = torch.func.vmap
    x = arange(torch, 2, 3, 4)
    return (
        vmap(lambda a: torch.tensor([a.ndim, a.shape[0], a.numel(), a.size(-1)]))(x),
        vmap(lambda a: a.T.reshape(-1))(x),
        vmap(lambda a: a.flatten().unflatten(0, (2, 6)))(x),
        vmap(lambda a: torch.cat([a, a.sum(0, keepdim=True)]))(x),
        vmap(lambda a: torch.stack([a[0], a[1]], -1))(x),
        vmap(lambda a: a.unbind(0))(x),
        vmap(lambda a: a.split(2, 1))(x),
        vmap(lambda a: a.expand(5, 3, 4).sum(0))(x),
        vmap(lambda a: a.diagonal().sum())(x),
        vmap(lambda a: torch.einsum("ij,kj->ik", a, a))(x),
        vmap(lambda a: a.unfold(1, 2, 1).contiguous())(x),
        vmap(lambda a: torch.nn.functional.pad(a, (1, 2)))(x),
    )


def vmap_reductions(torch: Any) -> Any:
    x = arange(torch, 2, 3, 4).sin()
    vmap = torch.func.vmap
    found = [
        vmap(lambda a, f=f: f(a))(x)
        for f in (
            lambda a: a.sum(),
            lambda a: a.mean(0),
            lambda a: a.var(1, keepdim=True),
            lambda a: a.max(),
            lambda a: a.max(0),
            lambda a: a.argmin(),
            lambda a: a.argmax(1),
            lambda a: a.prod(-1),
            lambda a: a.logsumexp((0, 1)),
            lambda a: a.norm(),
            lambda a: a.cumsum(0),
            lambda a: a.sort(1),
            lambda a: a.topk(2),
            lambda a: a.median(),
            lambda a: a.softmax(0).std(),
            lambda a: (a > 0).any(0),
            lambda a: (a > 0).all(),
            lambda a: a.flip(0).roll(1, 1),
            lambda a: a.cummax(0).values,
        )
    ]
    return [tuple(f) if isinstance(f, tuple) else f for f in found]


def vmap_scalars(torch: Any) -> Any:
    x = arange(torch, 4)
    vmap = torch.func.vmap
    return (
        vmap(lambda s: s.sum(0) + s.max())(x),
        vmap(lambda s: torch.stack([s, s * 2]))(x),
        vmap(lambda s: s.reshape(1, 1))(x),
        vmap(lambda s: torch.where(s > 0.5, s, 2.0))(x),
        vmap(lambda s: s.double() * 2)(x),
        vmap(lambda s: torch.arange(3) * s)(x),
    )


def vmap_linalg(torch: Any) -> Any:
    vmap = torch.func.vmap
    a = arange(torch, 2, 3, 3) + torch.eye(3)
    b = arange(torch, 2, 3)
    return (
        vmap(torch.linalg.inv)(a),
        vmap(torch.linalg.det)(a),
        vmap(torch.linalg.solve)(a, b),
        vmap(torch.linalg.solve, in_dims=(0, None))(a, b[0]),
        vmap(torch.linalg.solve)(a, a),
        vmap(lambda m: torch.linalg.cholesky(m @ m.T))(a),
        vmap(torch.mv)(a, b),
        vmap(torch.mv, in_dims=(None, 0))(a[0], b),
        vmap(torch.matmul, in_dims=(0, None))(a, a),
        vmap(torch.outer)(b, b),
        vmap(torch.addmm)(a, a, a),
        vmap(torch.linalg.matrix_norm)(a),
        vmap(torch.trace)(a),
        vmap(torch.tril)(a),
    )


def vmap_layers(torch: Any) -> Any:
    f, vmap = torch.nn.functional, torch.func.vmap
    x, w = (9 * arange(torch, 2, 3, 4, 6, 6).double()).sin(), arange(torch, 2, 5, 4, 3, 3).double()
    rows, scale = arange(torch, 2, 3, 4).double().sin(), arange(torch, 2, 4).double()
    return (
        vmap(lambda x: f.conv2d(x, w[0], padding=1))(x),
        vmap(lambda x, w: f.conv2d(x, w, stride=2))(x, w),
        vmap(lambda w: f.conv2d(x[0], w))(w),
        vmap(lambda x, w: f.conv_transpose2d(x, w.transpose(0, 1)))(x, w),
        vmap(lambda x: f.max_pool2d(x, 2))(x),
        vmap(lambda x: f.avg_pool2d(x, 3, padding=1))(x),
        vmap(lambda x: f.adaptive_avg_pool2d(x, 2))(x),
        vmap(lambda x: f.interpolate(x, scale_factor=2))(x[:, :, :, :2, :2]),
        vmap(lambda r, s: f.layer_norm(r, (4,), s, s))(rows, scale),
        vmap(lambda r: f.layer_norm(r, (4,)))(rows),
        vmap(lambda x, s: f.group_norm(x, 2, s, s))(x, scale),
        vmap(lambda x, s: f.batch_norm(x, None, None, s, s, training=True))(x, scale),
        vmap(lambda x: f.batch_norm(x, None, None, training=True))(x),
        vmap(lambda x: f.instance_norm(x))(x),
        vmap(lambda r, s: f.linear(r, s.outer(s), s))(rows, scale),
        vmap(lambda i, s: f.embedding(i, s.outer(s)))(torch.tensor([[0, 3], [1, 1]]), scale),
        vmap(lambda r: f.scaled_dot_product_attention(r, r, r))(rows),
        vmap(lambda r: f.gelu(r) + f.silu(r) + f.softplus(r))(rows),
    )


def vmap_losses(torch: Any) -> Any:
    f, vmap = torch.nn.functional, torch.func.vmap
    x, y = arange(torch, 2, 3, 4).sin(), torch.tensor([[0, 1, 3], [2, 2, -100]])
    weight = arange(torch, 4)
    found = [
        vmap(lambda x, y, r=r, w=w: f.cross_entropy(x, y, w, reduction=r))(x, y)
        for r in ("none", "mean", "sum")
        for w in (None, weight)
    ]
    found += [
        vmap(lambda a, b, g=g, r=r: g(a, b, reduction=r))(x, x.cos())
        for g in (f.mse_loss, f.l1_loss, f.smooth_l1_loss, f.huber_loss)
        for r in ("none", "mean", "sum")
    ]
    found.append(vmap(f.binary_cross_entropy)(x.sigmoid(), x.cos().abs()))
    found.append(vmap(f.binary_cross_entropy_with_logits)(x, x.cos().abs()))
    found.append(vmap(f.nll_loss)(x, y.clamp(min=0)))
    found.append(vmap(f.cross_entropy)(x[:, 0], y[:, 0]))
    return found


def batch_norm_refuses(torch: Any) -> Any:
    t = Trial()
    x, mean = arange(torch, 2, 3, 4), torch.zeros(4)
    f = torch.nn.functional.batch_norm
    t(lambda: torch.func.vmap(lambda x: f(x, mean, mean, training=True))(x))
    t(lambda: torch.func.vmap(lambda x: f(x, mean, mean + 1))(x))
    return t.log


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


# Forward mode by its names


def dual_numbers(torch: Any) -> Any:
    fwd = torch.autograd.forward_ad
    x, v = arange(torch, 3), arange(torch, 3) + 1
    with fwd.dual_level():
        dual = fwd.make_dual(x, v)
        y = dual.sin() * dual
        plain = fwd.unpack_dual(x)
        out = fwd.unpack_dual(y)
        z = fwd.unpack_dual(torch.cat([dual, x]).cumsum(0))
    after = fwd.unpack_dual(y) if False else None
    return out.primal, out.tangent, plain.tangent, z.tangent, after


def dual_numbers_through_modules(torch: Any) -> Any:
    fwd = torch.autograd.forward_ad
    net, params = net_of(torch)
    x = arange(torch, 2, 3)
    with fwd.dual_level():
        out = net(fwd.make_dual(x, torch.ones_like(x)))
        return fwd.unpack_dual(out).tangent.detach()


def dual_numbers_refuse(torch: Any) -> Any:
    fwd = torch.autograd.forward_ad
    t = Trial()
    x = arange(torch, 3)
    t(lambda: fwd.make_dual(x, x))
    with fwd.dual_level():
        t(lambda: fwd.make_dual(torch.arange(3), x))
        t(lambda: fwd.make_dual(x, arange(torch, 2)))
        t(lambda: fwd.enter_dual_level())
    t(lambda: fwd.exit_dual_level())
    return t.log


# torch.autograd.functional


def functional_products(torch: Any) -> Any:
    af = torch.autograd.functional
    x, v = arange(torch, 3), arange(torch, 3) + 1

    def f(x: Any) -> Any:
        return (x**3).sum()

    return (
        af.vjp(torch.sin, x, v),
        af.jvp(torch.sin, x, v),
        af.vhp(f, x, v),
        af.hvp(f, x, v),
        af.vjp(lambda a, b: a * b, (x, v), v),
        af.jvp(lambda a, b: (a * b, a), (x, v), (v, x)),
    )


def functional_jacobians(torch: Any) -> Any:
    af = torch.autograd.functional
    x = arange(torch, 3)

    def f(x: Any) -> Any:
        return (x.outer(x), x.sum())

    def scalar(a: Any, b: Any) -> Any:
        return (a * b.sin()).sum() ** 2

    return (
        af.jacobian(f, x),
        af.jacobian(f, x, vectorize=True),
        af.jacobian(f, x, vectorize=True, strategy="forward-mode"),
        af.jacobian(torch.mul, (x, x + 1), create_graph=True),
        af.hessian(scalar, (x, x + 1)),
        af.hessian(scalar, (x, x + 1), vectorize=True),
        af.hessian(
            lambda x: (x**3).sum(), x, vectorize=True, outer_jacobian_strategy="forward-mode"
        ),
    )


def functional_strictness(torch: Any) -> Any:
    af = torch.autograd.functional
    t = Trial()
    x = arange(torch, 3)
    t(lambda: af.jacobian(lambda x: torch.ones(2), x))
    t(lambda: af.jacobian(lambda x: torch.ones(2), x, strict=True))
    t(lambda: af.vjp(lambda x: torch.ones(2), x, torch.ones(2), strict=True))
    t(lambda: af.hessian(lambda x: x.sum(), x))
    t(lambda: af.hessian(lambda x: x.sum(), x, strict=True))
    t(lambda: af.hessian(lambda x: x, x))
    t(lambda: af.jacobian(torch.sin, x, strategy="forward-mode"))
    t(lambda: af.jacobian(torch.sin, x, vectorize=True, strict=True))
    t(lambda: af.vjp(torch.sin, x))
    return t.log


def batched_grad_outputs(torch: Any) -> Any:
    x = arange(torch, 3).requires_grad_()
    y = x**2
    (g,) = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True)
    return g


def complex_transforms(torch: Any) -> Any:
    func = torch.func
    z = torch.complex(arange(torch, 3), arange(torch, 3) + 1)
    return (
        func.grad(lambda z: (z * z.conj()).real.sum())(z),
        func.vmap(lambda z: z.abs() + z.real)(z),
        func.jvp(lambda z: z * z, (z,), (z,)),
        func.vjp(lambda z: z * z, z)[1](z),
    )


def vmap_of_autograd_grad(torch: Any) -> Any:
    x = arange(torch, 3).requires_grad_()
    y = x.sin() * x.sum()
    return torch.func.vmap(lambda v: torch.autograd.grad(y, x, v, retain_graph=True))(torch.eye(3))


def zero_samples(torch: Any) -> Any:
    t = Trial()
    x = torch.zeros(0, 3)
    t(lambda: torch.func.vmap(lambda r: r.sum())(x).shape)
    t(lambda: torch.func.vmap(torch.sin)(x).shape)
    t(lambda: torch.func.jacrev(torch.sin)(torch.zeros(0)).shape)
    return t.log
