"""grad, vjp, jvp, jacobians and vmap, alone and inside each other."""

import pytest

import flambeau as torch
from flambeau.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    stack_module_state,
    vjp,
    vmap,
)

X = torch.tensor([1.0, 2.0, 3.0])


def cube(x):
    return (x**3).sum()


def test_grad_nests():
    assert torch.equal(grad(cube)(X), 3 * X**2)
    assert grad(grad(grad(lambda s: s**4)))(torch.tensor(2.0)).item() == 48
    assert not grad(cube)(X).requires_grad
    assert torch.equal(grad(lambda x: (x * grad(cube)(x)).sum())(X), 9 * X**2)


def test_grad_stays_in_the_users_graph():
    p = X.clone().requires_grad_()
    grad(cube)(p).sum().backward()
    assert torch.equal(p.grad, 6 * X)
    with torch.no_grad():
        assert not grad(cube)(p).requires_grad


def test_trees_aux_and_argnums():
    (g, (value, aux)) = grad_and_value(
        lambda d: ((d["a"] * d["b"]).sum(), 2 * d["b"]), has_aux=True
    )({"a": X, "b": 2 * X})
    assert torch.equal(g["a"], 2 * X)
    assert value.item() == 28
    assert torch.equal(aux, 4 * X)
    a, b = grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(X, 2 * X)
    assert torch.equal(b, X)


def test_products_and_jacobians():
    out, pull = vjp(lambda x: (x.sin(), x * 2), X)
    assert torch.allclose(pull((X, X))[0], X.cos() * X + 2 * X)
    assert torch.allclose(jvp(torch.sin, (X,), (X,))[1], X.cos() * X)
    assert torch.equal(jacrev(lambda x: x * x)(X), jacfwd(lambda x: x * x)(X))
    assert torch.equal(hessian(cube)(X), torch.diag(6 * X))
    assert torch.allclose(linearize(torch.exp, X)[1](X), X.exp() * X)


def test_jacobians_of_what_is_cut_into_parts_and_written_in_parts():
    def cut(x):
        a, b = x.chunk(2)
        return a * b.exp() + x.unbind(0)[1]

    def written(x):
        y = x.clone()
        y[1:3] = x[:2] * 2
        y[0].mul_(3)
        return y * y.split(2)[1].sum()

    x = torch.arange(1.0, 5.0)
    for function in (cut, written):
        rows = torch.stack([
            torch.autograd.grad(out, p)[0]
            for k in range(function(x).shape[0])
            for p in (x.clone().requires_grad_(),)
            for out in (function(p)[k],)
        ])  # fmt: skip
        assert torch.allclose(jacrev(function)(x), rows)
        assert torch.allclose(jacfwd(function)(x), rows)
        assert torch.allclose(torch.autograd.functional.jacobian(function, x, vectorize=True), rows)


def test_vmap():
    m = torch.arange(6.0).reshape(2, 3)
    assert torch.equal(vmap(torch.dot, in_dims=(0, None))(m, X), m @ X)
    assert vmap(lambda r: r * 2, in_dims=1, out_dims=1)(m).shape == (2, 3)
    assert vmap(vmap(lambda s: s + 1))(m).shape == (2, 3)
    assert torch.equal(vmap(grad(cube))(m), 3 * m**2)
    assert vmap(lambda r: {"s": r.sum()})(m)["s"].tolist() == [3, 12]
    assert vmap(lambda r: r * 2)(torch.zeros(0, 3)).shape == (0, 3)


def test_vmap_refuses():
    m = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="same size in the mapped dimension"):
        vmap(torch.add)(m, torch.zeros(3, 3))
    with pytest.raises(ValueError, match="in_dim=2"):
        vmap(torch.sin, in_dims=2)(m)
    with pytest.raises(ValueError, match="only return Tensors"):
        vmap(lambda r: 3)(m)
    with pytest.raises(RuntimeError, match="random operation"):
        vmap(lambda r: r + torch.rand(3))(m)
    same = vmap(lambda r: r + torch.rand(3), randomness="same")(m)
    assert torch.equal(same[0], same[1])
    other = vmap(lambda r: r + torch.rand(3), randomness="different")(m)
    assert not torch.equal(other[0], other[1])


def test_per_sample_gradients_and_ensembles():
    net = torch.nn.Linear(3, 1)
    params = {k: v.detach() for k, v in net.named_parameters()}
    x = torch.randn(4, 3)
    each = vmap(grad(lambda p, s: functional_call(net, p, (s,)).sum()), in_dims=(None, 0))(
        params, x
    )
    assert torch.allclose(each["weight"].squeeze(1), x)
    nets = [torch.nn.Linear(3, 1) for _ in range(2)]
    stacked, _ = stack_module_state(nets)
    out = vmap(lambda p: functional_call(nets[0], p, (x,)))(stacked)
    assert torch.allclose(out[1], nets[1](x))


def test_refusals():
    with pytest.raises(RuntimeError, match="scalar tensor"):
        grad(torch.sin)(X)
    with pytest.raises(RuntimeError, match="argnum"):
        grad(cube, argnums=3)(X)
    with pytest.raises(RuntimeError, match="complex"):
        jacrev(torch.sin)(torch.tensor([1j]))
