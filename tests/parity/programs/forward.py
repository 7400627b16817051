"""Programs about forward mode, torch.autograd.functional, and what else goes by vectors."""

from __future__ import annotations

from typing import Any

from tests.parity.programs.autograd import Trial
from tests.parity.programs.transforms import arange, net_of

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
