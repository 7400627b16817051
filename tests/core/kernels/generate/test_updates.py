"""Updates made into loops: the digits of NumPy's calls, step by step, whatever the options."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.generate import updates
from flambeau.core.kernels.jit import build
from flambeau.optim import flat

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

OPTIMIZERS = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}), ("Adam", {"amsgrad": True, "weight_decay": 0.1}), ("AdamW", {"lr": 0.1}),
    ("Adam", {"betas": (0.3, 0.9)}), ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("RMSprop", {}), ("NAdam", {}), ("RAdam", {}), ("Adagrad", {}), ("Adadelta", {}),
    ("Adamax", {}), ("SGD", {"momentum": 0.5, "dampening": 0.0}),
]  # fmt: skip


def trained(name, options, dtype, size, steps=4):
    rng = np.random.default_rng(0)
    params = [
        torch.tensor(rng.standard_normal(n), dtype=dtype, requires_grad=True) for n in (size, 7)
    ]
    optimizer = getattr(torch.optim, name)(params, **options)
    for _ in range(steps):
        for p in params:
            p.grad = torch.tensor(rng.standard_normal(p.numel()), dtype=dtype)
        kept = [p.grad.clone() for p in params]
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * 0.9  # rates are arguments, not constants
        assert all(torch.equal(p.grad, old) for p, old in zip(params, kept, strict=True))
    state = [optimizer.state[p] for p in params]
    values = [each for s in state for each in s.values() if isinstance(each, torch.Tensor)]
    return [x.detach().numpy().copy() for x in (*params, *values)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [5, 40001])
@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_every_digit_is_numpys(monkeypatch, name, options, dtype, size):
    done = []

    def counting(update):
        def counted(*given):
            done.append(update(*given))
            return done[-1]

        return counted

    for way in ("update", "update_each"):
        monkeypatch.setattr(flat, way, counting(getattr(updates, way)))
    got = trained(name, options, dtype, size)
    assert done and all(done)
    for way in ("update", "update_each"):
        monkeypatch.setattr(flat, way, lambda *given: False)
    for a, b in zip(got, trained(name, options, dtype, size), strict=True):
        assert np.array_equal(a, b)


def arrays(count, dtype="f4"):
    return [np.arange(1, 101, dtype=dtype) / (k + 1) for k in range(count)]


def test_another_answer_makes_another_loop():
    def function(rates, p, g, s):
        (rate,) = rates
        np.multiply(g, 1 - 2 * rate if rate < 0.5 else -rate, out=s)
        np.add(p, s, out=p)

    for rate in (0.25, 0.75, 0.3, 0.8):
        p, g = arrays(2)
        want = p + g * np.float32(1 - 2 * rate if rate < 0.5 else -rate)
        assert updates.update(function, (rate,), p, g, [], 1)
        assert np.array_equal(p, want)
    (known,) = [v for k, v in updates._loops.items() if k[0] is function]
    assert len(known) == 2


def test_rates_may_be_compared_with_one_another():
    def function(rates, p, g, s):
        first, second = rates
        np.multiply(p, second if first < second else first, out=p)

    for rates in ((0.5, 0.75), (0.25, 0.125), (1.5, 2.5), (3.0, 1.0)):
        p, g = arrays(2)
        want = p * np.float32(max(rates))
        assert updates.update(function, rates, p, g, [], 1) and np.array_equal(p, want)
    (known,) = [v for k, v in updates._loops.items() if k[0] is function]
    assert len(known) == 2


def test_what_is_no_number_is_part_of_the_loop():
    def function(rates, p, g, s):
        if rates[0] is not None:
            np.subtract(p, g, out=p)
        if rates[1]:
            np.copyto(p, g)

    for rates in ((None, False), (1.0, False), (None, True)):
        p, g = arrays(2)
        want = g if rates[1] else p - g if rates[0] else p.copy()
        assert updates.update(function, rates, p, g, [], 1) and np.array_equal(p, want)


def hidden(rates, p, g, s):
    np.multiply(p, math.sqrt(rates[0]), out=p)


def masked(rates, p, g, s):
    np.multiply(p, 2, out=p, where=g > 1)


def other(rates, p, g, s):
    np.sinh(p, out=p)


@pytest.mark.parametrize("function", [hidden, masked, other])
def test_what_cannot_be_followed_is_left_alone(function):
    p, g = arrays(2)
    before = p.copy()
    assert not updates.update(function, (0.5,), p, g, [], 1)
    assert np.array_equal(p, before)


def test_other_arrays_and_rates_are_left_alone():
    p, g = arrays(2)
    assert not updates.update(other, (np.float32(1),), p, g, [], 1)
    assert not updates.update(other, (1.0,), p.astype("i8"), g, [], 1)
    assert not updates.update(other, [1.0], p, g, [], 1)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_16_bit_floats_are_rounded_at_the_end(half):
    def moved(rates, p, g, m, s):
        np.multiply(m, rates[0], out=m)
        np.add(m, g, out=m)
        np.multiply(m, rates[1], out=s)
        np.subtract(p, s, out=p)

    kind = torch.zeros(1, dtype=getattr(torch, half))._array.dtype
    rng = np.random.default_rng(0)
    p, g, m = (rng.standard_normal(1003).astype(kind) for _ in range(3))
    want = [a.astype("f4") for a in (p, g, m)]
    assert updates.update(moved, (0.9, 0.013), p, g, [m], 1)
    moved((np.float32(0.9), np.float32(0.013)), *want, np.empty(1003, "f4"))
    for got, other in zip((p, g, m), want, strict=True):
        np.testing.assert_array_equal(got.astype("f4"), other.astype(kind).astype("f4"))
