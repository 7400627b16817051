"""Scans and maps against loops, and against PyTorch where it runs them without compiling."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch
from flambeau._higher_order_ops import associative_scan, map, scan
from flambeau._higher_order_ops.associative_scan import associative_scan as of_module


def recurrence(a, b):
    """Two steps of ``h = decay * h + input`` as one."""
    return a[0] * b[0], a[1] * b[0] + b[1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
def test_an_associative_scan_is_a_loop(size, reverse):
    torch.manual_seed(0)
    decay, given = torch.rand(2, size, 3, requires_grad=True), torch.randn(2, size, 3)
    found = associative_scan(
        recurrence, (decay, given), 1, reverse=reverse, combine_mode="generic"
    )[1]
    state, states = torch.zeros(2, 3), [None] * size
    for k in range(size)[:: -1 if reverse else 1]:
        state = states[k] = decay[:, k] * state + given[:, k]
    wanted = torch.stack(states, 1)
    assert torch.allclose(found, wanted, atol=1e-6)
    if size > 1:
        (ours,) = torch.autograd.grad(found.square().sum(), decay)
        (looped,) = torch.autograd.grad(wanted.square().sum(), decay)
        assert torch.allclose(ours, looped, atol=1e-5)
    assert of_module is associative_scan


def test_an_associative_scan_refuses_what_is_for_other_devices():
    with pytest.raises(ValueError, match="generic"):
        associative_scan(torch.add, torch.ones(3), 0)
    with pytest.raises(ValueError, match="one size"):
        associative_scan(recurrence, (torch.ones(3), torch.ones(2)), 0, combine_mode="generic")


def test_scan_and_map():
    rows = torch.arange(6.0).reshape(3, 2)
    carry, outs = scan(lambda c, x: (c + x, {"before": c}), torch.zeros(2), rows)
    assert carry.tolist() == [6.0, 9.0]
    assert outs["before"].tolist() == [[0.0, 0.0], [0.0, 1.0], [2.0, 4.0]]
    _, outs = scan(lambda c, x: (c + x, c), torch.zeros(2), rows, reverse=True)
    assert outs.tolist() == [[6.0, 8.0], [4.0, 5.0], [0.0, 0.0]]
    assert map(lambda x, k: x * k, rows, 2).equal(rows * 2)


@pytest.mark.parametrize("turns", [3, 0])
def test_every_turn_of_a_loop_is_stacked(oracle: Any, turns: int) -> None:
    def run(of: Any) -> Any:
        given = (of.tensor(turns), of.arange(3.0, requires_grad=True)), (of.tensor(2.0),)
        made = of._higher_order_ops.while_loop_stack_output(
            lambda n, x, y: n > 0, lambda n, x, y: (n - 1, x.cos() * y), *given
        )
        assert isinstance(made, tuple)
        return [each.tolist() for each in made]

    found, expected = run(torch), run(oracle)
    assert found[0] == expected[0]
    assert found[1] == [pytest.approx(row, abs=1e-6) for row in expected[1]]
