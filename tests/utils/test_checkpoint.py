"""Activation checkpointing: the same gradients, less kept, the same random numbers."""

import pytest

import flambeau as torch
from flambeau.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_early_stop,
)


def block(x):
    return torch.nn.functional.dropout(x.sin() * x, 0.5).exp()


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_same_gradients_and_generator(use_reentrant):
    x = torch.arange(6.0, requires_grad=True)
    torch.manual_seed(0)
    block(x).sum().backward()
    expected, x.grad = x.grad, None
    after = torch.rand(1)
    torch.manual_seed(0)
    checkpoint(block, x, use_reentrant=use_reentrant).sum().backward()
    assert torch.equal(x.grad, expected)
    assert torch.equal(torch.rand(1), after)


def test_nothing_is_kept():
    kept = []
    x = torch.ones(3, requires_grad=True)

    def run(a):
        h = a.exp()
        kept.append(h)
        return h.sin().sum()

    y = checkpoint(run, x, use_reentrant=False)
    first = kept.pop()
    y.backward()
    assert len(kept) == 1
    assert kept[0] is not first


def test_early_stop():
    calls = []

    def run(a):
        b = a.exp()
        calls.append("late")
        return b * 1

    x = torch.ones(2, requires_grad=True)
    checkpoint(run, x, use_reentrant=False).sum().backward()
    assert calls == ["late"]
    with set_checkpoint_early_stop(False):
        y = checkpoint(run, x, use_reentrant=False)
    y.sum().backward()
    assert len(calls) == 3


def test_a_block_that_differs_is_an_error():
    sizes = iter((2, 3))
    x = torch.ones(3, requires_grad=True)
    y = checkpoint(lambda a: a[: next(sizes)].exp().sum(), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.backward()


def test_reentrant_refuses_grad_and_keywords():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="incompatible with .grad"):
        torch.autograd.grad(checkpoint(torch.exp, x, use_reentrant=True).sum(), x)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint(torch.exp, x, use_reentrant=True, foo=1)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(torch.exp, x)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_sequential(use_reentrant):
    net = torch.nn.Sequential(*[torch.nn.Linear(3, 3) for _ in range(5)])
    x = torch.ones(2, 3, requires_grad=True)
    net(x).sum().backward()
    expected = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    checkpoint_sequential(net, 2, x, use_reentrant=use_reentrant).sum().backward()
    assert all(torch.allclose(p.grad, e) for p, e in zip(net.parameters(), expected, strict=True))


@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("enabled", [True, False])
def test_a_block_runs_again_under_the_autocast_of_its_forward(use_reentrant, dtype, enabled):
    seen = []

    def block(x, y, z):
        found = torch.mm(torch.mm(x, y), z).relu() @ z
        seen.append(found.dtype)
        return found

    inputs = [torch.randn(3, 3, requires_grad=True) for _ in range(3)]
    with torch.autocast("cpu", getattr(torch, dtype), enabled=enabled):
        out = checkpoint(block, *inputs, use_reentrant=use_reentrant, early_stop=False)
        block(*[x.detach() for x in inputs])
    assert not torch.is_autocast_enabled("cpu")
    out.sum().backward()
    assert seen == [getattr(torch, dtype) if enabled else torch.float32] * 3
    assert not torch.is_autocast_enabled("cpu")
