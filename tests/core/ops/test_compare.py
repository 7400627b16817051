"""Comparisons, extremes, clamps and closeness: ties, bounds, NaN, refusals."""

from __future__ import annotations

import operator

import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparisons_are_those_of_python(name: str) -> None:
    values, others = [1.0, 2.0, NAN], [1.0, 3.0, NAN]
    found = getattr(torch, name)(torch.tensor(values), torch.tensor(others))
    assert found.dtype is torch.bool
    assert found.tolist() == [
        getattr(operator, name)(a, b) for a, b in zip(values, others, strict=True)
    ]
    assert getattr(operator, name)(torch.tensor([2]), 1.5).tolist() == [
        getattr(operator, name)(2, 1.5)
    ]


def test_foreign_operands() -> None:
    x = torch.tensor([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != "word") is True
    assert (x == [1.0]) is False
    with pytest.raises(TypeError):
        x < None  # noqa: B015
    with pytest.raises(TypeError):
        torch.eq(x, None)
    with pytest.raises(NotImplementedError):
        x + 1j < x  # noqa: B015


def test_gradient_is_halved_at_a_tie() -> None:
    a = torch.tensor([1.0, 2.0, 3.0, NAN], requires_grad=True)
    b = torch.tensor([1.0, 3.0, 2.0, 0.0], requires_grad=True)
    torch.maximum(a, b).sum().backward()
    assert a.grad.tolist() == [0.5, 0.0, 1.0, 1.0]  # type: ignore[union-attr]
    assert b.grad.tolist() == [0.5, 1.0, 0.0, 1.0]  # type: ignore[union-attr]
    a.grad = b.grad = None
    torch.minimum(a, b).sum().backward()
    assert a.grad.tolist() == [0.5, 1.0, 0.0, 1.0]  # type: ignore[attr-defined]
    assert torch.fmax(a, b)[3].item() == 0.0
    assert torch.isnan(torch.maximum(a, b)[3])


def test_no_infinity_leaks_through_the_mask() -> None:
    x = torch.tensor([-1.0, 1.0], requires_grad=True)
    (torch.clamp(x, min=0.0) * torch.tensor([INF, 1.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]  # type: ignore[union-attr]


def test_clamp() -> None:
    x = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    x.clamp(0, 1).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]  # type: ignore[union-attr]
    assert torch.clamp(torch.tensor([1, 5]), max=2.5).tolist() == [1.0, 2.5]
    assert torch.clamp(torch.tensor([4]), 2, 1).item() == 1
    low = torch.tensor([0.2, 0.2, 0.7, 0.1, 0.1], dtype=torch.float64, requires_grad=True)
    assert gradcheck(
        lambda a, b: torch.clamp(a, b, 1.5), (x.detach().double().add(0.01).requires_grad_(), low)
    )
    with pytest.raises(RuntimeError, match="At least one"):
        torch.clamp(x)
    with pytest.raises(TypeError):
        torch.maximum(x, 2)


def test_questions() -> None:
    x = torch.tensor([1.0, NAN, INF, -INF])
    assert torch.isnan(x).tolist() == [False, True, False, False]
    assert torch.isposinf(x).tolist() == [False, False, True, False]
    assert torch.isneginf(x).tolist() == [False, False, False, True]
    assert torch.isfinite(x).tolist() == [True, False, False, False]
    assert torch.isreal(torch.tensor([1 + 0j, 1j])).tolist() == [True, False]
    assert torch.isnan(torch.tensor([1])).tolist() == [False]


def test_closeness() -> None:
    x = torch.tensor([1.0, NAN, INF])
    assert torch.isclose(x, x).tolist() == [True, False, True]
    assert torch.allclose(x, x, equal_nan=True)
    assert torch.equal(torch.tensor([1]), torch.tensor([1.0]))
    assert not torch.equal(torch.tensor([1]), torch.tensor([1, 1]))
    with pytest.raises(RuntimeError):
        torch.isclose(x, x.double())
    with pytest.raises(RuntimeError, match="ambiguous"):
        torch.is_nonzero(x)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_answers_written_are_numbers_of_the_tensor(name: str, dtype: str) -> None:
    kind = getattr(torch, dtype)
    x = torch.tensor([[0.0, 1.0, 2.0], [3.0, 1.0, 0.0]]).to(kind)
    for other in (x.flip(0), x[0], 1, torch.tensor(1).to(kind), torch.tensor(2)):
        wanted = getattr(torch, name)(x, other).to(kind)
        for target in (x.clone(), x.t().clone().t()):
            found = getattr(target, name + "_")(other)
            assert found is target
            assert found._version == 1
            assert found.dtype is kind
            assert torch.equal(found, wanted)


def test_answers_written_refuse_what_they_cannot_hold() -> None:
    x = torch.tensor([1, 2])
    with pytest.raises(RuntimeError):
        x.gt_(torch.tensor([[1, 2], [3, 4]]))
    with pytest.raises(RuntimeError, match="leaf"):
        torch.ones(2, requires_grad=True).gt_(1)
    a = torch.ones(2, requires_grad=True)
    b = (a * 2).gt_(1)
    b.sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == [0.0, 0.0]
    assert torch.tensor([NAN, 1.0]).ne_(other=NAN).tolist() == [1.0, 1.0]
