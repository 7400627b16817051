"""Which views may be written, and what a leaf that was told to stop collects: as PyTorch has it."""

from __future__ import annotations

import pytest

import flambeau


def parts(t, leaf=False):
    a = t.ones(4, 3, requires_grad=True)
    a = a if leaf else a * 1
    return a, a.split(2, 0)[1]


def written_by_index(t):
    _, v = parts(t)
    v[0] = 3.0


def written_through_a_selection(t):
    _, v = parts(t)
    v.select(0, 0).fill_(3.0)


def written_through_a_turned_view(t):
    _, v = parts(t)
    v.t().mul_(2)


def base_written_then_view_of_view_read(t):
    a, v = parts(t)
    w = v.t()
    a.mul_(2)
    return w.sum()


def base_written_without_gradients(t):
    a, v = parts(t, leaf=True)
    with t.no_grad():
        a.mul_(2)
    return v.sum()


def view_written_through_a_detached_one(t):
    a, v = parts(t, leaf=True)
    a.detach().mul_(2)
    return v.sum()


def parts_without_history_are_free(t):
    v = t.ones(4, 3).unbind(0)[0]
    v[0] = 1.0
    return v.mul_(2)


def a_gradient_comes_into_a_part(t):
    v = t.ones(4, 3).unbind(0)[0]
    v[0] = t.ones((), requires_grad=True)


def a_leaf_told_to_stop(t):
    a = t.ones(2, requires_grad=True)
    b = a.exp().sum()
    a.requires_grad_(False)
    b.backward()
    return a.grad


def a_leaf_told_to_stop_and_to_go_on(t):
    a = t.ones(2, requires_grad=True)
    b = a.exp().sum()
    a.requires_grad_(False).requires_grad_(True)
    b.backward()
    return a.grad


def a_leaf_detached(t):
    a = t.ones(2, requires_grad=True)
    b = a.exp().sum()
    a.detach_()
    b.backward()
    return a.grad


def a_view_detached(t):
    return t.ones(2, 3).view(-1).detach_()


def a_view_made_without_gradients(t):
    a = t.ones(2, 3, requires_grad=True)
    with t.no_grad():
        v = a.view(-1)
    y = (v * 2).sum()
    y.backward()
    return v.requires_grad, v.is_leaf, y.requires_grad, v.grad is None, a.grad is None


def such_a_view_told_to_collect(t):
    a = t.ones(2, 3, requires_grad=True)
    with t.no_grad():
        v = a.view(-1)
    v.requires_grad_()
    (v * 2).sum().backward()
    return v.grad, a.grad is None


def such_a_view_after_a_write(t):
    a = t.ones(2, 3, requires_grad=True)
    with t.no_grad():
        v = a.view(-1)
        a.mul_(2)
    return v.sum()


def integers_seen_without_gradients(t):
    a = t.ones(2, requires_grad=True)
    with t.no_grad():
        v = a.view(t.int32)
    return v.requires_grad, (v + 1).requires_grad


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and "t" in
         f.__code__.co_varnames[:1] and f is not parts]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda f: f.__name__)
def test_as_pytorch(case, oracle):
    found = []
    for t in (flambeau, oracle):
        try:
            found.append(str(case(t)))
        except RuntimeError:
            found.append("RuntimeError")
    assert found[0] == found[1]
