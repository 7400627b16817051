"""Rules: what they save, how complex gradients are conjugated, that a recorded backward gives the
same numbers.
"""

import pytest

import flambeau as torch
from flambeau.core.declare import OPERATIONS


def test_a_rule_saves_what_it_names():
    x, w = torch.ones(2, requires_grad=True), torch.ones(2)
    node = (x * w).grad_fn
    assert [value is not None for value in node.saved] == [False, True, False]
    node = x.exp().grad_fn
    assert [value is not None for value in node.saved] == [False, True]
    assert (x + w).grad_fn.saved.count(None) == 3


def test_only_wanted_rules_save():
    assert OPERATIONS["mul"].plan(1)[0] == (1,)
    assert OPERATIONS["mul"].plan(2)[0] == (0,)
    assert OPERATIONS["mul"].plan(3)[0] == (0, 1)


@pytest.mark.parametrize(
    "function",
    [
        torch.sin,
        torch.sqrt,
        torch.sigmoid,
        lambda x: x**3,
        lambda x: x / (x + 2),
        lambda x: torch.logsumexp(x, 0),
        lambda x: x.cumsum(0),
    ],
)
def test_bare_and_recorded_backward_agree(function):
    x = torch.tensor([0.5, 1.5, 2.5], requires_grad=True)
    bare = torch.autograd.grad(function(x).sum(), x)[0]
    recorded = torch.autograd.grad(function(x).sum(), x, create_graph=True)[0]
    assert torch.allclose(bare, recorded)


def test_the_gradient_of_a_holomorphic_function_is_conjugated():
    z = torch.tensor([1 + 2j], requires_grad=True)
    (g,) = torch.autograd.grad((z * z).real.sum(), z)
    assert g.item() == pytest.approx(2 - 4j)
