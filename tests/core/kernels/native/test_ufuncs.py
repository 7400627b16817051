"""NumPy's inner loops called from generated code against NumPy itself, digit for digit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import ufuncs
from flambeau.core.kernels.order import in_order

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

FLOATS, WHOLE, ANY = "fdFD", "lihbB", "fdlihbB?FD"
CASES = {
    np.arcsin: FLOATS, np.exp2: FLOATS, np.log10: FLOATS, np.arctan: FLOATS, np.cosh: FLOATS,
    np.arctan2: "fd", np.nextafter: "fd", np.hypot: "fd", np.logaddexp2: "fd",
    np.logical_and: ANY, np.logical_not: ANY, np.bitwise_xor: WHOLE + "?", np.invert: WHOLE + "?",
    np.left_shift: WHOLE, np.gcd: WHOLE, np.multiply: ANY,
}  # fmt: skip


class Served:
    """A ufunc's loops; what they do not take is an error here."""

    def __init__(self, ufunc):
        self.function = ufuncs.native(ufunc, self.otherwise)

    def otherwise(self, *arrays):
        raise NotImplementedError

    def __call__(self, *arrays):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return self.function(*arrays)


def operands(letter, count, shape=(4, 5)):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(count):
        x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if letter in "FD" else 0)
        x = np.abs(x * 3) if letter in "B" else x * 3
        found.append(np.asarray(x).astype(letter))
    return found


@pytest.mark.parametrize("ufunc", CASES, ids=lambda u: u.__name__)
def test_every_dtype(ufunc):
    call = Served(ufunc)
    for letter in CASES[ufunc]:
        given = operands(letter, ufunc.nin)
        with np.errstate(all="ignore"):
            wanted = ufunc(*given)
        found = call(*given)
        assert found.dtype == wanted.dtype and found.strides == wanted.strides
        np.testing.assert_array_equal(found, wanted)
        into = np.empty_like(wanted)
        assert call(*given, into) is into
        np.testing.assert_array_equal(into, wanted)


VIEWS = {
    "turned": lambda x: x.T, "sliced": lambda x: x[1:, ::2], "row": lambda x: x[:1],
    "column": lambda x: x[:, :1], "element": lambda x: x[1, 2], "whole": lambda x: x,
}  # fmt: skip


@pytest.mark.parametrize("ufunc", [np.arctan2, np.logical_or, np.bitwise_or])
@pytest.mark.parametrize("view", VIEWS)
def test_any_strides(ufunc, view):
    letter = "d" if ufunc is np.arctan2 else "l"
    call = Served(ufunc)
    for x in operands(letter, 2, (4, 4)):
        given = [np.asarray(VIEWS[view](x)), np.asarray(VIEWS[view](x.copy()))]
        found = call(*given)
        wanted = in_order(ufunc(*given), given)
        assert found.shape == wanted.shape and found.strides == wanted.strides
        np.testing.assert_array_equal(found, wanted)
        if given[0].ndim:
            found = call(given[0], 2.5 if letter == "d" else 2)
            np.testing.assert_array_equal(found, ufunc(given[0], 2.5 if letter == "d" else 2))


def test_written_where_it_is_read_and_into_gaps():
    call = Served(np.exp2)
    (x,) = operands("f", 1, (30, 50))
    wanted = np.exp2(x)
    room = np.zeros((30, 100), "f4")
    assert call(x, room[:, ::2]) is not None
    np.testing.assert_array_equal(room[:, ::2], wanted)
    assert not room[:, 1::2].any()
    call(x, x)
    np.testing.assert_array_equal(x, wanted)


def test_large_arrays_on_all_threads():
    (x,) = operands("f", 1, (300, 701))
    np.testing.assert_array_equal(Served(np.arctan)(x), np.arctan(x))
    np.testing.assert_array_equal(Served(np.arctan)(x.T), np.arctan(x.T))


def test_what_numpy_does_itself():
    x = np.ones((2, 3), "f4")
    for given in [(x, x.astype("f8")), (x.astype("f2"), x.astype("f2")), (x[:0], x[:0])]:
        with pytest.raises(NotImplementedError):
            Served(np.arctan2)(*given)
    with pytest.raises(NotImplementedError):
        Served(np.logical_and)(x > 0, 1)
    assert ufuncs.native(np.modf, len) is len  # two results
