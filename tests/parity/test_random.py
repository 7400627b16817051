"""The same seed, the same numbers: every law against PyTorch, the generator's state after every
draw.

Integers, uniforms, masks and states are compared bit for bit, what goes through logarithms and
sines to 2e-6 (PyTorch's own vectorised and scalar paths differ by as much).
"""

import random

import ml_dtypes
import numpy as np
import pytest

import flambeau

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTS = ["int64", "int32", "int16", "int8", "uint8", "bool"]
SIZES = [*range(41), 100, 1000, 32768, 32769, 65537, 100000]
SMALL = [0, 1, 2, 3, 15, 16, 17, 33, 1000, 70001]

# name, dtypes, in-place draw on a tensor of either library
EXACT = {
    "uniform": (FLOATS, lambda t, g: t.uniform_(generator=g)),
    "uniform_bounds": (FLOATS, lambda t, g: t.uniform_(-0.3, 1.7, generator=g)),
    "uniform_narrow": (FLOATS, lambda t, g: t.uniform_(0.1, 0.7, generator=g)),
    "uniform_wide": (FLOATS, lambda t, g: t.uniform_(-3.3, 1e4, generator=g)),
    "bernoulli": (FLOATS + INTS, lambda t, g: t.bernoulli_(0.3, generator=g)),
    "bernoulli_one": (["float32"], lambda t, g: t.bernoulli_(1.0, generator=g)),
    "bernoulli_zero": (["float32"], lambda t, g: t.bernoulli_(0.0, generator=g)),
    "random": (FLOATS + INTS, lambda t, g: t.random_(generator=g)),
    "random_to": (FLOATS + INTS[:-1], lambda t, g: t.random_(100, generator=g)),
    "random_from_to": (
        ["int64", "int32", "float64"],
        lambda t, g: t.random_(-7, 2**30, generator=g),
    ),
    "random_open": (FLOATS + INTS, lambda t, g: t.random_(0, None, generator=g)),
    "random_wide": (["int64"], lambda t, g: t.random_(-(2**62), 2**62 + 5, generator=g)),
    "geometric": (FLOATS + INTS[:-1], lambda t, g: t.geometric_(0.3, generator=g)),
}
CLOSE = {
    "normal": (FLOATS, lambda t, g: t.normal_(generator=g)),
    "normal_shifted": (FLOATS, lambda t, g: t.normal_(0.3, 2.5, generator=g)),
    "exponential": (FLOATS, lambda t, g: t.exponential_(1.7, generator=g)),
    "cauchy": (FLOATS, lambda t, g: t.cauchy_(0.3, 1.7, generator=g)),
    "log_normal": (FLOATS, lambda t, g: t.log_normal_(0.2, 0.9, generator=g)),
}


def array_of(tensor):
    """A PyTorch tensor's numbers as an ndarray, bfloat16 included."""
    if str(tensor.dtype) == "torch.bfloat16":
        import torch

        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.detach().numpy()


def equal(ours, theirs, exact=True):
    mine, other = ours.detach()._array, array_of(theirs)
    assert str(ours.dtype) == str(theirs.dtype)
    assert mine.shape == other.shape
    if exact:
        assert np.array_equal(mine, other, equal_nan=mine.dtype.kind == "f")
        return
    kind = complex if mine.dtype.kind == "c" else float
    a, b = mine.astype(kind), other.astype(kind)
    tolerance = {2: 8e-3 if mine.dtype.name == "bfloat16" else 1e-3}.get(mine.itemsize, 2e-6)
    assert np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


def same_state(ours, theirs):
    assert ours.get_state()._array.tobytes() == theirs.get_state().numpy().tobytes()


def pair(oracle, seed):
    return flambeau.Generator().manual_seed(seed), oracle.Generator().manual_seed(seed)


@pytest.mark.parametrize("law", [*EXACT, *CLOSE])
def test_law_over_sizes_and_dtypes(oracle, law):
    names, draw = EXACT.get(law) or CLOSE[law]
    ours, theirs = pair(oracle, len(law))
    for name in names:
        for n in SIZES if name == "float32" else SMALL:
            a = flambeau.empty(n, dtype=getattr(flambeau, name))
            b = oracle.empty(n, dtype=getattr(oracle, name))
            equal(draw(a, ours), draw(b, theirs), law in EXACT)
            same_state(ours, theirs)


LAYOUTS = {
    "transposed": lambda t: t.t(),
    "stepped": lambda t: t[::2],
    "columns": lambda t: t[:, 1:4],
    "permuted": lambda t: t.reshape(2, 3, 3, 5).permute(2, 0, 3, 1),
    "channels": lambda t: t.reshape(2, 3, 3, 5).permute(0, 3, 1, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strided_targets_fill_in_memory_order(oracle, layout):
    ours, theirs = pair(oracle, 5)
    for law, (names, draw) in {**EXACT, **CLOSE}.items():
        a = LAYOUTS[layout](flambeau.zeros(6, 15, dtype=getattr(flambeau, names[0])))
        b = LAYOUTS[layout](oracle.zeros(6, 15, dtype=getattr(oracle, names[0])))
        equal(draw(a, ours), draw(b, theirs), law in EXACT)
        same_state(ours, theirs)


@pytest.mark.parametrize("seed", range(4))
def test_mixed_sequence_keeps_the_stream(oracle, seed):
    choose = random.Random(seed)
    laws = {**EXACT, **CLOSE}
    ours, theirs = pair(oracle, seed)
    for _ in range(150):
        law = choose.choice(list(laws))
        names, draw = laws[law]
        name, n = choose.choice(names), choose.choice([1, 2, 5, 15, 16, 17, 31, 100, 700])
        a = flambeau.empty(n, dtype=getattr(flambeau, name))
        b = oracle.empty(n, dtype=getattr(oracle, name))
        equal(draw(a, ours), draw(b, theirs), law in EXACT)
        same_state(ours, theirs)


FACTORIES = {
    "rand": lambda t, g, n: t.rand(n, generator=g),
    "rand64": lambda t, g, n: t.rand((n,), dtype=t.float64, generator=g),
    "rand complex": lambda t, g, n: t.rand(n, dtype=t.complex64, generator=g),
    "randint": lambda t, g, n: t.randint(10, (n,), generator=g),
    "randint low": lambda t, g, n: t.randint(-5, 2**40, (n,), generator=g),
    "randint 2^28": lambda t, g, n: t.randint(0, 2**28, (n,), generator=g),
    "randint 2^28 - 1": lambda t, g, n: t.randint(0, 2**28 - 1, (n,), generator=g),
    "randint uint8": lambda t, g, n: t.randint(0, 255, (n,), dtype=t.uint8, generator=g),
    "randint float": lambda t, g, n: t.randint(0, 100, (n,), dtype=t.float32, generator=g),
    "randint float 2^28": lambda t, g, n: t.randint(0, 2**24, (n,), dtype=t.float32, generator=g),
    "randint half": lambda t, g, n: t.randint(0, 1500, (n,), dtype=t.float16, generator=g),
    "randperm": lambda t, g, n: t.randperm(n, generator=g),
    "randperm int32": lambda t, g, n: t.randperm(n, dtype=t.int32, generator=g),
    "randint_like": lambda t, g, n: t.randint_like(t.zeros(n), 3, 9, generator=g),
    "rand_like": lambda t, g, n: t.rand_like(t.zeros(2, n).t(), generator=g),
}
CLOSE_FACTORIES = {
    "randn": lambda t, g, n: t.randn(n, generator=g),
    "randn half": lambda t, g, n: t.randn(n, dtype=t.float16, generator=g),
    "randn double": lambda t, g, n: t.randn(n, dtype=t.float64, generator=g),
    "randn complex": lambda t, g, n: t.randn(n, dtype=t.complex64, generator=g),
    "randn_like": lambda t, g, n: t.randn_like(t.zeros(3, n).t(), generator=g),
    "normal": lambda t, g, n: t.normal(1.5, 0.5, (n,), generator=g),
    "normal complex": lambda t, g, n: t.normal(1.5, 0.5, (n,), dtype=t.complex64, generator=g),
    "normal mean": lambda t, g, n: t.normal(t.arange(n) * 1.0, 2.0, generator=g),
    "normal std": lambda t, g, n: t.normal(2.0, t.arange(n) * 1.0, generator=g),
    "normal both": lambda t, g, n: t.normal(t.arange(n) * 1.0, t.ones(3, 1), generator=g),
}


@pytest.mark.parametrize("factory", [*FACTORIES, *CLOSE_FACTORIES])
def test_factory(oracle, factory):
    make = FACTORIES.get(factory) or CLOSE_FACTORIES[factory]
    ours, theirs = pair(oracle, 11)
    for n in [0, 1, 2, 7, 15, 16, 17, 40, 5000]:
        a, b = make(flambeau, ours, n), make(oracle, theirs, n)
        equal(a, b, factory in FACTORIES)
        assert n == 0 or a.stride() == b.stride()
        same_state(ours, theirs)


DRAWS = {
    "bernoulli": lambda t, p, g: t.bernoulli(p, generator=g),
    "bernoulli double": lambda t, p, g: t.bernoulli(p.double(), generator=g),
    "bernoulli half": lambda t, p, g: t.bernoulli(p.half(), generator=g),
    "bernoulli scalar": lambda t, p, g: t.bernoulli(p, 0.25, generator=g),
    "bernoulli_ tensor": lambda t, p, g: t.zeros(p.shape, dtype=t.int64).bernoulli_(p, generator=g),
    "bernoulli transposed": lambda t, p, g: t.bernoulli(p.reshape(4, -1).t(), generator=g),
    "multinomial": lambda t, p, g: t.multinomial(p, 1, generator=g),
    "multinomial 3": lambda t, p, g: t.multinomial(p, 3, generator=g),
    "multinomial rows": lambda t, p, g: t.multinomial(p.reshape(4, -1), 2, generator=g),
    "multinomial replacing": lambda t, p, g: t.multinomial(p, 50, True, generator=g),
    "multinomial replacing rows": lambda t, p, g: t.multinomial(
        p.reshape(4, -1).double(), 9, True, generator=g
    ),
    "multinomial replacing half": lambda t, p, g: t.multinomial(p.half(), 9, True, generator=g),
    "poisson small": lambda t, p, g: t.poisson(p * 3, generator=g),
    "poisson large": lambda t, p, g: t.poisson(p * 100, generator=g),
    "poisson double": lambda t, p, g: t.poisson(p.double() * 20, generator=g),
    "binomial small": lambda t, p, g: t.binomial(p.new_full(p.shape, 7.0), p, generator=g),
    "binomial large": lambda t, p, g: t.binomial(p.new_full(p.shape, 500.0), p, generator=g),
}
CLOSE_DRAWS = {
    "gamma": lambda t, p, g: t._standard_gamma(p * 3, generator=g),
    "gamma double": lambda t, p, g: t._standard_gamma(p.double() * 3, generator=g),
    "dirichlet": lambda t, p, g: t._sample_dirichlet(p.reshape(4, -1) * 3, generator=g),
}


@pytest.mark.parametrize("draw", [*DRAWS, *CLOSE_DRAWS])
def test_draw_with_tensor_parameters(oracle, draw):
    make = DRAWS.get(draw) or CLOSE_DRAWS[draw]
    ours, theirs = pair(oracle, 13)
    for n in [8, 12, 40, 400]:
        chances = np.random.default_rng(n).random(n).astype(np.float32)
        a = make(flambeau, flambeau.from_numpy(chances), ours)
        b = make(oracle, oracle.from_numpy(chances), theirs)
        equal(a, b, draw in DRAWS)
        same_state(ours, theirs)


DROPOUTS = {
    "dropout": lambda t, x: t.dropout(x, 0.3, True),
    "dropout transposed": lambda t, x: t.dropout(x.permute(2, 0, 1), 0.3, True),
    "dropout half": lambda t, x: t.dropout(x.half(), 0.3, True),
    "dropout double": lambda t, x: t.dropout(x.double(), 0.3, True),
    "dropout all": lambda t, x: t.dropout(x, 1.0, True),
    "dropout none": lambda t, x: t.dropout(x, 0.0, True),
    "dropout eval": lambda t, x: t.dropout(x, 0.3, False),
    "dropout_": lambda t, x: t.dropout_(x.clone(), 0.3, True),
    "feature": lambda t, x: t.feature_dropout(x, 0.5, True),
    "alpha": lambda t, x: t.alpha_dropout(x, 0.4, True),
    "feature alpha": lambda t, x: t.feature_alpha_dropout(x, 0.4, True),
    "native": lambda t, x: t.native_dropout(x, 0.3, True)[0],
    "native mask": lambda t, x: t.native_dropout(x, 0.3, True)[1],
    "rrelu": lambda t, x: t.rrelu(x - 0.5, 0.1, 0.3, True),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout(oracle, name):
    numbers = np.random.default_rng(0).random((5, 7, 6)).astype(np.float32)
    flambeau.manual_seed(3)
    oracle.manual_seed(3)
    for _ in range(3):
        a = DROPOUTS[name](flambeau, flambeau.from_numpy(numbers))
        b = DROPOUTS[name](oracle, oracle.from_numpy(numbers))
        equal(a, b, exact="alpha" not in name)
        assert flambeau.get_rng_state()._array.tobytes() == oracle.get_rng_state().numpy().tobytes()


@pytest.mark.parametrize("seed", [0, 1, 2**32 + 7, 2**63, 2**64 - 1, -1, -5, -(2**63)])
def test_seeds(oracle, seed):
    ours, theirs = pair(oracle, seed)
    assert ours.initial_seed() == theirs.initial_seed()
    same_state(ours, theirs)
    equal(flambeau.rand(5, generator=ours), oracle.rand(5, generator=theirs))
    same_state(ours, theirs)


def test_unseeded_generator(oracle):
    ours, theirs = flambeau.Generator(), oracle.Generator()
    assert ours.initial_seed() == theirs.initial_seed()
    same_state(ours, theirs)


@pytest.mark.parametrize("drawn", [0, 1, 3, 311, 623, 624, 625, 1247, 1248, 3000])
@pytest.mark.parametrize("normals", [0, 1, 2, 3])
def test_state_goes_both_ways(oracle, drawn, normals):
    ours, theirs = pair(oracle, 17)
    oracle.empty(drawn, dtype=oracle.int32).random_(generator=theirs)
    oracle.randn(normals, generator=theirs)
    ours.set_state(flambeau.from_numpy(theirs.get_state().numpy()))
    same_state(ours, theirs)
    for n in (1, 3, 20):
        equal(flambeau.randn(n, generator=ours), oracle.randn(n, generator=theirs), exact=False)
    same_state(ours, theirs)
    back = oracle.Generator()
    back.set_state(oracle.from_numpy(ours.get_state()._array))
    same_state(ours, back)
    equal(flambeau.rand(1000, generator=ours), oracle.rand(1000, generator=back))


ERRORS = [
    lambda t: t.rand(),
    lambda t: t.rand(3.0),
    lambda t: t.rand(-1),
    lambda t: t.rand((2, 3), 4),
    lambda t: t.rand(size=2),
    lambda t: t.rand("a"),
    lambda t: t.rand(2, dtype=t.int64),
    lambda t: t.rand(2, dtype="float32"),
    lambda t: t.rand(2, device="cuda"),
    lambda t: t.rand(2, layout="strided"),
    lambda t: t.rand(2, pin_memory=True),
    lambda t: t.rand(2, pin_memory=1),
    lambda t: t.rand(2, requires_grad=1),
    lambda t: t.rand(2, foo=1),
    lambda t: t.rand(2, generator=3),
    lambda t: t.rand(True),
    lambda t: t.rand(2, out=t.empty(2, dtype=t.float64), dtype=t.float32),
    lambda t: t.randint(3),
    lambda t: t.randint(3, 2),
    lambda t: t.randint(0, (2,)),
    lambda t: t.randint(3, 3, (2,)),
    lambda t: t.randint(3.5, (2,)),
    lambda t: t.randint(0, 300, (2,), dtype=t.uint8),
    lambda t: t.randint(-1, 3, (2,), dtype=t.uint8),
    lambda t: t.randint(0, 3, (2,), dtype=t.bool),
    lambda t: t.randint(0, 3, (2,), dtype=t.complex64),
    lambda t: t.randint(0, 2**70, (2,)),
    lambda t: t.randint(3, (2,), requires_grad=True),
    lambda t: t.randperm(-1),
    lambda t: t.randperm(2.5),
    lambda t: t.randperm(300, dtype=t.uint8),
    lambda t: t.randperm(3000, dtype=t.float16),
    lambda t: t.randperm(3, dtype=t.bool),
    lambda t: t.rand_like(3),
    lambda t: t.rand_like(t.ones(3, dtype=t.int64)),
    lambda t: t.bernoulli(t.ones(3, dtype=t.int64)),
    lambda t: t.bernoulli(t.tensor([2.0])),
    lambda t: t.bernoulli(t.tensor([float("nan")])),
    lambda t: t.bernoulli(t.ones(3), 1.5),
    lambda t: t.empty(3).bernoulli_(2.0),
    lambda t: t.empty(3).bernoulli_(t.ones(4)),
    lambda t: t.empty(3).uniform_(2, 1),
    lambda t: t.empty(3).uniform_(from_=0),
    lambda t: t.empty(3, dtype=t.float16).uniform_(0, 1e6),
    lambda t: t.empty(3).uniform_(-3e38, 3e38),
    lambda t: t.empty(3).uniform_(float("nan"), 1),
    lambda t: t.empty(3).expand(2, 3).uniform_(),
    lambda t: t.empty(3, dtype=t.int64).normal_(),
    lambda t: t.empty(3).normal_(0, -1),
    lambda t: t.empty(3).exponential_(0),
    lambda t: t.empty(3, dtype=t.int64).exponential_(),
    lambda t: t.empty(3).geometric_(0),
    lambda t: t.empty(3).geometric_(1),
    lambda t: t.empty(3).geometric_(),
    lambda t: t.empty(3).cauchy_(0, 0),
    lambda t: t.empty(3).log_normal_(0, 0),
    lambda t: t.empty(3).random_(0),
    lambda t: t.empty(3).random_(3, 2),
    lambda t: t.empty(3, dtype=t.uint8).random_(0, 257),
    lambda t: t.empty(3, dtype=t.int8).random_(-200, 5),
    lambda t: t.ones(3, requires_grad=True).uniform_(),
    lambda t: t.normal(0.0, 1.0, 3),
    lambda t: t.normal(0.0, 1.0),
    lambda t: t.normal(t.zeros(3), -1.0),
    lambda t: t.normal(t.zeros(3), -t.ones(3)),
    lambda t: t.normal(t.zeros(3), t.ones(2)),
    lambda t: t.normal(t.zeros(3, dtype=t.int64), 1.0),
    lambda t: t.poisson(-t.ones(2)),
    lambda t: t.poisson(t.ones(2, dtype=t.int64)),
    lambda t: t.binomial(t.ones(3, dtype=t.int64), t.ones(3)),
    lambda t: t.binomial(t.ones(3, dtype=t.float64), t.ones(3)),
    lambda t: t.multinomial(t.ones(3), 4),
    lambda t: t.multinomial(t.ones(3), 0),
    lambda t: t.multinomial(t.ones(2, 2, 2), 1),
    lambda t: t.multinomial(t.ones(3, dtype=t.int64), 1),
    lambda t: t.multinomial(-t.ones(3), 1),
    lambda t: t.multinomial(t.zeros(3), 1),
    lambda t: t.multinomial(t.tensor([float("inf"), 1.0]), 2, True),
    lambda t: t.dropout(t.ones(3), 1.5, True),
    lambda t: t.dropout(t.ones(3, dtype=t.int64), 0.5, True),
    lambda t: t.feature_dropout(t.ones(3), 0.5, True),
    lambda t: t.Generator("cuda"),
    lambda t: t.Generator("foo"),
    lambda t: t.Generator().manual_seed("a"),
    lambda t: t.Generator().manual_seed(2.5),
    lambda t: t.Generator().manual_seed(2**64),
    lambda t: t.Generator().set_state(3),
    lambda t: t.Generator().set_state(t.zeros(5)),
    lambda t: t.Generator().set_state(t.zeros(5, dtype=t.uint8)),
    lambda t: t.Generator().set_state(t.zeros(5056, dtype=t.uint8)),
    lambda t: t.Generator().get_offset(),
]


@pytest.mark.parametrize("call", range(len(ERRORS)))
def test_error_types(oracle, call):
    with pytest.raises(Exception) as theirs:
        ERRORS[call](oracle)
    with pytest.raises(Exception) as ours:
        ERRORS[call](flambeau)
    assert ours.type is theirs.type


def test_initialisation_draws(oracle):
    """The bounds of a Linear layer's default initialisation, over a seeded stream."""
    flambeau.manual_seed(0)
    oracle.manual_seed(0)
    for shape, fan_in in (((128, 64), 64), ((128,), 64), ((10, 128), 128), ((10,), 128)):
        bound = 1 / fan_in**0.5
        a, b = (
            flambeau.empty(shape).uniform_(-bound, bound),
            oracle.empty(shape).uniform_(-bound, bound),
        )
        equal(a, b)
