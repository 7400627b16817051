"""Native entries against the forms in Python: results, nodes, views, writes, and who holds what."""

from __future__ import annotations

import gc
import inspect
import sys
import threading

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import slow
from flambeau.core.declare import OPERATIONS
from flambeau.core.entry import process
from flambeau.core.entry.elementwise import _binary, _unary
from flambeau.core.entry.inplace import _write
from flambeau.core.entry.record import SCALARS
from flambeau.core.entry.views import _look
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.choose import resolved
from flambeau.core.provenance import line_of
from flambeau.core.tensor import edge_of

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

BINARY = ("add", "mul", "hypot", "maximum", "atan2", "lt", "bitwise_and")
UNARY = ("exp", "neg", "sin", "relu", "isnan", "logical_not")


def pair(kind, name):
    """The native short way of an operation, and the one in Python."""
    op = OPERATIONS[name]
    function = getattr(torch, name)
    given = [torch.ones(2) for _ in op.names]
    if name == "bitwise_and":
        given = [x.long() for x in given]
    function(*given)  # the short way is chosen at the first call
    native = inspect.getclosurevars(function).nonlocals["short"]
    found = resolved(name, op.kernel)
    if kind == "unary":
        return native, _unary(op, found)
    saves = {t: rule.saves for rule in op.rules for t in rule.targets}
    numbers = frozenset() if op.flags.get("operands") == "tensors" else SCALARS
    return native, _binary(op, found, saves, numbers)


def called(short, *args):
    """As an entry calls it."""
    return (lambda: short(*args))()


def described(tensor):
    """What there is to say of a result and its node."""
    if tensor is None:
        return None
    n = edge_of(tensor)
    text = [tensor._array.tolist(), tensor._array.dtype, tensor._view, tensor._grad]
    if n is None:
        return [*text, tensor._storage]
    return [
        *text, type(n), n.op, n.edges, [None if x is None else id(x) for x in n.saved[:-1]],
        n.saved[-1] is tensor._array, [None if s is None else type(s) for s in n.stores],
        n.shape, n.dtype, n.code, n.hooks, n.params, n.shapes,
    ]  # fmt: skip


def agree(op, got, want, given, names):
    """One result; of different dtypes, which the form leaves to the long way, that way's."""
    if want is not None or got is None:
        assert described(got) == described(want), names
        return
    want = slow.elementwise(op, given)
    n, m = edge_of(got), edge_of(want)
    assert got._array.dtype == want._array.dtype, names
    assert np.allclose(got._array, want._array, rtol=1e-6, atol=0, equal_nan=True), names
    assert (n is None) == (m is None), names
    if n is not None:
        assert (n.op, n.edges, n.shape, n.dtype) == (m.op, m.edges, m.shape, m.dtype), names


def operands():
    """Tensors and numbers of many kinds."""
    leaf = torch.tensor([[0.5, 1.5]], requires_grad=True)
    base = torch.tensor([1.0, 2.0, 3.0], requires_grad=True) * 2
    return {
        "plain": torch.tensor([[2.0, 0.5]]), "leaf": leaf, "result": leaf * 2, "view": base[1:],
        "scalar": torch.tensor(3.0, requires_grad=True), "double": torch.ones(2).double(),
        "whole": torch.tensor([1, 2]), "bool": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)), "meta": torch.ones(2, device="meta"),
        "wrong": torch.ones(5), "shared": torch.from_numpy(np.ones(2, "f4")), "half": 0.5,
        "two": 2, "true": True, "text": "x",
    }  # fmt: skip


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name, grad):
    native, form = pair("unary", name)
    assert type(native) is type(len)
    with torch.set_grad_enabled(grad):
        for key, x in operands().items():
            agree(OPERATIONS[name], called(native, x), called(form, x), (x,), key)


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name, grad):
    native, form = pair("binary", name)
    assert type(native) is type(len)
    with torch.set_grad_enabled(grad):
        for one, x in operands().items():
            for two, y in operands().items():
                got, want = called(native, x, y), called(form, x, y)
                agree(OPERATIONS[name], got, want, (x, y), (one, two))


@pytest.mark.parametrize("grad", [True, False])
def test_views(grad):
    op = OPERATIONS["transpose"]
    torch.ones(2, 2).transpose(0, 1)
    native = inspect.getclosurevars(torch.transpose).nonlocals["short"]
    form = _look(op, op.kernel)
    leaf = torch.ones(2, 3, requires_grad=True)
    result = leaf * 2
    written = result[:1]
    result.add_(1)
    given = [leaf, result, torch.ones(2, 2), result.t(), written, leaf.detach(), leaf.t()]
    with torch.set_grad_enabled(grad):
        for x in (*given, torch.from_numpy(np.ones((2, 2))), torch.ones(2, 2, device="meta"), 1):
            got, want = called(native, x, 0, 1), called(form, x, 0, 1)
            assert (got is None) == (want is None)
            if got is None:
                continue
            assert got._array.strides == want._array.strides
            assert got._storage is want._storage is x._storage
            assert [v is w for v, w in zip(got._view, want._view, strict=True)] == [True] * 3
            mine, theirs = got._edge, want._edge
            assert type(mine) is type(theirs)
            if not grad:  # a dead end, where the base requires a gradient
                assert mine is None or mine.variable is None is theirs.variable
            elif mine is not None:
                assert mine[:5] == theirs[:5]
                assert mine[6] < theirs[6]
                assert edge_of(got).next_functions == edge_of(want).next_functions


def test_writes():
    op = OPERATIONS["mul"]
    torch.ones(2).mul_(2)
    native = inspect.getclosurevars(torch.Tensor.mul_).nonlocals["short"]
    form = _write(op, lambda a, b, out: np.multiply(a, b, out=out), "mul_")
    for key in operands():
        for number in (2, 0.5, "plain", "leaf", "view", "whole"):
            found = []
            for short in (native, form):
                given = operands()
                x, y = given[key], given.get(number, number)
                t = called(short, x, y)
                s = None if t is None else x._storage
                found.append(
                    (t is x, t)
                    if s is None
                    else (x._array.tolist(), s.version, s.writing, s.written > 0)
                )
            if found[1] == (False, None) and found[0] != found[1]:  # of different dtypes
                want = operands()[key] * operands()[number]
                assert found[0][0] == want.tolist() and want.dtype is given[key].dtype
                continue
            assert found[0] == found[1], (key, number)


def test_the_users_line_is_noted():
    x = torch.ones(2, requires_grad=True)
    for _ in range(2):
        here = inspect.currentframe().f_lineno + 1
        made = [x * x, x.exp(), x.add(1), x[None], x.reshape(1, 2), x.t(), torch.sin(x)]
        assert [line_of(edge_of(t).where)[1] for t in made] == [here] * len(made)
        y = torch.ones(2)
        here = inspect.currentframe().f_lineno + 1
        y.neg_()
        assert line_of(y._storage.writer)[1] == here


def test_nothing_is_lost_or_freed_too_often():
    x, y = torch.ones(3, 3, requires_grad=True), torch.ones(3, 3)
    named = "a name"

    def work():
        z = (x * y + 0.5).exp().t()
        z.reshape(3, 3)[1:].unsqueeze(0)
        z.sum().backward()
        y.mul_(1.0).neg_().neg_()
        with pytest.raises(RuntimeError):
            x + torch.ones(7)
        with torch.no_grad():
            y.t()

    work()
    things = [
        x,
        y,
        x._array,
        y._array,
        x._edge,
        x._storage,
        y._storage,
        named,
        (),
        1,
        np.dtype("f4"),
    ]
    for _ in range(4):  # each stops to track the tuples whose contents the one before untracked
        gc.collect()
    before = [sys.getrefcount(t) for t in things]
    alive = len(gc.get_objects())
    for _ in range(200):
        work()
    gc.collect()
    assert [abs(sys.getrefcount(t) - n) < 60 for t, n in zip(things, before, strict=True)] == [
        True
    ] * len(things)
    assert abs(len(gc.get_objects()) - alive) < 60


def test_an_interrupt_passes():
    class Stop(BaseException):
        pass

    def kernel(a):
        raise Stop

    op = OPERATIONS["exp"]
    with pytest.raises(Stop):
        process.native("unary", op, kernel)(torch.ones(2))

    def failing(a):
        raise ValueError

    assert process.native("unary", op, failing)(torch.ones(2)) is None


def test_threads():
    x = torch.ones(4, 4)
    found = []

    def work():
        total = x
        for _ in range(300):
            total = (total * x).t().exp().log()
        found.append(bool(torch.allclose(total, x)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_a_kept_image_is_found_without_writing_the_text(tmp_path, monkeypatch):
    from pathlib import Path

    from flambeau.core.kernels.jit import ir

    monkeypatch.setenv("FLAMBEAU_CACHE_DIR", str(tmp_path))
    written = []

    def make():
        written.append(1)
        module = ir.Module("kept")
        f = module.function("kept", (("i64", "x"),), "i64")
        f.ret(f.argument["x"] + 1)
        return module

    sources = [Path(__file__)]
    one = build.load_made("kept", sources, "some facts", make)
    assert list(one) == ["kept"] and written == [1]
    build._LOADED.clear()
    assert list(build.load_made("kept", sources, "some facts", make)) == ["kept"]
    kept = written == [1]
    build.load_made("kept", sources, "other facts", make)
    assert len(written) >= 2 and (kept or not build._images(build.host()))
