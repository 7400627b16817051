"""The public generator: seeds, states, pickling, fork_rng."""

import copy
import pickle

import pytest

import flambeau


@pytest.fixture(autouse=True)
def _forked():
    with flambeau.random.fork_rng():
        yield


def test_manual_seed_starts_the_stream_again():
    assert flambeau.manual_seed(5) is flambeau.default_generator
    first = flambeau.rand(4).tolist()
    flambeau.manual_seed(5)
    assert flambeau.rand(4).tolist() == first
    assert flambeau.initial_seed() == 5


@pytest.mark.parametrize(
    ("seed", "expected"), [(-1, 2**64 - 1), (2**64 - 1, 2**64 - 1), (True, 1), ("7", 7)]
)
def test_seeds_are_integers_of_64_bits(seed, expected):
    assert flambeau.manual_seed(seed).initial_seed() == expected


def test_seed_comes_from_the_system():
    assert flambeau.seed() == flambeau.initial_seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_beyond_64_bits_are_refused(seed):
    with pytest.raises(ValueError, match="64 bits"):
        flambeau.manual_seed(seed)


def test_state_continues_mid_stream_with_a_normal_waiting():
    flambeau.manual_seed(0)
    flambeau.randn(3)
    state = flambeau.get_rng_state()
    expected = flambeau.randn(3).tolist()
    flambeau.set_rng_state(state)
    assert flambeau.randn(3).tolist() == expected


@pytest.mark.parametrize(
    "copied", [lambda g: pickle.loads(pickle.dumps(g)), copy.deepcopy, lambda g: g.clone_state()]
)
def test_copies_continue_alike_and_apart(copied):
    generator = flambeau.Generator().manual_seed(3)
    flambeau.rand(5, generator=generator)
    other = copied(generator)
    expected = flambeau.rand(5, generator=generator).tolist()
    assert flambeau.rand(5, generator=other).tolist() == expected
    assert other.initial_seed() == 3
    assert other.device.type == "cpu"


def test_fork_rng_puts_the_stream_back():
    flambeau.manual_seed(0)
    with flambeau.random.fork_rng():
        first = flambeau.rand(2).tolist()
    assert flambeau.rand(2).tolist() == first
    with flambeau.random.fork_rng(enabled=False):
        second = flambeau.rand(2).tolist()
    assert flambeau.rand(2).tolist() != second


def test_generators_do_not_disturb_each_other():
    flambeau.manual_seed(0)
    expected = flambeau.rand(4).tolist()
    flambeau.manual_seed(0)
    mixed = []
    for _ in range(2):
        mixed += flambeau.rand(2).tolist()
        flambeau.rand(7, generator=flambeau.Generator())
    assert mixed == expected
