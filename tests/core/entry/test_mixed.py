"""Operands of different dtypes: what they are computed in, as PyTorch; nodes; writes; refusals."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.entry.mixed import TYPES, own_types

KINDS = ("bool", "uint8", "int16", "int32", "int64", "float32", "float64", "complex64")
VALUES = {"dims": [[1, 0, 3], [2, 5, 1]], "row": [2, 1, 1], "single": 3}
OPERATORS = ("add", "sub", "mul", "truediv", "eq", "lt", "pow", "floordiv", "and_")


def outcome(call, *given):
    """A result's dtype and values, or the type of what was raised."""
    try:
        found = call(*given)
    except Exception as problem:
        return type(problem).__name__
    return str(found.dtype), np.array(found.tolist())


def agree(got, want, what):
    """One dtype and one result, or one exception."""
    if isinstance(want, str) or isinstance(got, str):
        assert got == want, what
        return
    assert got[0] == want[0] and got[1].shape == want[1].shape, what
    assert np.allclose(got[1], want[1], rtol=1e-5, equal_nan=True), what


def made(torch, kind, name):
    return torch.tensor(VALUES[name], dtype=getattr(torch, kind))


def operated(torch, name, left, right):
    return getattr(operator, name)(made(torch, *left), made(torch, *right))


@pytest.mark.parametrize("name", OPERATORS)
def test_tensors(name, oracle):
    for (one, two), (x, y) in itertools.product(
        itertools.product(KINDS, KINDS), [("dims", "row"), ("dims", "single"), ("single", "row")]
    ):
        got, want = (outcome(operated, t, name, (one, x), (two, y)) for t in (torch, oracle))
        agree(got, want, (one, two, x, y))


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("number", [2, 1.5])
def test_numbers(name, number, oracle):
    operate = getattr(operator, name)
    for kind, shape in itertools.product(KINDS, ("dims", "single")):
        got, want = (outcome(operate, made(t, kind, shape), number) for t in (torch, oracle))
        agree(got, want, (kind, shape))
        if (name, kind) == ("sub", "bool"):
            continue  # `1 - mask` is understood as ~mask
        got, want = (outcome(operate, number, made(t, kind, shape)) for t in (torch, oracle))
        agree(got, want, (kind, shape, "turned"))


@pytest.mark.parametrize("name", ["exp", "sqrt", "sigmoid", "sin", "neg", "abs", "square", "isnan"])
def test_one_operand(name, oracle):
    for kind in KINDS:
        got, want = (outcome(getattr(t, name), made(t, kind, "dims")) for t in (torch, oracle))
        agree(got, want, kind)


def written(torch, name, one, two):
    return getattr(made(torch, one, "dims"), name)(made(torch, two, "row"))


@pytest.mark.parametrize("name", ["add_", "mul_", "div_", "copy_"])
def test_writes(name, oracle):
    for one, two in itertools.product(KINDS, KINDS):
        if name == "copy_" and two == "complex64":
            continue  # warns that the imaginary part is dropped
        got, want = (outcome(written, t, name, one, two) for t in (torch, oracle))
        agree(got, want, (one, two))


def test_default_dtype_counts():
    x = torch.tensor([1, 2])
    assert (x * 0.5).dtype is torch.float32 and x.exp().dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert (x * 0.5).dtype is torch.float64 and x.exp().dtype is torch.float64
        assert (0.5 - x).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert (x * 0.5).dtype is torch.float32


def test_gradients():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    whole, wide = torch.tensor([3, 4]), torch.tensor([0.5, 2.0], dtype=torch.float64)
    (x * whole).sum().backward()
    assert x.grad.tolist() == [3, 4] and x.grad.dtype is torch.float32
    found = x * wide
    assert found.dtype is torch.float64
    (first,) = torch.autograd.grad((found * found).sum(), x, create_graph=True)
    assert first.dtype is torch.float32 and first.tolist() == [0.5, 16.0]
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.tolist() == [0.5, 8.0]


def test_saved_operand_written():
    x, whole = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3, 4])
    loss = (x * whole).sum()
    whole.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_number_that_does_not_fit(oracle):
    for number in (300, -1):
        got, want = ((t.tensor([1, 250], dtype=t.uint8) + number).tolist() for t in (torch, oracle))
        assert got == want


def test_rows_of_unknown_types_are_not_served():
    rows = own_types()
    index = 13 * TYPES + 13  # long double, which no tensor holds
    rows.fill(index)
    assert rows.words[3 * index] == 1
