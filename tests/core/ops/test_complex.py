"""Complex numbers: views of parts, conjugates, angles, polar form, and their gradients."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck


def points() -> torch.Tensor:
    return torch.tensor([0.5 + 1.0j, -0.3 + 0.2j], dtype=torch.complex128, requires_grad=True)


@pytest.mark.parametrize(
    "name", ["real", "imag", "angle", "abs", "conj", "sgn", "conj_physical", "view_as_real"]
)
def test_gradients(name: str) -> None:
    assert gradcheck(getattr(torch, name), (points(),))
    assert gradgradcheck(getattr(torch, name), (points(),))


def test_parts_are_views() -> None:
    z = torch.tensor([1 + 2j, 3 - 1j])
    z.real.mul_(10)
    z.imag = torch.tensor([0.0, 5.0])
    assert z.tolist() == [10 + 0j, 30 + 5j]
    pairs = torch.arange(12.0).view(2, 3, 2).transpose(0, 1)
    joined = torch.view_as_complex(pairs)
    assert torch.equal(torch.view_as_real(joined), pairs)
    assert joined.data_ptr() == pairs.data_ptr()


def test_joining() -> None:
    a = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
    assert gradcheck(torch.complex, (a, b))
    assert gradcheck(torch.polar, (a, b))
    assert torch.polar(a, b).dtype is torch.complex128


def test_refusals() -> None:
    with pytest.raises(RuntimeError, match="non-complex"):
        torch.imag(torch.ones(2))
    with pytest.raises(RuntimeError, match="size 2"):
        torch.view_as_complex(torch.ones(3))
    with pytest.raises(RuntimeError):
        torch.complex(torch.ones(2), torch.ones(2, dtype=torch.float64))
    with pytest.raises(RuntimeError):
        torch.tensor([1j]).abs_()


def test_angle_of_real_numbers() -> None:
    found = torch.angle(torch.tensor([-1.0, 0.0, 1.0, float("nan")])).tolist()
    assert found[:3] == [pytest.approx(3.1415927), 0.0, 0.0]
    assert found[3] != found[3]


def test_half_complex_numbers_keep_both_parts() -> None:
    z = torch.tensor([[1 + 2j, 3 - 4j]]).chalf()
    assert z.is_complex() and z.cfloat().tolist() == [[1 + 2j, 3 - 4j]]
    assert z.imag.tolist() == [[2.0, -4.0]] and z.conj().cfloat().tolist() == [[1 - 2j, 3 + 4j]]
    assert torch.view_as_real(z[:, ::2].mT).tolist() == [[[1.0, 2.0]]]


def test_parts_that_do_not_fit_and_what_is_no_tensor(oracle):
    for torch_ in (oracle, torch):
        for name in ("complex", "polar"):
            with pytest.raises(RuntimeError):
                getattr(torch_, name)(torch_.ones(2), torch_.ones(3))
        for wrong in (torch_.real, torch_.corrcoef):
            with pytest.raises(TypeError):
                wrong("text")
