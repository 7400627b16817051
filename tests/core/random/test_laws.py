"""What the laws promise without an oracle: ranges, moments, the order in which memory is filled."""

import math

import ml_dtypes
import numpy as np
import pytest

from flambeau.core.random import choice, integer, normal, rejection, uniform
from flambeau.core.random.exact import fma
from flambeau.core.random.gamma_grad import gamma_grad
from flambeau.core.random.order import empty_like, memory_order
from flambeau.core.random.stream import Stream

HALVES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
N = 20_000


def seeded(seed=0):
    stream = Stream()
    stream.reseed(seed)
    return stream


@pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64), *HALVES])
def test_uniform_stays_below_its_bound(dtype):
    drawn = uniform.uniform(seeded(), (N,), dtype, 1.0, 3.0).astype(float)
    assert drawn.min() >= 1
    assert drawn.max() < 3
    assert abs(drawn.mean() - 2) < 0.02


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 33])
def test_an_odd_normal_waits_in_the_stream(n):
    stream = seeded()
    normal.normal(stream, (n,), np.dtype(np.float32))
    assert (stream.normal_spare is not None) == (n < 16 and n % 2 == 1)


def test_small_normals_do_not_depend_on_how_they_are_asked_for():
    a, b = seeded(), seeded()
    whole = normal.normals(a, 12)
    assert np.array_equal(whole, np.concatenate([normal.normals(b, n) for n in (1, 4, 3, 0, 4)]))
    assert np.array_equal(a.pack(), b.pack())


@pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64), *HALVES])
def test_normal_moments(dtype):
    drawn = normal.normal(seeded(), (N,), dtype, 3.0, 2.0).astype(float)
    assert abs(drawn.mean() - 3) < 0.05
    assert abs(drawn.std() - 2) < 0.05


def test_complex_normals_have_variance_one():
    drawn = normal.normal(seeded(), (N,), np.dtype(np.complex64))
    assert abs((abs(drawn) ** 2).mean() - 1) < 0.03


@pytest.mark.parametrize(
    ("law", "mean"),
    [
        (lambda s, a: uniform.exponential(s, a, 2.0), 0.5),
        (lambda s, a: uniform.geometric(s, a, 0.25), 4.0),
        (lambda s, a: uniform.bernoulli(s, a, 0.3), 0.3),
        (lambda s, a: normal.log_normal(s, a, 0.0, 0.5), math.exp(0.125)),
        (lambda s, a: integer.integers_(s, a, 0, 11), 5.0),
    ],
)
def test_means(law, mean):
    assert abs(law(seeded(), np.empty(N, np.float32)).mean() / mean - 1) < 0.03


def test_cauchy_median():
    drawn = uniform.cauchy(seeded(), np.empty(N), 2.0, 0.5)
    assert abs(np.median(drawn) - 2) < 0.03


def test_a_transposed_target_is_the_transposed_draw():
    flat = uniform.uniform(seeded(), (4, 5), np.dtype(np.float32))
    turned = np.empty((4, 5), np.float32).T
    uniform.uniform_(seeded(), turned)
    assert np.array_equal(turned, flat.T)


@pytest.mark.parametrize("n", [0, 1, 2, 100])
def test_permutation(n):
    drawn = integer.permutation(seeded(), n, np.dtype(np.int64))
    assert sorted(drawn.tolist()) == list(range(n))


@pytest.mark.parametrize("span", [1, 7, (1 << 28) - 1, 1 << 28, 1 << 40, 1 << 63])
def test_integer_ranges(span):
    low = -3
    drawn = integer.integers(seeded(), (1000,), np.dtype(np.int64), low, low + span)
    assert drawn.min() >= low
    assert int(drawn.max()) < low + span


@pytest.mark.parametrize("rate", [0.0, 0.7, 9.0, 10.0, 60.0])
def test_poisson_moments(rate):
    drawn = rejection.poisson(seeded(), np.full(5000, rate))
    assert abs(drawn.mean() - rate) <= 0.05 * rate
    assert abs(drawn.var() - rate) <= 0.1 * rate


@pytest.mark.parametrize(
    ("count", "prob"), [(0, 0.5), (9, 0.3), (9, 0.9), (200, 0.3), (200, 0.8), (5, 1.0)]
)
def test_binomial_moments(count, prob):
    drawn = rejection.binomial(seeded(), np.full(5000, float(count)), np.array(prob))
    assert abs(drawn.mean() - count * prob) <= 0.05 * count * prob
    assert drawn.max() <= count


@pytest.mark.parametrize("alpha", [0.3, 1.0, 7.5])
def test_gamma_moments(alpha):
    drawn = rejection.gamma(seeded(), np.full(10_000, alpha))
    assert abs(drawn.mean() - alpha) < 0.05 * alpha + 0.01


def test_dirichlet_rows_sum_to_one():
    drawn = rejection.dirichlet(seeded(), np.full((50, 4), 0.4))
    assert np.allclose(drawn.sum(-1), 1)


def test_few_and_many_elements_take_the_same_words():
    rates = np.linspace(0.1, 30, 40)
    a, b = seeded(), seeded()
    whole = rejection.poisson(a, rates)
    assert np.array_equal(
        whole, np.concatenate([rejection.poisson(b, rates[i : i + 1]) for i in range(40)])
    )
    assert np.array_equal(a.pack(), b.pack())


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_follows_the_weights(replacement):
    weights = np.tile(np.array([1.0, 0.0, 3.0], np.float32), (4000, 1))
    drawn = choice.multinomial(seeded(), weights, 2, replacement)
    assert not (drawn == 1).any()
    assert abs((drawn[:, 0] == 2).mean() - 0.75) < 0.03
    assert replacement or (drawn[:, 0] != drawn[:, 1]).all()


def test_memory_order():
    base = np.empty((2, 3, 4))
    assert memory_order(base) == [0, 1, 2]
    assert memory_order(base.transpose(2, 0, 1)) == [1, 2, 0]
    assert empty_like(base.transpose(2, 0, 1), np.dtype(np.float32)).strides == (4, 48, 16)
    assert empty_like(np.broadcast_to(np.zeros(4), (3, 4)), np.dtype(np.float64)).strides == (32, 8)
    column = empty_like(np.empty((2, 1), np.float32).T, np.dtype(ml_dtypes.bfloat16))
    assert column.shape == (1, 2)
    assert column.strides == (2, 2)


def test_fma_rounds_once():
    a = seeded().doubles(200)
    exact = [math.fsum(_product(x, 0.6) + [0.1]) for x in a.tolist()]
    assert np.array_equal(fma(a, 0.6, 0.1), exact)


def _product(x, y):
    from fractions import Fraction

    product = Fraction(x) * Fraction(y)
    high = float(product)
    return [high, float(product - Fraction(high))]


def test_gamma_grad_is_the_derivative_of_the_quantile():
    special = pytest.importorskip("scipy.special")
    for alpha in (0.5, 3.0, 20.0):
        quantiles = np.array([0.05, 0.4, 0.9])
        step = 1e-5 * alpha
        x = special.gammaincinv(alpha, quantiles)
        slope = special.gammaincinv(alpha + step, quantiles) - special.gammaincinv(
            alpha - step, quantiles
        )
        assert np.allclose(gamma_grad(np.full(3, alpha), x), slope / (2 * step), rtol=2e-3)
