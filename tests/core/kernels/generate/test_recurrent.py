"""Recurrent layers in generated code against the NumPy form, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import rnn
from flambeau.core.kernels.generate import recurrent
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

LAYERS = [  # hidden, input, rows of the steps, reverse, bias
    (1, 1, (1,), False, True),
    (5, 3, (4, 4, 4), False, True),
    (16, 7, (3, 2, 2, 1), True, True),
    (33, 8, (7, 7, 5, 1, 1), False, False),
    (70, 16, (13, 13, 9, 2), True, True),
    (64, 5, (30, 1), False, True),
    (17, 4, (23, 21, 11, 9, 7, 5), False, True),
]


def layer(mode, dtype, hidden, inputs, sizes, reverse, bias):
    """Results and gradients, with all three gradients given."""
    rng = np.random.default_rng(0)
    gates, M, N = rnn.GATES[mode], sum(sizes), max(sizes)

    def draw(*shape):
        return rng.uniform(-0.7, 0.7, shape).astype(dtype)

    x, h, c = draw(M, inputs), draw(N, hidden), draw(N, hidden) if mode == "lstm" else None
    w_ih, w_hh = draw(gates * hidden, inputs), draw(gates * hidden, hidden)
    biases = (draw(gates * hidden), draw(gates * hidden)) if bias else (None, None)
    order = rnn.steps(sizes, reverse)
    found = rnn.forward(mode, x, h, c, w_ih, w_hh, *biases, None, order)
    out, _, _, gated, cells, states = found
    given = draw(M, hidden), draw(N, hidden), draw(N, hidden)
    needs = (True, True, mode == "lstm", True, True, bias, bias, False)
    slopes = rnn.backward(
        mode, given, x, c, w_ih, w_hh, None, out, gated, cells, states, order, needs
    )
    return [*found[:3], cells, states, *slopes]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", LAYERS)
@pytest.mark.parametrize("mode", rnn.GATES)
def test_equals_the_numpy_form(monkeypatch, mode, dtype, shape):
    assert recurrent.serves(mode, np.dtype(dtype), "forward")
    got = layer(mode, dtype, *shape)
    monkeypatch.setattr(recurrent, "serves", lambda *given: False)
    tolerance = 2e-5 if dtype == "f4" else 1e-13
    for a, b in zip(got, layer(mode, dtype, *shape), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(a, b, tolerance, tolerance)


@pytest.mark.parametrize("mode", rnn.GATES)
@pytest.mark.parametrize("sizes", [(9, 9, 4), (9, 9, 9)], ids=["columns", "sequences"])
def test_threads_do_not_change_digits(monkeypatch, mode, sizes):
    monkeypatch.setattr(recurrent, "ALONE", 1)
    monkeypatch.setattr(recurrent, "LEAST", 1)
    before, found = threads.count(), []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append(layer(mode, "f4", 70, 4, sizes, False, True))
    finally:
        threads.set_count(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_no_gradient_of_the_outputs():
    order = rnn.steps((3, 2), False)
    draw = np.random.default_rng(0).standard_normal
    x, h, w_ih, w_hh = (draw(s) for s in ((5, 4), (3, 6), (18, 4), (18, 6)))
    out, _, _, gates, cells, states = rnn.forward(
        "gru", x, h, None, w_ih, w_hh, None, None, None, order
    )
    found = [
        rnn.backward(
            "gru",
            (g, np.ones((3, 6)), None),
            x,
            None,
            w_ih,
            w_hh,
            None,
            out,
            gates,
            cells,
            states,
            order,
            (True,) * 5 + (False,) * 3,
        )  # fmt: skip
        for g in (None, np.zeros((5, 6)))
    ]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[0][1].any()


@pytest.mark.parametrize("mode", rnn.GATES)
@pytest.mark.parametrize("form", ["generated", "numpy"])
def test_gradients_that_nobody_wants_are_left_out(monkeypatch, mode, form):
    if form == "numpy":
        monkeypatch.setattr(recurrent, "serves", lambda *given: False)
    rng, order = np.random.default_rng(0), rnn.steps((3, 3), False)
    gates = rnn.GATES[mode]
    x, h, c = (rng.standard_normal((n, 5)) for n in (6, 3, 3))
    c = c if mode == "lstm" else None
    w_ih, w_hh = rng.standard_normal((2, gates * 5, 5))
    b_ih, b_hh = rng.standard_normal((2, gates * 5))
    out, _, _, gated, cells, states = rnn.forward(
        mode, x, h, c, w_ih, w_hh, b_ih, b_hh, None, order
    )

    def back(*needs):
        g = np.ones((6, 5)), None, None
        return rnn.backward(
            mode, g, x, c, w_ih, w_hh, None, out, gated, cells, states, order, needs
        )

    whole = back(True, True, True, True, True, True, True, False)
    for k in (0, 3, 4, 5, 6):  # x, both weights, both biases
        found = back(*[k == j for j in range(8)])
        np.testing.assert_array_equal(found[k], whole[k])
        assert all(found[j] is None for j in (0, 3, 4, 5, 6) if j != k)


@pytest.mark.parametrize("mode", rnn.GATES)
def test_first_states_that_need_no_gradient_cost_no_product(mode):
    sizes, hidden = (5, 5, 3), 33
    rng = np.random.default_rng(0)
    gates, M = rnn.GATES[mode], sum(sizes)

    def draw(*shape):
        return rng.uniform(-0.7, 0.7, shape).astype("f4")

    order = rnn.steps(sizes, False)
    x, h, c = draw(M, 4), draw(5, hidden), draw(5, hidden) if mode == "lstm" else None
    w_ih, w_hh = draw(gates * hidden, 4), draw(gates * hidden, hidden)
    out, _, _, *kept = rnn.forward(mode, x, h, c, w_ih, w_hh, None, None, None, order)
    given, found = (draw(M, hidden), None, None), []
    for wanted in (True, False):
        needs = (True, wanted, wanted, True, True, False, False, False)
        found.append(rnn.backward(mode, given, x, c, w_ih, w_hh, None, out, *kept, order, needs))
    assert found[0][1] is not None and found[1][1] is None
    for a, b in zip(found[0][3:5], found[1][3:5], strict=True):
        np.testing.assert_array_equal(a, b)
