"""gradcheck finds wrong gradients, in every mode."""

import pytest

import flambeau as torch
from flambeau.autograd import GradcheckError, gradcheck, gradgradcheck


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 3


@pytest.fixture
def x():
    return torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("fast", [False, True])
def test_right_and_wrong(x, fast):
    assert gradcheck(lambda a: a.sin() * a, x, fast_mode=fast)
    assert gradgradcheck(lambda a: a.sin() * a, x, fast_mode=fast)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(Wrong.apply, x, fast_mode=fast)
    assert gradcheck(Wrong.apply, x, fast_mode=fast, raise_exception=False) is False


def test_options(x):
    assert gradcheck(
        torch.exp, x, check_forward_ad=True, check_batched_grad=True, check_grad_dtypes=True
    )
    z = torch.tensor([1 + 2j], dtype=torch.complex128, requires_grad=True)
    assert gradcheck(lambda v: v * v.conj() + v, z)
    with pytest.raises(ValueError, match="at least one input"):
        gradcheck(torch.exp, x.detach())
    with pytest.warns(UserWarning, match="double precision"):
        gradcheck(torch.exp, x.detach().float().requires_grad_(), eps=1e-2, atol=1e-1, rtol=1e-1)


def cube(engine, rate):
    """``x ** 3``, whose gradient moves tangents `rate` times as far as it must."""

    class Slope(engine.autograd.Function):
        @staticmethod
        def forward(ctx, g, x):
            ctx.save_for_backward(g, x)
            ctx.save_for_forward(g, x)
            return 3 * g * x**2

        @staticmethod
        def backward(ctx, h):
            g, x = ctx.saved_tensors
            return 3 * h * x**2, 6 * h * g * x

        @staticmethod
        def jvp(ctx, moved_g, moved_x):
            g, x = ctx.saved_tensors
            return rate * 3 * (moved_g * x**2 + 2 * g * x * moved_x)

    class Cube(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return Slope.apply(g, *ctx.saved_tensors)

        @staticmethod
        def jvp(ctx, moved):
            return 3 * ctx.saved_tensors[0] ** 2 * moved

    return Cube.apply


@pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated")
@pytest.mark.parametrize("over", [True, False])
def test_forward_over_reverse(oracle, over):
    options = {"check_fwd_over_rev": True, "check_rev_over_rev": over, "check_undefined_grad": over}
    for engine in (torch, oracle):
        x = engine.tensor([0.3, 0.7, -0.2], dtype=engine.float64, requires_grad=True)
        w = engine.tensor([1.0, 2.0, 3.0], dtype=engine.float64)
        check = engine.autograd.gradgradcheck
        assert check(lambda x, w: (x**3).sin() * w, (x, w), **options)
        assert check(cube(engine, 1), (x,), **options)
        assert check(cube(engine, 2), (x,))
        with pytest.raises(RuntimeError):
            check(cube(engine, 2), (x,), **options)
