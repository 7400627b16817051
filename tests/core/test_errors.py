"""Errors name the operation, what was expected, what was given, and the mend."""

from __future__ import annotations

import pytest

import flambeau as torch

ones = torch.ones


@pytest.mark.parametrize(
    ("mistake", "kind", "words"),
    [
        (lambda: torch.cat([ones(2), ones(3)], dim=1), IndexError, ["cat (", "[-1, 0]", "got 1"]),
        (lambda: ones(2, 3).transpose(0, 2), IndexError, ["transpose (", "[-2, 1]"]),
        (lambda: torch.nn.Flatten(1, 5)(ones(2, 3)), IndexError, ["flatten (Flatten", "got 5"]),
        (lambda: torch.zeros(2, foo=1), TypeError, ["zeros (", "'foo'", "requires_grad"]),
        (lambda: torch.arange(3, foo=1), TypeError, ["arange (", "'foo'"]),
        (lambda: torch.tensor(None), RuntimeError, ["tensor (", "NoneType", "numbers"]),
        (lambda: float(ones(2)), ValueError, ["float (", "[2]", ".tolist()"]),
        (lambda: torch.nn.functional.mse_loss(ones(2).long(), ones(2).long()), NotImplementedError, ["mse_loss", "Long", ".float()"]),
        (lambda: torch.nn.functional.kl_div(ones(2).long(), ones(2), reduction="sum"), RuntimeError, ["kl_div", "int64", ".float()"]),
        (lambda: torch.unravel_index(ones(2), (2, 2)), TypeError, ["unravel_index", "float32", ".long()"]),
        (lambda: torch.miopen_rnn, AttributeError, ["torch.miopen_rnn"]),
    ],
)  # fmt: skip
def test_mistake_is_named(mistake, kind, words):
    with pytest.raises(kind) as caught:
        mistake()
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_inference_tensor_is_not_saved():
    with torch.inference_mode():
        frozen = ones(2) * 2
    weight = ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward.*clone"):
        (weight * frozen).sum().backward()
    (weight * frozen.clone()).sum().backward()
    assert weight.grad.tolist() == [2, 2]


def test_constants_and_shapes():
    assert (torch.newaxis, torch.inf > 1e308, round(torch.pi + torch.e, 3)) == (None, True, 5.86)
    assert torch.broadcast_shapes((2, 1), 3, (1, 3)) == torch.Size([2, 3])
    rows, columns = torch.unravel_index(torch.tensor([1, 5]), (2, 3))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 2])


@pytest.mark.parametrize(
    "make",
    [
        lambda of: of.empty(1 << 60),
        lambda of: of.zeros(4, 1 << 60),
        lambda of: of.full((1 << 60,), 2.0),
        lambda of: of.rand(1 << 60),
        lambda of: of.ones(1).expand(1 << 50) + 1,
        lambda of: of.ones(1).expand(1 << 50).exp(),
        lambda of: of.ones(1).expand(1 << 50).clone(),
        lambda of: of.ones(1).repeat(1 << 50),
    ],
)
def test_what_has_no_place_in_memory(oracle, make):
    for of in (oracle, torch):
        with pytest.raises(RuntimeError, match="can't allocate memory|overflowed"):
            make(of)
    with pytest.raises(MemoryError):
        make(torch)
