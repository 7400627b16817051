"""Hooks: what they get, and what they may return. Order and values are compared with PyTorch in
parity/test_autograd.
"""

import numpy as np
import pytest

import flambeau as torch


def test_a_hook_on_a_scalar_gets_an_array():
    seen = []
    x = torch.tensor(2.0, requires_grad=True)
    y = x.exp()
    y.register_hook(lambda g: seen.append(type(g._array)))
    (y * 3).backward()
    assert seen == [np.ndarray]


def test_a_hook_that_returns_another_shape_is_named():
    def shrink(grad):
        return grad[:1]

    y = torch.ones(2, requires_grad=True) * 2
    y.register_hook(shrink)
    with pytest.raises(RuntimeError, match="hook 'shrink' has changed the size of value"):
        y.sum().backward()


def test_an_unpack_hook_is_asked_once():
    asked = []
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: asked.append(1) or t):
        y = torch.atan2(x, x * 2)
    y.sum().backward()
    assert len(asked) == 2


def test_a_node_hook_returns_a_tuple(oracle):
    for t in (oracle, torch):
        y = t.ones(2, requires_grad=True) * 2
        y.grad_fn.register_hook(lambda inputs, outputs: inputs[0])
        with pytest.raises(TypeError, match="expected tuple"):
            y.sum().backward()


def test_grad_wants_inputs(oracle):
    for t in (oracle, torch):
        with pytest.raises(RuntimeError, match="cannot be empty"):
            t.autograd.grad(t.ones(2, requires_grad=True).sum(), [])


def test_what_saved_tensor_hooks_keep_may_be_written(oracle):
    for t in (oracle, torch):
        with t.autograd.graph.allow_mutation_on_saved_tensors():
            x = t.tensor([1.0, 2.0], requires_grad=True)
            y = x.clone()
            z = y * y
            y.zero_()
            z.sum().backward()
        assert x.grad.tolist() == [2, 4]


def test_saved_tensor_hooks_keep_their_contract(oracle):
    for t in (oracle, torch):
        hooks = t.autograd.graph.saved_tensors_hooks
        x = t.ones(2, requires_grad=True)
        with hooks(lambda kept: kept, lambda kept: 1):
            y = x * x
        with pytest.raises(TypeError, match="expected to be a Tensor"):
            y.sum().backward()
        with hooks(lambda kept: kept.detach().add_(1), lambda kept: kept):
            with pytest.raises(RuntimeError, match="modifying its input in place"):
                (x * 2).exp()


def test_a_node_shows_what_it_saved(oracle):
    for t in (oracle, torch):
        x = t.ones(2, requires_grad=True)
        node = (x * x).grad_fn
        assert node._saved_self.tolist() == [1, 1]
        assert node._saved_self.is_leaf
        result = x.exp()
        assert result.grad_fn._saved_result.grad_fn is result.grad_fn
        with pytest.raises(AttributeError):
            result.grad_fn._saved_nothing
        assert not hasattr(result.grad_fn, "nothing")


def test_a_pack_hook_runs_without_recording():
    """So it may call `numpy()` on a parameter, as an off-loading hook does."""

    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = torch.full((2,), 3.0, requires_grad=True)
    seen = []

    def pack(t):
        seen.append(torch.is_grad_enabled())
        return t.numpy()

    with torch.autograd.graph.saved_tensors_hooks(pack, torch.from_numpy):
        total = (x * x + Doubled.apply(x)).sum() + torch.stack([x, x]).prod()
    assert seen and not any(seen) and torch.is_grad_enabled()
    total.backward()
    assert x.grad.tolist() == [66.0, 66.0]
