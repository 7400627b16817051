"""Operands of any strides against NumPy: slices, broadcasting, orders of dimensions, large results."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import choose, walk
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.order import in_order

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


class Counted:
    """A native function, and how often it went the other way."""

    def __init__(self, name, formula=None):
        self.calls = 0
        self.function = choose.native(name, self.otherwise, formula)

    def otherwise(self, *arrays):
        self.calls += 1

    def __call__(self, *arrays):
        return self.function(*arrays)


@pytest.fixture(scope="module")
def add():
    return Counted("add")


def numbers(shape, dtype="f4"):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape) % 251


SHAPES = [(7,), (5, 6), (3, 1, 4), (2, 3, 130), (40, 41, 25), (2, 3, 4, 5, 6)]
VIEWS = {
    "sliced": lambda x: x[..., : x.shape[-1] - 1],
    "stepped": lambda x: x[..., ::2],
    "first": lambda x: x[..., :1],
    "spread": lambda x: np.broadcast_to(x[..., :1], x.shape),
    "row": lambda x: x[(0,) * (x.ndim - 1)],
    "outer": lambda x: x[1:] if x.ndim > 1 else x,
    "number": lambda x: x.reshape(-1)[3],
    "whole": lambda x: x,
}


def both(add, a, b):
    before = add.calls
    got, want = add(a, b), a + b
    if got is None:
        assert add.calls == before + 1
        return False
    assert add.calls == before and got.dtype == want.dtype
    assert got.shape == want.shape and got.flags.owndata
    assert np.array_equal(got, want)
    want = in_order(want, [a, b])
    used = [k for k, n in enumerate(got.shape) if n > 1]
    assert [got.strides[k] for k in used] == [want.strides[k] for k in used]
    return True


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("view", sorted(VIEWS))
def test_views_as_operands(add, shape, view, dtype):
    x = numbers(shape, dtype)
    a = np.asarray(VIEWS[view](x))
    for other in (a, a.copy(), x[..., : a.shape[-1]] if a.ndim == x.ndim else x, 3):
        if isinstance(other, np.ndarray):
            try:
                np.broadcast_shapes(a.shape, other.shape)
            except ValueError:
                continue
        if a.ndim or isinstance(other, np.ndarray):
            both(add, a, other)
            both(add, other, a)


def test_what_is_not_left_to_numpy(add):
    x = numbers((30, 31, 32))
    y = np.zeros((30, 31, 33), "f4")
    column, row = x[:, :, :1], x[0, 0]
    for a, b in [
        (x, y[:, :, 1:]), (x[1:-1, 1:-1, 1:], x[:-2, :-2, :-1]), (x, column), (column, x), (x, row),
        (x.transpose(0, 2, 1), x.transpose(0, 2, 1)), (x.T, 2.5), (x[::2, :, ::3], x[1::2, :, ::3]),
    ]:  # fmt: skip
        assert both(add, a, b)


def test_operands_in_different_orders(add):
    x = numbers((6, 6))
    for a, b in [(x, x.T), (x.T, x), (x.T, x[0]), (x[0], x.T), (x.T[1:], x[1:]), (x.T[:, ::2], 3)]:
        assert both(add, a, b)
    rng = np.random.default_rng(0)
    where = Counted("where")
    for _ in range(60):
        shape = rng.integers(1, 5, 4)
        given = []
        for _ in range(2):
            order = rng.permutation(4)
            x = numbers(shape[order] + rng.integers(0, 2, 4)).transpose(np.argsort(order))
            x = x[tuple(slice(n) for n in shape)]
            keep = rng.integers(0, 4, 4) > 0  # the rest is spread
            given.append(x[tuple(slice(None) if k else slice(1) for k in keep)])
        assert both(add, *given)
        c, (a, b) = given[1] % 2 == 0, given
        got, want = where(c, a, b), np.where(c, a, b)
        want = in_order(want, [c, a, b])
        assert np.array_equal(got, want)
        used = [k for k, n in enumerate(got.shape) if n > 1]
        assert [got.strides[k] for k in used] == [want.strides[k] for k in used]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_results_with_gaps(add, dtype):
    rng, before = np.random.default_rng(1), add.calls
    for shape in [(4,), (3, 5), (2, 3, 4), (30, 41, 7), (5, 2100)]:
        for _ in range(8):
            order = rng.permutation(len(shape))
            large = np.zeros([2 * shape[k] + 1 for k in order], dtype).transpose(np.argsort(order))
            cut = tuple(slice(1, n + 1) if rng.integers(2) else slice(0, 2 * n, 2) for n in shape)
            target, kept = large[cut], large.copy()
            a, b = numbers(shape, dtype), numbers(shape[-1:], dtype)
            for given in ((a, b), (target, b), (a.T.copy().T, target), (target, target)):
                want = given[0] + given[1]
                assert add(*given, target) is target
                assert np.array_equal(target, want)
            kept[cut] = target
            assert np.array_equal(large, kept)  # nothing beside it was written
    assert add.calls == before


def test_results_that_numpy_must_see(add):
    x = numbers((6, 6))
    for a, target in [
        (x, np.broadcast_to(x[0], (6, 6)).view()), (x[1:], x[:-1]), (x[:, 1:], x[:, :-1]),
        (x, x[::-1]), (x, x.T), (x[0], x[:, 0]),
    ]:  # fmt: skip
        target.flags.writeable = target.base is not None
        before = add.calls
        assert add(a, 1.0, target) is None and add.calls == before + 1


def test_what_is_numpys(add):
    x = numbers((6, 6))
    for a, b in [(x[::-1], x), (x[:, ::-1], 1.0)]:
        assert not both(add, a, b)
    assert add(numbers((2,)), numbers((3,))) is None
    assert add(x, x.astype("f8")) is None
    assert add(np.zeros((0, 3), "f4"), np.zeros((1, 3), "f4")) is None
    assert add(np.ones((1,) * 17, "f4")[..., None], x[0]) is None


def test_dense_in_another_order_stays_so(add):
    x = numbers((2, 5, 6, 4)).transpose(0, 3, 1, 2)  # channels last
    got = add(x, x)
    assert got.strides == x.strides and np.array_equal(got, x + x)
    got = add(x, np.asarray(2, "f4"))
    assert got.strides == x.strides and np.array_equal(got, x + 2)
    less = Counted("lt")
    got = less(x, 100.0)
    assert np.array_equal(got, x < 100) and got.strides == (x < 100).strides


def test_conditions(add):
    where = Counted("where")
    x = numbers((20, 30))
    c = x % 3 == 0
    got = where(c[:, 1:], x[:, 1:], x[:, :-1])
    assert np.array_equal(got, np.where(c[:, 1:], x[:, 1:], x[:, :-1]))
    got = where(c[:, :1], x, -1.0)
    assert np.array_equal(got, np.where(c[:, :1], x, np.float32(-1)))
    assert where(x, x, x) is None


@pytest.mark.parametrize("size", [walk.GRAIN * 3 + 5, 1 << 13])
def test_into_an_array(add, size):
    x, y = numbers((size,)), numbers((size,)) * 2
    out = np.empty_like(x)
    assert add(x, y, out) is out and np.array_equal(out, x + y)
    want = x + y
    assert add(x, y, x) is x and np.array_equal(x, want)
    grid = numbers((50, 40))
    want = grid + grid[:, :1]
    assert add(grid, grid[:, :1], grid) is None  # it reads what it has written
    assert add(grid, grid[0, 0:1], grid) is None
    out = np.empty_like(grid)
    assert add(grid, grid[:, :1], out) is out and np.array_equal(out, want)
    assert add(grid[:, 1:], 1.0, out) is None
    out.flags.writeable = False
    assert add(grid, grid[:, :1], out) is None


def test_results_beyond_the_caches(monkeypatch):
    monkeypatch.setattr(walk, "PAST", 1 << 12)
    from flambeau.core.kernels.native import broadcast

    monkeypatch.setattr(broadcast, "addresses", lambda: build.load(broadcast.module()))
    for name, operation in (("add", np.add), ("lt", np.less)):
        function = Counted(name)
        for size in (1 << 13, 70001, 100003):
            x = numbers((size,))
            y = x[::-1].copy()
            assert np.array_equal(function(x, y), operation(x, y))
            assert np.array_equal(function(x[1:], y[:-1]), operation(x[1:], y[:-1]))
        x = numbers((300, 301))
        assert np.array_equal(function(x[:, 1:], x[:, :-1]), operation(x[:, 1:], x[:, :-1]))
    assert not function.calls


def test_threads_do_not_change_digits(add):
    root = Counted("tanh")
    x = np.random.default_rng(0).standard_normal((401, 330)).astype("f4")[:, 1:]
    before, results = threads.count(), []
    try:
        for number in (1, 2, 5):
            threads.set_count(number)
            results.append((root(x), add(x, x[:1])))
    finally:
        threads.set_count(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_four_operands():
    blend = Counted(
        "blend", Formula(lambda f, a, b, c, d: a * b + c * d, 4, forms=("vvvv", "svvv"))
    )
    x = numbers((12, 13))
    got = blend(x[:, 1:], x[:, :-1], x[:1, 1:], x[:, :1])
    assert np.array_equal(got, x[:, 1:] * x[:, :-1] + x[:1, 1:] * x[:, :1])
    assert np.array_equal(blend(2.0, x, x, x[:1]), 2 * x + x * x[:1])
    assert blend(x, 2.0, x, x) is None and blend.calls == 1
