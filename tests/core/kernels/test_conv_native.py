"""Generated convolutions against the NumPy forms: shapes, options, layouts, threads, odd values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flambeau.core import threads
from flambeau.core.kernels import conv, conv_native, correlate, correlate_weight
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.windows import channels_last, output_size

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: the NumPy forms serve"
)
LONG = build.available() and build.host().bits == 512
TOLERANCE = {"f4": 2e-5, "f8": 1e-12}


def numbers(draw, *shape, dtype="f4", last=False):
    found = draw.standard_normal(shape).astype(dtype)
    if last and len(shape) == 4:
        found = np.ascontiguousarray(found.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return found


@pytest.fixture
def numpy_form(monkeypatch):
    """Computes by the NumPy forms alone."""

    def compute(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(correlate, "available", lambda dtype: False)
            return function(*arguments)

    return compute


def three(x, w, g, stride, pads, dilation, groups):
    """The sum and its two adjoints, as arguments of the functions in `conv`."""
    options = (stride, pads, dilation, groups)
    return (
        (conv.convolve, x, w, None, *options),
        (conv.input_gradient, g, w, x.shape[2:], *options),
        (conv.weight_gradient, g, x, w.shape[2:], *options),
    )


def sizes_of(x, w, stride, pads, dilation):
    return tuple(
        output_size(n, k, s, *p, d)
        for n, k, s, p, d in zip(x.shape[2:], w.shape[2:], stride, pads, dilation, strict=True)
    )


@st.composite
def cases(draw):
    count = draw(st.integers(1, 3))
    small = st.integers(1, 3)
    groups = draw(small)
    most = draw(st.sampled_from([3, 40])) if count < 3 else 5
    batch = draw(st.sampled_from([1, 2, 3] if most > 3 else [1, 3, 9, 16, 35]))
    kernel = [draw(small) for _ in range(count)]
    stride = tuple(draw(small) for _ in range(count))
    dilation = tuple(draw(small) for _ in range(count))
    pads = [(draw(st.integers(-1, 3)), draw(st.integers(-1, 3))) for _ in range(count)]
    size = [
        max(d * (k - 1) + 1 - sum(p), 1) + draw(st.integers(0, most))
        for k, d, p in zip(kernel, dilation, pads, strict=True)
    ]
    features, channels = draw(st.integers(1, 14)), draw(st.integers(1, 7))
    shapes = (
        (batch, groups * channels, *size),
        (groups * features, channels, *kernel),
    )
    return (
        shapes,
        stride,
        pads,
        dilation,
        groups,
        draw(st.sampled_from(["f4", "f8"])),
        draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 2**31))
def test_any_shape(case, seed):
    shapes, stride, pads, dilation, groups, dtype, last = case
    draw = np.random.RandomState(seed)
    x = numbers(draw, *shapes[0], dtype=dtype, last=last)
    w = numbers(draw, *shapes[1], dtype=dtype)
    g = numbers(draw, len(x), len(w), *sizes_of(x, w, stride, pads, dilation), dtype=dtype)
    tolerance = TOLERANCE[dtype]
    for function, *arguments in three(x, w, g, stride, pads, dilation, groups):
        if function is conv.input_gradient and any(min(p) < 0 for p in pads):
            continue  # only sums are asked for of what was cut off
        found = function(*arguments)
        np.testing.assert_array_equal(function(*arguments), found)  # by what is remembered
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(correlate, "available", lambda dtype: False)
            want = function(*arguments)
        assert found.shape == want.shape
        assert found.strides == want.strides
        np.testing.assert_allclose(found, want, tolerance, tolerance * max(1, abs(want).max()))


LARGE = [
    # input, weight, stride, padding, groups
    ((3, 17, 21, 33), (29, 17, 3, 3), 1, 1, 1),  # every width and count of a tile
    ((1, 40, 70, 70), (13, 40, 3, 3), 1, 1, 1),  # bands of rows
    ((2, 40, 70, 69), (13, 40, 3, 3), 2, 1, 1),
    ((2, 24, 40, 40), (50, 24, 1, 1), 1, 0, 1),  # planes read in place
    ((2, 24, 40, 40), (50, 24, 3, 3), 1, 0, 1),
    ((2, 32, 30, 30), (32, 1, 3, 3), 1, 1, 32),
    ((2, 3, 60, 60), (16, 3, 7, 7), 2, 3, 1),
    ((3, 40, 16, 16), (24, 40, 3, 3), 1, 1, 1),  # planes for every tap along columns
    ((3, 9, 15, 16), (11, 9, 5, 3), 2, 1, 1),
    ((5, 24, 7, 7), (40, 24, 3, 3), 1, 1, 1),  # images behind the pixels of a row
    ((17, 40, 4, 4), (20, 40, 3, 3), 1, 1, 1),  # and along an axis of their own
    ((5, 24, 3, 3), (20, 24, 3, 3), 2, 1, 1),
]


@pytest.mark.parametrize("case", LARGE, ids=lambda case: f"{case[0]}x{case[1]}")
def test_blocks_and_threads(case, numpy_form):
    shape, kernel, stride, padding, groups = case
    draw = np.random.RandomState(0)
    x, w = numbers(draw, *shape), numbers(draw, *kernel)
    options = ((stride,) * 2, [(padding,) * 2] * 2, (1, 1))
    g = numbers(draw, len(x), len(w), *sizes_of(x, w, *options))
    for function, *arguments in three(x, w, g, *options, groups):
        want = numpy_form(function, *arguments)
        before = threads.count()
        found = []
        try:
            for count in (1, 2, 5):
                threads.set_count(count)
                found.append(function(*arguments))
        finally:
            threads.set_count(before)
        np.testing.assert_allclose(found[0], want, 2e-5, 2e-5 * abs(want).max())
        for other in found[1:]:
            np.testing.assert_array_equal(found[0], other)


def test_bias_starts_every_sum():
    draw = np.random.RandomState(0)
    x, w, b = numbers(draw, 2, 5, 9, 9), numbers(draw, 30, 5, 3, 3), numbers(draw, 30)
    options = ((1, 1), [(1, 1)] * 2, (1, 1), 1)
    plain = conv.convolve(x, w, None, *options)
    found = conv.convolve(x, w, b, *options)
    np.testing.assert_allclose(found, plain + b[:, None, None], 1e-5, 1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("whose", ["input", "weight", "grad"])
@pytest.mark.parametrize("padding", [0, 1])
def test_values_that_are_not_finite_reach_what_they_meet_and_no_more(
    value, whose, padding, numpy_form
):
    draw = np.random.RandomState(0)
    x, w = numbers(draw, 2, 4, 17, 19), numbers(draw, 6, 4, 3, 3)
    g = numbers(draw, 2, 6, 15 + 2 * padding, 17 + 2 * padding)
    {"input": x, "weight": w, "grad": g}[whose][1, 2, 0, 1] = value
    options = ((1, 1), [(padding,) * 2] * 2, (1, 1), 1)
    for function, *arguments in three(x, w, g, *options):
        with np.errstate(all="ignore"):
            want = numpy_form(function, *arguments)
        np.testing.assert_allclose(function(*arguments), want, 2e-5, 1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_arrays_that_are_not_contiguous(stride, numpy_form):
    draw = np.random.RandomState(0)
    x = numbers(draw, 4, 20, 12, 40)[::2, ::2, :, ::2]
    w = numbers(draw, 3, 3, 8, 10).transpose(2, 3, 0, 1)
    options = ((stride,) * 2, [(1, 1)] * 2, (1, 1))
    g = np.broadcast_to(numbers(draw, 2, 8, 1, 1), (2, 8, *sizes_of(x, w, *options)))
    for function, *arguments in three(x, w, g, *options, 1):
        want = numpy_form(function, *arguments)
        np.testing.assert_allclose(function(*arguments), want, 2e-5, 2e-5 * abs(want).max())


def test_channels_last_in_and_out(numpy_form):
    draw = np.random.RandomState(0)
    x, w = numbers(draw, 2, 20, 15, 15, last=True), numbers(draw, 24, 20, 3, 3)
    options = ((1, 1), [(1, 1)] * 2, (1, 1), 1)
    found = conv.convolve(x, w, None, *options)
    assert channels_last(found)
    want = numpy_form(conv.convolve, x, w, None, *options)
    np.testing.assert_allclose(found, want, 2e-5, 1e-4)


def test_what_is_not_taken():
    options = ((1, 1), [(1, 1)] * 2, (1, 1), 1)
    for dtype in ("i8", "c8"):
        x, w, out = (np.ones(s, dtype) for s in ((1, 2, 9, 9), (3, 2, 3, 3), (1, 3, 9, 9)))
        assert not conv_native.convolve(x, w, None, out, *options)
    assert correlate.available(np.dtype("f4"))
    assert correlate_weight.available(np.dtype("f8"))


def test_mixed_types_are_not_taken_for_what_is_remembered():
    options = ((1, 1), [(1, 1)] * 2, (1, 1), 1)
    x, w = np.ones((1, 2, 9, 9), "f4"), np.ones((3, 2, 3, 3), "f4")
    first = conv.convolve(x, w, None, *options)
    np.testing.assert_allclose(conv.convolve(x, w.astype("f8"), None, *options), first)


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "ways"),
    [
        ((3, 64, 13, 11), (20, 64, 3, 3), 2, ["input", "weight"]),  # strides leave small pieces
        ((2, 64, 9, 9), (30, 64, 3, 2), 1, ["weight"]),  # registers half empty
        # Not images in lanes, where registers are long.
        ((16, 64, 7, 7), (64, 64, 3, 3), 1, ["sum", "input"] if LONG else ["input", "weight"]),
    ],
    ids=str,
)
def test_many_channels_behind(shape, kernel, stride, ways, numpy_form, monkeypatch):
    """Small planes of many channels are gone through with the channels last."""
    draw = np.random.RandomState(0)
    x, w = numbers(draw, *shape), numbers(draw, *kernel)
    options = ((stride,) * 2, [(1, 1)] * 2, (1, 1), 1)
    g = numbers(draw, *conv.convolve(x, w, None, *options).shape)
    calls = []
    names = {"sum": "convolve", "input": "input_gradient", "weight": "weight_gradient"}
    for name, place in names.items():
        function = getattr(conv_native.conv_last, place)

        def counted(*given, name=name, function=function):
            calls.append(name)
            return function(*given)

        monkeypatch.setattr(conv_native.conv_last, place, counted)
    for function, *arguments in three(x, w, g, *options):
        want = numpy_form(function, *arguments)
        before, found = threads.count(), []
        try:
            for count in (1, 3):
                threads.set_count(count)
                found.append(function(*arguments))
        finally:
            threads.set_count(before)
        np.testing.assert_array_equal(*found)
        assert found[0].flags.c_contiguous
        np.testing.assert_allclose(found[0], want, 2e-5, 2e-5 * abs(want).max())
    assert calls == [name for name in ways for _ in range(2)]


@pytest.mark.parametrize("shape", [(2, 5, 4, 4), (3, 1, 6, 5), (2, 4, 1, 3)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
@pytest.mark.parametrize("last", [False, True])
def test_what_is_remembered_gives_the_same_once_more(shape, kernel, last):
    rng = np.random.default_rng(6)
    conv_native._known.clear()
    pads = [(k // 2, k // 2) for k in kernel]
    x, w = numbers(rng, *shape, last=last), numbers(rng, 3, shape[1], *kernel, last=last)
    g = numbers(rng, shape[0], 3, *shape[2:], last=last)
    for function, *arguments in three(x, w, g, (1, 1), pads, (1, 1), 1):
        first, second = (function(*arguments, last) for _ in range(2))
        assert first.strides == second.strides
        np.testing.assert_array_equal(first, second)
    assert conv_native._known or last  # few channels that lie last are turned first
