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
