"""Rounding, remainders, signs: halves to even, Python's and C's signs, zero gradients, NaN and -0."""

from __future__ import annotations

import math

import pytest

import flambeau as torch

VALUES = [-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5]


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "sign"])
def test_steps_have_the_gradient_zero(name: str) -> None:
    x = torch.tensor(VALUES, requires_grad=True)
    found = getattr(torch, name)(x)
    reference = {"round": lambda v: float(round(v)), "sign": lambda v: (v > 0) - (v < 0)}.get(
        name
    ) or getattr(math, name)
    assert found.tolist() == [reference(v) for v in VALUES]
    found.sum().backward()
    assert x.grad.tolist() == [0.0] * len(VALUES)  # type: ignore[union-attr]
    assert getattr(torch, name)(torch.tensor([3, -3])).dtype is torch.int64


def test_round_to_decimals() -> None:
    assert torch.round(torch.tensor([1.2345, 127.0]), decimals=2).tolist() == pytest.approx(
        [1.23, 127.0]
    )
    assert torch.round(torch.tensor([127.0]), decimals=-1).tolist() == [130.0]
    with pytest.raises(NotImplementedError):
        torch.floor(torch.tensor([True]))


def test_remainders() -> None:
    a, b = torch.tensor([5.0, -5.0, 5.0, -4.0]), torch.tensor([3.0, 3.0, -3.0, 2.0])
    assert (a % b).tolist() == [2.0, 1.0, -1.0, 0.0]
    assert math.copysign(1, (a % b)[3].item()) == -1  # as PyTorch, unlike Python
    assert torch.fmod(a, b).tolist() == [2.0, -2.0, 2.0, -0.0]
    assert (torch.tensor([-7]) % 3).tolist() == [2]
    for operation in (torch.remainder, torch.fmod):
        with pytest.raises(RuntimeError, match="ZeroDivision"):
            operation(torch.tensor([1]), 0)
    x = torch.tensor([5.5], requires_grad=True)
    y = torch.tensor([2.0], requires_grad=True)
    (x % y).backward()
    assert (x.grad.item(), y.grad.item()) == (1.0, -2.0)  # type: ignore[union-attr]


def test_div_with_a_rounding_mode_has_a_zero_gradient() -> None:
    x = torch.tensor([5.5], requires_grad=True)
    for mode in ("floor", "trunc"):
        torch.div(x, 2, rounding_mode=mode).backward()
        assert x.grad.item() == 0.0  # type: ignore[union-attr]


def test_signs() -> None:
    nan = float("nan")
    assert torch.sign(torch.tensor([nan])).tolist() == [0.0]
    assert torch.signbit(torch.tensor([-0.0, 0.0, -1.0])).tolist() == [True, False, True]
    assert torch.copysign(torch.tensor([1.0]), -0.0).tolist() == [-1.0]
    assert torch.sgn(torch.tensor([3 + 4j, 0j])).tolist() == [
        0.6000000238418579 + 0.800000011920929j,
        0j,
    ]
    assert torch.heaviside(torch.tensor([-1.0, 0.0, 2.0, nan]), torch.tensor([0.5])).tolist() == [
        0.0,
        0.5,
        1.0,
        0.0,
    ]
    with pytest.raises(RuntimeError):
        torch.heaviside(torch.tensor([1.0]), torch.tensor([1]))


def test_nan_to_num() -> None:
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 1.0], requires_grad=True)
    found = torch.nan_to_num(x, nan=7.0, neginf=-1.0)
    assert found.tolist() == [7.0, torch.finfo(torch.float32).max, -1.0, 1.0]
    found.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0, 1.0]  # type: ignore[union-attr]
