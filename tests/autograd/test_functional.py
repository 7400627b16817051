"""jacobian, hessian and the products with vectors."""

import pytest

import flambeau as torch
from flambeau.autograd import forward_ad
from flambeau.autograd import functional as F


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0, 3.0])


def test_jacobian_and_hessian(x):
    assert torch.equal(F.jacobian(lambda a: a * a, x), torch.diag(2 * x))
    assert torch.equal(F.hessian(lambda a: (a**3).sum(), x), torch.diag(6 * x))
    (aa, ab), (ba, bb) = F.hessian(lambda a, b: (a * b**2).sum(), (x, x))
    assert torch.equal(aa, torch.zeros(3, 3))
    assert torch.equal(ab, ba)
    assert torch.equal(bb, torch.diag(2 * x))


def test_products_agree_with_the_matrices(x):
    v = torch.tensor([1.0, -1.0, 0.5])

    def f(a):
        return torch.stack([a.sin().sum(), (a * a).prod()])

    j = F.jacobian(f, x)
    assert torch.allclose(F.jvp(f, x, v)[1], j @ v)
    assert torch.allclose(F.vjp(f, x, v[:2])[1], v[:2] @ j)
    h = F.hessian(lambda a: f(a).sum(), x)
    assert torch.allclose(F.hvp(lambda a: f(a).sum(), x, v)[1], h @ v)
    assert torch.allclose(F.vhp(lambda a: f(a).sum(), x, v)[1], v @ h)


def test_strict_refuses_independence(x):
    with pytest.raises(RuntimeError, match="independent"):
        F.jacobian(lambda a: torch.ones(2), x, strict=True)


def test_create_graph(x):
    p = x.clone().requires_grad_()
    F.jacobian(lambda a: a**3, p, create_graph=True).sum().backward()
    assert torch.equal(p.grad, 6 * x)


def test_forward_mode(x):
    t = torch.tensor([1.0, 0.0, -1.0])
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, t)
        out = forward_ad.unpack_dual(dual.exp() * 2)
        assert torch.allclose(out.tangent, 2 * x.exp() * t)
        assert not out.primal.requires_grad
        assert forward_ad.unpack_dual(x * 1).tangent is None
    with pytest.raises(RuntimeError, match="no level exists"):
        forward_ad.make_dual(x, t)


@pytest.mark.parametrize("name", ["jacobian", "vjp", "jvp"])
def test_strict_refuses_a_derivative_that_is_constant(oracle, name):
    for lib in (torch, oracle):
        x = lib.ones(3, requires_grad=True)
        call = getattr(lib.autograd.functional, name)
        more = () if name == "jacobian" else (lib.ones(3),)
        with pytest.raises(RuntimeError):
            call(lambda a: a.clone(), x, *more, create_graph=True, strict=True)
        call(lambda a: a * a, x, *more, create_graph=True, strict=True)
        call(lambda a: a.clone(), x, *more, strict=True)


@pytest.mark.parametrize("name", ["hessian", "hvp", "vhp"])
@pytest.mark.parametrize("found", ["(a.sum(), 2)", "(a.sum(),)", "(a.sum(), a.sum())", "2", "a"])
def test_a_scalar_function_returns_one_tensor_of_one_element(oracle, name, found):
    kinds = []
    for lib in (torch, oracle):
        call = getattr(lib.autograd.functional, name)
        more = () if name == "hessian" else (lib.ones(3),)
        with pytest.raises((TypeError, RuntimeError)) as caught:
            call(lambda a: eval(found, {"a": a}), lib.ones(3), *more)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]
