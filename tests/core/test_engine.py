"""Backward: order, memory, threads."""

import gc
import threading
import weakref

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.tensor import Tensor


def tensors_alive():
    # type(), not isinstance(): the latter asks every object for its __class__, and some answer with
    # a warning.
    return sum(issubclass(type(each), Tensor) for each in gc.get_objects())


def train(steps, w, x):
    for _ in range(steps):
        h = (x @ w).relu()
        h = h * 2 + h
        loss = (h * h).mean() + h[0].sum()
        w.grad = None
        loss.backward()
        with torch.no_grad():
            w.sub_(w.grad, alpha=1e-4)


def test_training_without_a_garbage_collector_has_flat_memory():
    w, x = torch.randn(8, 8, requires_grad=True), torch.randn(4, 8)
    train(3, w, x)  # what is made once, kernels among it, may leave cycles
    gc.collect()
    gc.disable()
    try:
        train(3, w, x)
        before = tensors_alive()
        train(20, w, x)
        assert tensors_alive() <= before
        assert gc.collect() < 50
    finally:
        gc.enable()


def test_activations_are_freed_during_backward():
    freed = []
    x = torch.randn(64, requires_grad=True)
    hidden = []
    h = x
    for _ in range(4):
        h = h.exp().mul(0.1)
        hidden.append(weakref.ref(h))
    kept = h._array
    holder = np.shares_memory(kept, kept)
    assert holder
    first = x.exp()
    saved = weakref.ref(first._array.base if first._array.base is not None else first._array)
    second = first.sin()
    second.register_hook(lambda g: freed.append(saved() is None))
    loss = second.sum()
    x.register_hook(lambda g: freed.append(saved() is None))
    del first, second
    loss.backward()
    assert freed == [False, True]


def test_a_graph_dies_with_its_output():
    x = torch.randn(3, requires_grad=True)
    y = x.exp()
    node = weakref.ref(y.grad_fn)
    z = (y * y)[0].view(1)
    gc.disable()
    try:
        del y, z
        assert node() is None
    finally:
        gc.enable()


def test_two_threads_share_parameters():
    w = torch.randn(16, 16, requires_grad=True)
    x = torch.randn(8, 16)
    alone = torch.autograd.grad((x @ w).tanh().sum(), w)[0]
    results, errors = [], []

    def work():
        try:
            for _ in range(30):
                y = (x @ w).tanh().sum()
                results.append(torch.autograd.grad(y, w)[0])
                y = (x @ w).tanh().sum()
                y.backward()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(torch.equal(r, alone) for r in results)


def test_a_failed_backward_leaves_the_mode_as_it_was():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert torch.is_grad_enabled()


def test_a_long_chain_needs_no_recursion():
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(20000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y


def test_a_hook_on_one_leaf_costs_other_graphs_nothing(monkeypatch):
    from flambeau.core import engine

    long_way = []
    sweep = engine._sweep
    monkeypatch.setattr(engine, "_sweep", lambda *a: (long_way.append(1), sweep(*a)))
    a, b = (torch.ones(2, requires_grad=True) for _ in range(2))
    seen = []
    handle = a.register_hook(lambda g: seen.append(g.tolist()))
    after = a.register_post_accumulate_grad_hook(lambda p: seen.append("after"))
    (b * 2).sum().backward()
    assert not long_way
    (a * b).sum().backward()
    assert long_way == [1] and seen == [[1.0, 1.0], "after"]
    handle.remove(), after.remove()
    (a * b).sum().backward()
    torch.autograd.backward([(a * b).sum(), b.sum()])
    assert long_way == [1] and len(seen) == 2
