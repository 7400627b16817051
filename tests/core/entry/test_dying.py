"""Results written over operands that die, and over nothing else."""

from __future__ import annotations

import _thread
import functools
import itertools
import operator
import sys
import time
import weakref

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.entry import dying
from flambeau.core.kernels.jit import build

COUNT = dying.LARGE + 5
pytestmark = pytest.mark.skipif(
    not build.available() or sys.version_info >= (3, 14), reason="every operand is kept here"
)


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Whether operands of one reference were found on the stack."""
    a = made(1)
    2.0 - ((a * a) + 1.0) * (a - a) / 3.0  # first calls go through one frame more
    assert dying._usual["tensor"] > 0
    found = []
    ask = dying._operands

    def look(*given):
        found.append(ask(*given))
        return found[-1]

    monkeypatch.setattr(dying, "_operands", look)
    return found


def made(seed):
    return torch.arange(COUNT, dtype=torch.float32).remainder_(1000 + seed)


def test_what_dies_holds_the_result(asked):
    for dtype in (torch.float32, torch.float64):
        a, b = made(1).to(dtype), made(2).to(dtype)
        x, y = a.numpy().copy(), b.numpy().copy()
        asked.clear()
        got = 2.0 - ((a * b) + 1.0) * (a - b) / 3.0
        assert asked == [True] * 4
        np.testing.assert_allclose(got.numpy(), 2 - (x * y + 1) * (x - y) / 3, 1e-6)
        assert (a.numpy() == x).all() and (b.numpy() == y).all()


KEPT = {
    "variable": lambda t: (t, lambda: t * 2.0),
    "item": lambda t: (x := [t], lambda: x[0] * 2.0)[0:2],
    "tuple": lambda t: (x := (t, 2.0), lambda: operator.mul(*x))[0:2],
    "function": lambda t: (x := (t, 2.0), lambda: torch.mul(*x))[0:2],
    "partial": lambda t: (None, functools.partial(operator.mul, t)),
    "method": lambda t: (None, t.__mul__),
    "starmap": lambda t: (x := [(t, 2.0)], lambda: next(itertools.starmap(operator.mul, x)))[0:2],
    "map": lambda t: (x := [t], lambda: next(map(operator.mul, x, [2.0])))[0:2],
    "objects": lambda t: (x := objects(t), lambda: (x * 2.0)[0])[0:2],
}


def objects(t):
    found = np.empty(1, object)
    found[0] = t
    return found


@pytest.mark.parametrize("name", KEPT)
def test_what_somebody_holds_is_kept(name):
    holder, call = KEPT[name](made(3) + 0.0)
    again = (call, call) if name not in ("partial", "method") else (lambda: call(2.0),) * 2
    first = again[0]().clone()
    assert torch.equal(again[1](), first) and torch.equal(first, made(3) * 2.0)
    del holder


def test_walrus_views_arrays_and_weak_references():
    a = made(4)
    for _ in range(2):
        got = (x := a + 0.0) * 2.0
        assert torch.equal(x, a) and torch.equal(got, a + a)
        got = (a + 0.0)[1:] * 2.0
        assert torch.equal(got, (a + a)[1:])
        array = (a + 0.0).numpy()
        got = torch.from_numpy(array) * 2.0
        assert (array == a.numpy()).all()
        view = (y := a + 0.0)[:5]
        del y
        assert torch.equal(view * 2.0, (a * 2.0)[:5])
        refs = []

        def watched(t, refs=refs):
            refs.append(weakref.ref(t))
            return t

        got = watched(a + 0.0) * 2.0
        assert torch.equal(got, a * 2.0)


def test_gradients_see_what_was_saved():
    a, w = made(5), made(6).requires_grad_()
    loss = (((a * 1.0) * w) * (w * 1.0) * 0.5).sum()
    loss.backward()
    assert torch.equal(w.grad, (a * w).detach())
    with torch.no_grad():
        got = (a * 1.0) * w + 1.0
    assert torch.equal(got, (a * w + 1.0).detach()) and torch.equal(w.detach(), made(6))


def test_other_shapes_and_results_get_arrays_of_their_own():
    a = made(7)
    row = (a + 1.0)[None] * torch.ones(2, 1)
    assert row.shape == (2, COUNT)
    assert ((a + 0.0) > 5.0).dtype is torch.bool
    wide = (a + 0.0) * a.double()
    assert wide.dtype is torch.float64
    assert torch.equal((a + 0.0) * torch.tensor(2.0), a * 2.0)


def test_in_a_generator_a_class_and_traced():
    a = made(8)
    want = (a.numpy() * 2 + 1).tolist()
    assert next((x + 0.0) * 2.0 + 1.0 for x in [a]).tolist() == want

    class Holder:
        cell = a
        value = (cell * 2.0) + 1.0

    assert Holder.value.tolist() == want
    space = {"a": a}
    exec("got = (a * 2.0) + 1.0", space)
    assert space["got"].tolist() == want
    seen = []
    sys.settrace(lambda frame, event, arg: seen.append(frame.f_locals))
    try:
        got = (lambda x: (x * 2.0) + 1.0)(a)
    finally:
        sys.settrace(None)
    assert got.tolist() == want and seen


def test_an_operator_that_no_frame_called():
    failed, hook = [], sys.unraisablehook
    sys.unraisablehook = failed.append
    try:
        _thread.start_new_thread((made(1) + 0.0).__mul__, (2.0,))
        time.sleep(0.2)
    finally:
        sys.unraisablehook = hook
    assert not failed


def test_functions_of_one_tensor():
    a = made(9) - 500.0
    torch.exp(a * 0.0)
    (-a).abs()
    assert dying._usual["alone"] > 0
    places = []

    def seen(t):
        places.append(t.data_ptr())
        return t.data_ptr()

    kept = a.abs()
    assert torch.equal(torch.abs(a), kept) and torch.equal(a, made(9) - 500.0)
    pair = (a + 0.0,)
    for call in (torch.abs, torch.Tensor.abs):
        assert torch.equal(call(*pair), kept) and torch.equal(pair[0], a)
        assert torch.equal(next(map(call, pair)), kept) and torch.equal(pair[0], a)
        part = functools.partial(call, a + 0.0)
        part()
        assert torch.equal(part(), kept)
    method = (a + 0.0).neg
    method()
    assert torch.equal(method(), -a)
    assert torch.equal((x := a + 0.0).neg(), -a) and torch.equal(x, a)
    w = made(9).requires_grad_()
    out = (w * 1.0).exp().sum()
    out.backward()
    assert torch.equal(w.grad, w.detach().exp())


def test_a_function_writes_over_what_dies(monkeypatch):
    a = made(3)
    torch.sqrt(a + 1.0).neg()
    written = []
    spare = dying._spare
    monkeypatch.setattr(
        dying, "_spare", lambda *given: written.append(spare(*given)) or written[-1]
    )
    got = torch.sqrt(a + 1.0)
    got = (got + 1.0).neg()
    assert written == [True] * 2
    assert torch.equal(got, -(made(3).add(1).sqrt().add(1)))
