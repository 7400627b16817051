"""Distributions against PyTorch: the same seed gives the same samples, the same inputs the same
densities, moments, gradients and texts."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import flambeau

# PyTorch takes Wishart's regular samples for singular ones, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")

# Names to constructors; `t` makes a tensor, `d` is torch.distributions, `m` the engine.
CASES: dict[str, Any] = {
    "Bernoulli": lambda t, d, m: d.Bernoulli(t([0.1, 0.5, 0.9])),
    "Bernoulli-logits": lambda t, d, m: d.Bernoulli(logits=t([-2.0, 0.0, 3.0])),
    "Bernoulli-number": lambda t, d, m: d.Bernoulli(0.3),
    "Beta": lambda t, d, m: d.Beta(t([0.5, 2.0, 9.0]), t([1.5, 3.0, 12.0])),
    "Beta-number": lambda t, d, m: d.Beta(2.0, 3.0),
    "Binomial": lambda t, d, m: d.Binomial(7, t([0.1, 0.5, 0.9])),
    "Binomial-logits": lambda t, d, m: d.Binomial(t([30.0, 3.0]), logits=t([0.2, -1.0])),
    "Categorical": lambda t, d, m: d.Categorical(t([[0.1, 0.2, 0.7], [1.0, 1.0, 2.0]])),
    "Categorical-logits": lambda t, d, m: d.Categorical(logits=t([0.1, 0.2, 0.7])),
    "Cauchy": lambda t, d, m: d.Cauchy(t([0.0, 1.0]), t([1.0, 2.5])),
    "Chi2": lambda t, d, m: d.Chi2(t([1.0, 4.0])),
    "ContinuousBernoulli": lambda t, d, m: d.ContinuousBernoulli(t([0.1, 0.5, 0.8])),
    "ContinuousBernoulli-logits": lambda t, d, m: d.ContinuousBernoulli(logits=t([-2.0, 0.001])),
    "Dirichlet": lambda t, d, m: d.Dirichlet(t([[0.5, 2.0, 3.0], [10.0, 20.0, 9.0]])),
    "Exponential": lambda t, d, m: d.Exponential(t([0.5, 3.0])),
    "Exponential-number": lambda t, d, m: d.Exponential(2.0),
    "FisherSnedecor": lambda t, d, m: d.FisherSnedecor(t([3.0, 7.0]), t([5.0, 1.5])),
    "Gamma": lambda t, d, m: d.Gamma(t([0.3, 2.0, 20.0]), t([1.0, 0.5, 3.0])),
    "GeneralizedPareto": lambda t, d, m: d.GeneralizedPareto(
        t([0.0, 1.0, 0.0]), t([1.0, 2.0, 0.5]), t([0.2, 0.0, -0.7])
    ),
    "Geometric": lambda t, d, m: d.Geometric(t([0.2, 0.9])),
    "Geometric-logits": lambda t, d, m: d.Geometric(logits=t([-1.0, 1.0])),
    "Gumbel": lambda t, d, m: d.Gumbel(t([0.0, 2.0]), t([1.0, 3.0])),
    "Gumbel-number": lambda t, d, m: d.Gumbel(1.0, 2.0),
    "HalfCauchy": lambda t, d, m: d.HalfCauchy(t([1.0, 3.0])),
    "HalfNormal": lambda t, d, m: d.HalfNormal(t([1.0, 3.0])),
    "Independent": lambda t, d, m: d.Independent(
        d.Normal(t([[0.0, 1.0], [2.0, 3.0]]), t([1.0, 2.0])), 1
    ),
    "InverseGamma": lambda t, d, m: d.InverseGamma(t([0.5, 2.5]), t([1.0, 2.0])),
    "Kumaraswamy": lambda t, d, m: d.Kumaraswamy(t([0.5, 2.0]), t([1.5, 3.0])),
    "LKJCholesky": lambda t, d, m: d.LKJCholesky(3, t([0.5, 2.0])),
    "Laplace": lambda t, d, m: d.Laplace(t([0.0, 2.0]), t([1.0, 3.0])),
    "LogNormal": lambda t, d, m: d.LogNormal(t([0.0, 1.0]), t([1.0, 0.5])),
    "LogisticNormal": lambda t, d, m: d.LogisticNormal(t([0.0, 1.0]), t([1.0, 0.5])),
    "LowRankMultivariateNormal": lambda t, d, m: d.LowRankMultivariateNormal(
        t([0.0, 1.0, 2.0]), t([[1.0, 0.5], [0.2, 1.0], [0.0, 0.3]]), t([1.0, 2.0, 0.5])
    ),
    "MixtureSameFamily": lambda t, d, m: d.MixtureSameFamily(
        d.Categorical(t([0.3, 0.7])), d.Normal(t([-1.0, 2.0]), t([0.5, 1.0]))
    ),
    "MixtureSameFamily-vectors": lambda t, d, m: d.MixtureSameFamily(
        d.Categorical(t([[0.3, 0.7], [0.5, 0.5]])),
        d.Independent(d.Normal(t([[[-1.0, 0.0], [2.0, 1.0]]] * 2), t([0.5])), 1),
    ),
    "Multinomial": lambda t, d, m: d.Multinomial(5, t([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])),
    "MultivariateNormal-covariance": lambda t, d, m: d.MultivariateNormal(
        t([[0.0, 1.0], [2.0, 3.0]]), covariance_matrix=t([[2.0, 0.5], [0.5, 1.0]])
    ),
    "MultivariateNormal-precision": lambda t, d, m: d.MultivariateNormal(
        t([0.0, 1.0]), precision_matrix=t([[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    ),
    "MultivariateNormal-tril": lambda t, d, m: d.MultivariateNormal(
        t([0.0, 1.0]), scale_tril=t([[1.0, 0.0], [0.5, 2.0]])
    ),
    "NegativeBinomial": lambda t, d, m: d.NegativeBinomial(t([3.0, 7.5]), t([0.3, 0.6])),
    "NegativeBinomial-logits": lambda t, d, m: d.NegativeBinomial(4, logits=t([0.3, -0.6])),
    "Normal": lambda t, d, m: d.Normal(t([0.0, 1.0, -3.0]), t([1.0, 0.1, 5.0])),
    "Normal-number": lambda t, d, m: d.Normal(0.0, 1.0),
    "OneHotCategorical": lambda t, d, m: d.OneHotCategorical(t([0.1, 0.2, 0.7])),
    "OneHotCategoricalStraightThrough": lambda t, d, m: d.OneHotCategoricalStraightThrough(
        logits=t([[0.1, 0.2, 0.7], [0.0, 3.0, 1.0]])
    ),
    "Pareto": lambda t, d, m: d.Pareto(t([1.0, 2.0]), t([1.5, 3.0])),
    "Poisson": lambda t, d, m: d.Poisson(t([0.0, 0.5, 30.0])),
    "RelaxedBernoulli": lambda t, d, m: d.RelaxedBernoulli(t(0.7), t([0.2, 0.6])),
    "RelaxedOneHotCategorical": lambda t, d, m: d.RelaxedOneHotCategorical(
        t(0.7), t([[0.1, 0.2, 0.7], [1.0, 2.0, 3.0]])
    ),
    "StudentT": lambda t, d, m: d.StudentT(t([0.9, 1.5, 7.0]), t([0.0, 1.0, 2.0]), t(2.0)),
    "TransformedDistribution": lambda t, d, m: d.TransformedDistribution(
        d.Normal(t([0.0, 1.0]), t([1.0, 0.5])),
        [d.AffineTransform(t(1.0), t([2.0, -3.0])), d.TanhTransform(), d.SigmoidTransform()],
    ),
    "Uniform": lambda t, d, m: d.Uniform(t([0.0, -2.0]), t([1.0, 5.0])),
    "VonMises": lambda t, d, m: d.VonMises(t([0.0, 1.0, 2.0]), t([1e-6, 2.0, 30.0])),
    "Weibull": lambda t, d, m: d.Weibull(t([1.0, 2.0]), t([0.7, 3.0])),
    "Wishart": lambda t, d, m: d.Wishart(t([3.0, 5.5]), t([[2.0, 0.5], [0.5, 1.0]])),
    "Wishart-precision": lambda t, d, m: d.Wishart(
        4.0, precision_matrix=t([[2.0, 0.5], [0.5, 1.0]])
    ),
}
PROPERTIES = ("mean", "mode", "variance", "stddev")


# PyTorch's GeneralizedPareto refuses float64.
DTYPES = {"GeneralizedPareto": ("float32", 1e-4)}


class Engine:
    """One of the two libraries, with distributions made the same way."""

    def __init__(self, module: Any, dtype: str = "float32") -> None:
        self.m = module
        self.d = module.distributions
        self.dtype = getattr(module, dtype)
        self.leaves: list[Any] = []

    def tensor(self, data: Any) -> Any:
        leaf = self.m.tensor(data, dtype=self.dtype).requires_grad_()
        self.leaves.append(leaf)
        return leaf

    def make(self, name: str) -> Any:
        self.leaves = []
        return CASES[name](self.tensor, self.d, self.m)

    def plain(self, array: np.ndarray) -> Any:
        return self.m.tensor(array)


def both(oracle: Any, name: str, dtype: str = "float32") -> Any:
    ours, theirs = Engine(flambeau, dtype), Engine(oracle, dtype)
    return ours, theirs, ours.make(name), theirs.make(name)


def close(ours: Any, theirs: Any, what: str, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    assert str(ours.dtype) == str(theirs.dtype), what
    assert tuple(ours.shape) == tuple(theirs.shape), what
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol, err_msg=what
    )


def attempt(call: Any, *args: Any) -> tuple[Any, type | None]:
    try:
        return call(*args), None
    except (NotImplementedError, ValueError, RuntimeError, AssertionError) as error:
        return None, type(error)


def seeded(module: Any, call: Any, *args: Any) -> tuple[Any, type | None, float]:
    """What a call gives after a seed, and the generator's next number."""
    module.manual_seed(3)
    return (*attempt(call, *args), module.rand(1).item())


@pytest.mark.parametrize("name", CASES)
def test_samples(oracle: Any, name: str) -> None:
    ours, theirs, p, q = both(oracle, name)
    assert p.has_rsample == q.has_rsample
    for shape in ((), (7,), (2, 20)):
        for draw in ("sample", "rsample"):
            found, failed, state = seeded(flambeau, getattr(p, draw), shape)
            expected, error, wanted = seeded(oracle, getattr(q, draw), shape)
            assert failed == error, (failed, error)
            if error is None and name == "LKJCholesky":
                # The diagonal is the root of what the squares of a row leave of 1: near 0 a unit in
                # the last place of a normal moves it by any factor, its square it does not.
                for part in (lambda x: x.tril(-1), lambda x: x.diagonal(dim1=-2, dim2=-1) ** 2):
                    close(part(found), part(expected), f"{draw}{shape}")
            elif error is None:
                close(found, expected, f"{draw}{shape}")
                assert found.requires_grad == expected.requires_grad
            assert state == wanted, "the generators parted"


@pytest.mark.parametrize("name", CASES)
def test_numbers(oracle: Any, name: str) -> None:
    ours, theirs, p, q = both(oracle, name, "float64")
    assert repr(p) == repr(q)
    assert (p.batch_shape, p.event_shape) == (tuple(q.batch_shape), tuple(q.event_shape))
    assert p.has_enumerate_support == q.has_enumerate_support
    assert repr(attempt(lambda: p.support)[0]) == repr(attempt(lambda: q.support)[0])
    calls = [(what, lambda e, what=what: getattr(e, what)) for what in PROPERTIES]
    calls += [("entropy", lambda e: e.entropy()), ("perplexity", lambda e: e.perplexity())]
    calls += [("enumerate", lambda e: e.enumerate_support())]
    calls += [("enumerate short", lambda e: e.enumerate_support(expand=False))]
    for what, call in calls:
        found, failed = attempt(call, p)
        expected, error = attempt(call, q)
        assert failed == error, what
        if error is None:
            single = str(expected.dtype) == "torch.float32"
            close(found, expected, what, 1e-5 if single else 1e-6, 1e-6 if single else 1e-7)
    assert repr(p) == repr(q)


@pytest.mark.parametrize("name", CASES)
def test_densities(oracle: Any, name: str) -> None:
    dtype, rtol = DTYPES.get(name, ("float64", 1e-6))
    ours, theirs, p, q = both(oracle, name, dtype)
    value = q.sample((4,)).numpy()
    unit = np.random.default_rng(0).uniform(0.05, 0.95, (4, *q.batch_shape, *q.event_shape))
    unit = unit.astype(dtype)
    for what, at in (("log_prob", value), ("cdf", value), ("icdf", unit)):
        found, failed = attempt(getattr(p, what), ours.plain(at))
        expected, error = attempt(getattr(q, what), theirs.plain(at))
        assert failed == error, what
        if error is None:
            close(found, expected, what, rtol, 1e-7)
            gradients(ours, theirs, found, expected, what, 10 * rtol)


@pytest.mark.parametrize("name", [n for n in CASES if "StraightThrough" not in n])
def test_pathwise_gradients(oracle: Any, name: str) -> None:
    ours, theirs, p, q = both(oracle, name, "float64")
    if not q.has_rsample:
        return  # test_samples compares the refusals
    found, _, _ = seeded(flambeau, lambda: p.rsample((3,)))
    expected, _, _ = seeded(oracle, lambda: q.rsample((3,)))
    gradients(ours, theirs, found, expected, "rsample", 1e-5)


def backward(engine: Engine, out: Any, weight: np.ndarray) -> Any:
    loss = (out * engine.plain(weight)).sum()
    return engine.m.autograd.grad(loss, engine.leaves, allow_unused=True, retain_graph=True)


def gradients(
    ours: Engine, theirs: Engine, found: Any, expected: Any, what: str, rtol: float = 1e-5
) -> None:
    assert found.requires_grad == expected.requires_grad, what
    if not expected.requires_grad:
        return
    weight = np.linspace(0.5, 1.5, expected.numel()).reshape(tuple(expected.shape))
    weight = weight.astype(expected.detach().numpy().dtype)
    a, failed = attempt(lambda: backward(ours, found, weight))
    b, error = attempt(lambda: backward(theirs, expected, weight))
    if what == "rsample" and error is RuntimeError:
        return  # PyTorch writes over what Wishart's graph needs
    assert failed == error, what
    for left, right in zip(a or (), b or (), strict=True):
        assert (left is None) == (right is None), what
        if right is not None:
            close(left, right, f"gradient of {what}", rtol, 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_expand(oracle: Any, name: str) -> None:
    dtype, rtol = DTYPES.get(name, ("float64", 1e-6))
    ours, theirs, p, q = both(oracle, name, dtype)
    batch = (3, *q.batch_shape)
    found, failed = attempt(lambda: p.expand(batch))
    expected, error = attempt(lambda: q.expand(batch))
    assert failed == error, (failed, error)
    assert type(found) is type(p)
    assert (found.batch_shape, found.event_shape) == (batch, tuple(q.event_shape))
    assert repr(found) == repr(expected)
    value, error, _ = seeded(oracle, lambda: expected.sample((2,)))
    if error is not None:
        return  # PyTorch expands it to something that cannot draw
    close(seeded(flambeau, lambda: found.sample((2,)))[0], value, "sample")
    at = ours.plain(value.numpy())
    close(found.log_prob(at), expected.log_prob(value), "log_prob", rtol)


def test_every_distribution_has_a_case(oracle: Any) -> None:
    covered = {name.split("-")[0] for name in CASES}
    abstract = {"Distribution", "ExponentialFamily"}
    classes = {
        name
        for name in oracle.distributions.__all__
        if inspect.isclass(getattr(oracle.distributions, name))
        and issubclass(getattr(oracle.distributions, name), oracle.distributions.Distribution)
    }
    assert classes - abstract == covered
    assert set(oracle.distributions.__all__) == set(flambeau.distributions.__all__)


KL_NAMES = [n for n in CASES if not n.startswith(("Wishart-", "MixtureSameFamily"))]


def test_divergences(oracle: Any) -> None:
    """Every pair: the same formula, or the same refusal."""
    ours, theirs = Engine(flambeau, "float64"), Engine(oracle, "float64")
    wrong = []
    for first in KL_NAMES:
        for second in KL_NAMES:
            left = ours.make(first), ours.make(second)
            right = theirs.make(first), theirs.make(second)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found, failed = attempt(ours.d.kl_divergence, *left)
                expected, error = attempt(theirs.d.kl_divergence, *right)
            if failed != error:
                wrong.append((first, second, failed, error))
            elif error is None:
                a, b = found.detach().numpy(), expected.detach().numpy()
                # Numbers make float32 parameters.
                rtol, atol = (1e-5, 2e-6) if "number" in first + second else (1e-6, 1e-8)
                if a.shape != b.shape or not np.allclose(a, b, rtol, atol, equal_nan=True):
                    wrong.append((first, second, a, b))
    assert not wrong, wrong


def test_registered_pairs(oracle: Any) -> None:
    from flambeau.distributions.kl import _KL_REGISTRY

    def names(registry: Any) -> set[tuple[str, str]]:
        return {(p.__name__, q.__name__) for p, q in registry}

    assert names(_KL_REGISTRY) == names(oracle.distributions.kl._KL_REGISTRY)
