"""Bits, shifts, divisors and truth values."""

from __future__ import annotations

import pytest

import flambeau as torch


def test_bits_and_operators() -> None:
    x = torch.tensor([6, -3])
    assert (x & 3).tolist() == [2, 1]
    assert (1 | x).tolist() == [7, -3]
    assert (x ^ x).tolist() == [0, 0]
    assert (~x).tolist() == [-7, 2]
    assert (~torch.tensor([True])).tolist() == [False]
    assert (1 << torch.tensor([3])).tolist() == [8]
    assert (x >> 1).tolist() == [3, -2]
    assert torch.bitwise_left_shift(torch.tensor([1, 1]), torch.tensor([64, -1])).tolist() == [0, 0]
    x &= 2
    assert x.tolist() == [2, 0]
    with pytest.raises(NotImplementedError):
        x & 1.5


def test_divisors() -> None:
    assert torch.gcd(torch.tensor([12, 0]), torch.tensor([-18, 0])).tolist() == [6, 0]
    assert torch.lcm(torch.tensor([4, 0]), torch.tensor([-6, 5])).tolist() == [12, 0]
    with pytest.raises(TypeError):
        torch.gcd(torch.tensor([4]), 2)


def test_truth_values() -> None:
    a, b = torch.tensor([0.0, 2.0, float("nan")]), torch.tensor([1, 0, 1])
    assert torch.logical_and(a, b).tolist() == [False, False, True]
    assert torch.logical_or(a, b).tolist() == [True, True, True]
    assert torch.logical_xor(a, b).tolist() == [True, True, False]
    assert torch.logical_not(a).tolist() == [True, False, False]
    a.logical_not_()
    assert a.tolist() == [1.0, 0.0, 0.0]


def test_the_operator_refuses_as_pytorchs(oracle):
    for engine in (torch, oracle):
        with pytest.raises(TypeError, match="only implemented on integer and Boolean-type"):
            ~engine.ones(2)
        with pytest.raises(NotImplementedError):
            engine.bitwise_not(engine.ones(2))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "uint8", "bool", "complex64"])
def test_logical_answers_written_are_numbers_of_the_tensor(dtype: str) -> None:
    kind = getattr(torch, dtype)
    x = torch.tensor([0.0, 1.0, 2.0, 0.0]).to(kind)
    y = torch.tensor([0.0, 0.0, 3.0, 1.0]).to(kind)
    for name in ("logical_and", "logical_or", "logical_xor"):
        wanted = getattr(torch, name)(x, y).to(kind)
        assert torch.equal(getattr(x.clone(), name + "_")(y), wanted)
    assert torch.equal(x.clone().logical_not_(), x.logical_not().to(kind))
