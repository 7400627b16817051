"""Numbers drawn by generated code: the stream's words to the bit, from any place in it, and what is
drawn after them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from flambeau.core.kernels.generate import twister
from flambeau.core.random import normal, uniform
from flambeau.core.random.stream import Stream

pytestmark = pytest.mark.skipif(
    not twister.draw("below", Stream(0)._generator(), np.empty(8, "?"), 1),
    reason="no code can be generated here",
)

COUNTS = [16, 623, 624, 625, 4096, 5001]


@pytest.fixture
def plainly(monkeypatch):
    """The reference: nothing is generated while it is called."""

    def call(function, *arguments):
        with monkeypatch.context() as only:
            only.setattr(twister, "draw", lambda *_: False)
            return function(*arguments)

    return call


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("before", [0, 1, 623, 624, 1000])
@pytest.mark.parametrize("law", ["floats", "doubles", "below"])
def test_words_are_the_streams(plainly, law, count, before):
    a, b = Stream(7), Stream(7)
    for each in (a, b):
        each.words(before)
    out = np.empty(count, {"floats": "f4", "doubles": "f8", "below": "?"}[law])
    given = (math.ceil(0.3 * 2.0**53),) if law == "below" else (1.0, 0.0)
    assert twister.draw(law, a._generator(), out, *given)
    want = plainly(getattr(b, law), count, *([0.3] if law == "below" else []))
    assert np.array_equal(out, want)
    assert a.word() == b.word() and np.array_equal(a.pack(), b.pack())


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-0.3, 0.7), (5.0, 5.0), (-1e30, 1e30)])
@pytest.mark.parametrize("shape", [(300,), (40, 70)])
def test_uniforms(plainly, dtype, low, high, shape):
    found = [Stream(3), Stream(3)]
    got = uniform.uniform_(found[0], np.empty(shape, dtype), low, high)
    want = plainly(uniform.uniform_, found[1], np.empty(shape, dtype), low, high)
    assert np.array_equal(got, want) and found[0].word() == found[1].word()


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8"])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_chosen(plainly, dtype, p):
    found = [Stream(3), Stream(3)]
    value = np.dtype(dtype).type(3)
    got = uniform.chosen(found[0], np.empty((50, 21), dtype), p, value)
    want = plainly(uniform.chosen, found[1], np.empty((50, 21), dtype), p, value)
    assert np.array_equal(got, want) and found[0].word() == found[1].word()


@pytest.mark.parametrize("count", [256, 1000, 1023, 50001])
@pytest.mark.parametrize("mean, std", [(0.0, 1.0), (3.0, 0.02)])
def test_normals(oracle, count, mean, std):
    oracle.manual_seed(11)
    want = oracle.empty(count).normal_(mean, std)
    stream = Stream(11)
    got = normal.normal_(stream, np.empty(count, "f4"), mean, std)
    np.testing.assert_allclose(got, want.numpy(), 2e-6, 2e-6 * std)
    assert stream.words(1)[0] & 0xFFFFFF == round(float(oracle.rand(1)) * 2.0**24)


def test_normals_are_normal():
    x = normal.normal_(Stream(1), np.empty(1 << 18, "f4")).astype("f8")
    assert abs(x.mean()) < 0.01 and abs(x.std() - 1) < 0.01 and np.isfinite(x).all()
    assert abs((x**4).mean() - 3) < 0.1
