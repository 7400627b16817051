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
