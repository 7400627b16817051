"""Powers: short ways, whole numbers, bool, gradients at 0, node names."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck


@pytest.mark.parametrize("exponent", [0, 0.5, 1, 2, 3, -1, -2, -0.5, 2.7])
def test_number_as_exponent(exponent: float) -> None:
    x = torch.tensor([0.4, 1.3, 2.5], dtype=torch.float64, requires_grad=True)
    assert torch.allclose(
        x**exponent, torch.tensor([v**exponent for v in (0.4, 1.3, 2.5)], dtype=torch.float64)
    )
    assert gradcheck(lambda x: x**exponent, (x,))
    assert gradgradcheck(lambda x: x**exponent, (x,))


def test_tensor_as_exponent() -> None:
    x = torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([2.0, -0.7], dtype=torch.float64, requires_grad=True)
    assert gradcheck(torch.pow, (x, y))
    assert gradgradcheck(torch.pow, (x, y))
    assert gradcheck(lambda y: 2**y, (y,))
    assert repr(x**2).endswith("grad_fn=<PowBackward0>)")
    assert repr(x**y).endswith("grad_fn=<PowBackward1>)")
    assert repr(2**y).endswith("grad_fn=<PowBackward2>)")


def test_gradient_of_the_exponent_is_zero_at_base_zero() -> None:
    x = torch.tensor([0.0, 0.0])
    y = torch.tensor([0.0, 2.0], requires_grad=True)
    (x**y).sum().backward()
    assert y.grad.tolist() == [0.0, 0.0]  # type: ignore[union-attr]


def test_whole_numbers() -> None:
    assert torch.equal(
        torch.tensor([2, 1, -1]) ** torch.tensor([-1, -1, -1]), torch.tensor([0, 1, -1])
    )
    with pytest.raises(RuntimeError, match="negative integer powers"):
        torch.tensor([2]) ** -1
    assert (torch.tensor([True]) ** 2).dtype is torch.int64
    assert torch.tensor([True]).square().dtype is torch.int64
    with pytest.raises(NotImplementedError):
        torch.tensor([True]) ** torch.tensor([True])
    assert (torch.tensor([200], dtype=torch.uint8) ** 2).item() == 200 * 200 % 256


def test_float_power_is_double() -> None:
    assert torch.float_power(torch.tensor([2]), 0.5).dtype is torch.float64
    assert torch.float_power(torch.tensor([2j]), 2).dtype is torch.complex128
    with pytest.raises(RuntimeError, match="float64"):
        torch.tensor([2.0]).float_power_(2)


def test_frexp_and_ldexp_are_inverse() -> None:
    x = torch.tensor([0.3, -5.0, 1024.0], requires_grad=True)
    mantissa, exponent = torch.frexp(x)
    assert exponent.dtype is torch.int32
    assert torch.equal(torch.ldexp(mantissa, exponent), x)
    mantissa.sum().backward()
    assert x.grad.tolist() == [2.0, 0.125, 2.0**-11]  # type: ignore[union-attr]
