"""The usual backward: the same gradients as the sweep that listens, arrays that are nobody else's."""

import numpy as np
import pytest

import flambeau as torch


def leaves():
    values = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    return torch.tensor(values).requires_grad_(), torch.tensor(values[:1] + 2).requires_grad_()


def branching(a, b):
    h = a * b
    first, second = (h + a).relu().split([1, 1])
    return (first / b).sum() + (second.exp() * h[1:]).mean() + (h - b).abs().sum()


def test_gradients_are_those_of_grad():
    a, b = leaves()
    wanted = torch.autograd.grad(branching(a, b), (a, b))
    branching(a, b).backward()
    for leaf, grad in zip((a, b), wanted, strict=True):
        assert torch.allclose(leaf.grad, grad, rtol=1e-6)
    branching(a, b).backward()
    assert torch.allclose(a.grad, 2 * wanted[0], rtol=1e-6)


def test_a_leaf_that_gets_what_another_holds_has_its_own():
    a, b = leaves()
    c = a.detach().clone().requires_grad_()
    (a + c).sum().backward()
    a.grad.zero_()
    assert c.grad.eq(1).all()
    seed = torch.ones(2, 3)
    torch.autograd.backward((a + 0).view(2, 3), seed)
    a.grad.mul_(5)
    assert seed.eq(1).all()


def test_a_gradient_that_is_ours_alone_is_not_copied(monkeypatch):
    from flambeau.core import light

    monkeypatch.setattr(light, "copied", lambda *_: pytest.fail("copied"))
    a = torch.ones(2, 3, requires_grad=True)
    b = torch.ones(2, 3, requires_grad=True)
    (a * b).sum().backward()
    a.exp().sum().backward()


def test_hooks_on_the_way_see_and_change_gradients():
    a, b = leaves()
    h = a * b
    seen = []
    h.register_hook(lambda g: seen.append(g.clone()) or g * 2)
    h.sum().backward()
    assert seen[0].eq(1).all() and torch.allclose(a.grad, 2 * b.expand(2, 3))


def test_several_roots():
    a, b = leaves()
    x, y = (a * b).sum(), (a.exp()).sum()
    torch.autograd.backward([x, y])
    assert torch.allclose(a.grad, b + a.exp())


def test_a_second_backward_and_a_written_value_are_refused():
    a, b = leaves()
    loss = (a * b).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    h = a.exp()
    loss = h.sum()
    h.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()
