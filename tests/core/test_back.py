"""Gradients on arrays: None where a rule needs Tensors, an array for every edge elsewhere."""

import numpy as np

import flambeau as torch
from flambeau.core.declare import OPERATIONS
from flambeau.core.node import FREED

ONE = np.ones((2,), np.float32)


def node_of(result):
    return result._edge


def test_only_wanted_gradients_are_made():
    a, b = torch.ones(2, requires_grad=True), torch.full((2,), 3.0)
    node = node_of(a * b)
    found, other = node.op.back(node, ONE)
    assert found.tolist() == [3, 3] and other is None
    node = node_of(b / a)
    found, other = node.op.back(node, ONE)
    assert found is None and other.tolist() == [-3, -3]


def test_what_needs_tensors_answers_none():
    a = torch.ones(2, requires_grad=True)
    node = node_of(a.exp())
    assert node.op.back(node, ONE.astype("f8")) is None  # of another dtype than what was saved
    assert node.op.back(node, ONE.astype("c8")) is None
    node.saved = FREED
    assert node.op.back(node, ONE) is None
    h = a.exp()
    node = node_of(h)
    h.detach().add_(1)
    assert node.op.back(node, ONE) is None


def test_operations_that_hand_their_gradient_on():
    assert OPERATIONS["add"].passes
    assert not OPERATIONS["sub"].passes and not OPERATIONS["exp"].passes


def test_shapes_and_parameters_reach_the_rule():
    a = torch.ones(3, 2, requires_grad=True)
    node = node_of(a.sum(0))
    (found,) = node.op.back(node, ONE)
    assert found.shape == (3, 2) and (found == 1).all()
