"""Reductions over runs: by lengths and by offsets, empty runs, starts, gradients."""

import pytest

import flambeau as torch


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("initial", [None, 2.0])
def test_segments_equal_pytorch(oracle, reduce, initial):
    outcomes = []
    for engine in (torch, oracle):
        x = (engine.arange(12.0).reshape(6, 2) + 1).requires_grad_()
        by_length = engine.segment_reduce(
            x, reduce, lengths=engine.tensor([2, 0, 3, 1]), initial=initial
        )
        by_offset = engine.segment_reduce(x, reduce, offsets=engine.tensor([0, 2, 3, 6]))
        by_offset.sum().backward()
        outcomes.append([by_length.tolist(), by_offset.tolist(), x.grad.tolist()])
    for mine, theirs in zip(*outcomes, strict=True):
        assert torch.allclose(torch.tensor(mine), torch.tensor(theirs), equal_nan=True)


@pytest.mark.parametrize("reduce", ["max", "min", "prod"])
@pytest.mark.parametrize("initial", [None, 3.0])
def test_gradients_of_runs_with_nan_zeros_and_ties_equal_pytorchs(oracle, reduce, initial):
    nan, found = float("nan"), []
    values = [[1.0, 3.0], [nan, 2.0], [4.0, nan], [0.0, 5.0], [2.0, 5.0], [2.0, 0.0], [0.0, 0.0]]
    for engine in (torch, oracle):
        x = engine.tensor(values, requires_grad=True)
        out = engine.segment_reduce(x, reduce, lengths=engine.tensor([3, 0, 4]), initial=initial)
        (out * engine.tensor([[1.0, 2.0], [1.0, 1.0], [3.0, 4.0]])).sum().backward()
        found.append([out.tolist(), x.grad.tolist()])
    for mine, theirs in zip(*found, strict=True):
        assert torch.allclose(torch.tensor(mine), torch.tensor(theirs), equal_nan=True)
