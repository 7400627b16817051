"""The stream: words, numbers, state; its digests against those stored from PyTorch."""

import json
import threading

import numpy as np
import pytest

from flambeau.core.random import integer, uniform
from flambeau.core.random.stream import STATE_BYTES, Stream
from tests.core.random import golden

GOLDENS = json.loads(golden.PATH.read_text())["laws"]


def seeded(seed=0):
    stream = Stream()
    stream.reseed(seed)
    return stream


def test_first_numbers_of_seed_zero():
    assert np.allclose(seeded().floats(3), [0.4963, 0.7682, 0.0885], atol=5e-5)


def test_words_do_not_depend_on_how_they_are_asked_for():
    whole = seeded(3).words(100_000)
    stream = seeded(3)
    parts = [stream.words(n) for n in (0, 1, 7, 32768, 67224)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert seeded(3).word() == whole[0]
    assert seeded(3).word64() == int(whole[0]) << 32 | int(whole[1])
    assert np.array_equal(
        seeded(3).words64(2), [seeded(3).word64(), int(whole[2]) << 32 | int(whole[3])]
    )


@pytest.mark.parametrize("p", [0.0, 0.25, 0.3, 0.7000000000000001, 1.0])
def test_below_is_a_comparison_of_doubles(p):
    a, b = seeded(9), seeded(9)
    assert np.array_equal(a.below(70_000, p), b.doubles(70_000) < p)
    assert np.array_equal(a.pack(), b.pack())


def test_below_decides_ties_by_the_second_word():
    u = seeded(9).doubles(1)[0]
    assert not seeded(9).below(1, u)[0]
    assert seeded(9).below(1, np.nextafter(u, 1))[0]


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 5000])
def test_state_round_trip(drawn):
    stream = seeded(5)
    stream.words(drawn)
    stream.normal_spare = 0.25
    state = stream.pack()
    assert state.dtype == np.uint8
    assert state.size == STATE_BYTES
    other = Stream()
    other.unpack(state)
    assert np.array_equal(other.pack(), state)
    assert np.array_equal(other.words(2000), stream.words(2000))
    assert other.normal_spare == 0.25


@pytest.mark.parametrize("bad", [np.zeros(5, np.uint8), np.zeros(STATE_BYTES, np.uint8)])
def test_bad_states_are_refused(bad):
    with pytest.raises(RuntimeError, match="new_state"):
        Stream().unpack(bad)


def test_rewind():
    stream = seeded(5)
    mark = stream.mark()
    expected = stream.words(50)[20:]
    stream.words(3000)
    stream.rewind(mark, 20)
    assert np.array_equal(stream.words(30), expected)


def test_entropy_gives_different_seeds():
    stream = Stream()
    assert stream.reseed_from_entropy() != stream.reseed_from_entropy()


def test_threads_share_no_tensor_of_draws():
    stream = seeded(1)
    rows = []

    def work():
        for _ in range(20):
            rows.append(uniform.uniform(stream, (500,), np.dtype(np.float32)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = seeded(1).floats(500 * 80).reshape(80, 500)
    found = np.array(rows)
    assert np.array_equal(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def _draw(stream, array, method, args):
    if method == "uniform_":
        uniform.uniform_(stream, array, *args)
    elif method == "bernoulli_":
        uniform.bernoulli(stream, array, *args)
    elif args:
        integer.integers_(stream, array, *args)
    else:
        integer.whole_range_(stream, array)


def test_goldens():
    stream = seeded(2024)
    for name, (dtype, method, args) in golden.LAWS.items():
        for n, (values, state) in zip(golden.SIZES, GOLDENS[name], strict=True):
            array = np.empty(n, dtype)
            _draw(stream, array, method, args)
            assert golden.digest(array) == values, (name, n)
            assert golden.digest(stream.pack()) == state, (name, n)
