"""Writes of zeros, numbers and other tensors, masks, results into `out=`, and views by native
functions, against PyTorch; twice each, for the first call chooses the form.
"""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

import flambeau

SETUP = """
F = t.nn.functional
a = t.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=True)
b = t.ones(2, 2) * 2
m = t.tensor([[False, True], [True, True]])
z = t.tensor(3.0)
q = t.arange(16.0).reshape(4, 4).requires_grad_()
"""
LINES = (
    "b.zero_()", "(a * b).zero_()", "(a * b).fill_(2.0)", "b.fill_(z)", "b.fill_(1)",
    "(a * b).copy_(b)", "(a * b).copy_(a)", "b.copy_(a)", "b.copy_(b.double() * 1.5)",
    "(a * b).copy_(a.double())", "b.copy_(t.ones(2))", "b[0].copy_(b[1])",
    "a.masked_fill(m, 0.0)", "a.masked_fill(m, float('inf')).clamp(max=9)", "b.masked_fill_(m, 5)",
    "(a * b).masked_fill_(m, 1.0)", "b.long().masked_fill(m, 3)", "t.add(b, b, out=t.zeros(2, 2))",
    "t.exp(b, out=t.zeros(2, 2))", "t.add(b, b, out=t.zeros(2, 2).double())", "a.float()",
    "a.double()", "a.long()", "a.half()", "a.bfloat16()", "a.bool()", "a.to(t.float64)", "a.cpu()",
    "t.ones_like(b.t())", "t.full_like(a, 2.5)", "b.long().fill_(3)", "b.half().zero_()",
    "b.t().zero_()", "q.view(2, -1)", "q.flatten()", "q.unflatten(1, (2, 2))", "q.split(3)[1]",
    "q.split([1, 3], 1)[1]", "q.unbind(1)[2]", "q.chunk(3)[1]", "q.diagonal(1)", "q.diagonal(-2)",
    "q.unfold(1, 3, 1)", "q.movedim(0, -1)", "q[None].squeeze()", "q[None].squeeze(0)",
    "q[None].expand(-1, 4, -1)", "q.view_as(t.zeros(2, 8))", "q.expand(3, -1, -1)",
    "q[0].expand_as(q)", "q.t().reshape(2, 8)", "q.reshape(4, 4, 1)[1:]", "q.ravel()",
)  # fmt: skip
REFUSED = (
    "a.zero_()", "a.fill_(1.0)", "a.copy_(b)", "a[0].zero_()", "b.fill_(b)", "b.copy_(t.ones(3))",
    "t.add(a, b, out=t.zeros(2, 2))", "a.masked_fill_(m, 1.0)", "b.masked_fill(b, 1.0)",
    "b.masked_fill(m, b)", "t.exp(b, out=a)", "q.view(3, 5)", "q.view(-1, -1)", "q.split(1)[0].zero_()",
    "q.unfold(0, 5, 1)", "q.expand(3, 4)", "q.t().view(16)", "q.diagonal(0, 1, 1)",
)  # fmt: skip


def outcome(t, code):
    names = {"t": t}
    exec(SETUP, names)
    found = eval(code, names)
    text = [type(found.grad_fn).__name__, str(found.dtype)[-7:], found.stride(), found._version,
            found._base is None]  # fmt: skip
    values = [found.detach().double().numpy()]
    if found.requires_grad:
        found.double().pow(2).sum().backward()
        leaf = names["q" if "q" in code else "a"]
        values.append(leaf.grad.numpy())
    return text, values


@pytest.mark.parametrize("code", LINES)
def test_as_in_pytorch(oracle, code):
    for _ in range(2):
        got, want = outcome(flambeau, code), outcome(oracle, code)
        assert got[0] == want[0]
        for mine, theirs in zip(got[1], want[1], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=2e-6)


@pytest.mark.parametrize("code", REFUSED)
def test_refused_as_in_pytorch(oracle, code):
    for t in (oracle, flambeau):
        names = {"t": t}
        exec(SETUP, names)
        with pytest.raises((RuntimeError, IndexError, TypeError)):
            eval(code, names)


def test_nothing_is_lost_or_freed_too_often():
    q = flambeau.arange(16.0).reshape(4, 4).requires_grad_()
    b, m = flambeau.ones(4, 4), flambeau.ones(4, 4).bool()

    def work():
        parts = q.split(2)[1], q.unbind()[0], b.chunk(2, 1)[0]
        (q.view(2, 8).unflatten(1, (2, 4)).sum() + parts[0].sum()).backward()
        b.zero_().fill_(2.0).copy_(b).masked_fill_(m, 1.0)
        (q * b).masked_fill_(m, 0.5).mul_(b).sum().backward()
        q.grad = None

    work()
    things = [q, b, m, q._array, b._array, b._storage, np.dtype("f4"), (4, 4)]
    gc.collect()
    before, alive = [sys.getrefcount(x) for x in things], len(gc.get_objects())
    for _ in range(200):
        work()
    gc.collect()
    after = [sys.getrefcount(x) for x in things]
    assert all(abs(x - y) < 60 for x, y in zip(before, after, strict=True))
    assert abs(len(gc.get_objects()) - alive) < 60
