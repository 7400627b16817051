"""Constraints, transforms, the registries and what is refused, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

RNG = np.random.default_rng(0)
VECTOR = RNG.normal(size=(4, 3))
MATRIX = RNG.normal(size=(2, 3, 3))
SIX = RNG.normal(size=(2, 6))
UNIT = RNG.uniform(0.1, 2.0, (4, 3))

# Constructor (d is torch.distributions, t makes a tensor) and where to evaluate it.
TRANSFORMS: dict[str, tuple[Any, np.ndarray]] = {
    "abs": (lambda d, t: d.AbsTransform(), VECTOR),
    "affine": (lambda d, t: d.AffineTransform(1.0, -2.0), VECTOR),
    "affine event": (lambda d, t: d.AffineTransform(t([1.0, 2, 3]), t([-1.0, 2, 3]), 1), VECTOR),
    "affine number event": (lambda d, t: d.AffineTransform(0.0, 3, event_dim=1), VECTOR),
    "cat": (
        lambda d, t: d.CatTransform([d.ExpTransform(), d.identity_transform], -1, [1, 2]),
        VECTOR,
    ),
    "cat first": (
        lambda d, t: d.CatTransform([d.ExpTransform(), d.TanhTransform()], 0, [1, 3]),
        VECTOR,
    ),
    "compose": (
        lambda d, t: d.ComposeTransform(
            [d.AffineTransform(0.5, 2.0), d.SigmoidTransform(), d.StickBreakingTransform()]
        ),
        VECTOR,
    ),
    "corr_cholesky": (lambda d, t: d.CorrCholeskyTransform(), SIX),
    "cdf": (lambda d, t: d.CumulativeDistributionTransform(d.Normal(t(0.0), t(2.0))), VECTOR),
    "exp": (lambda d, t: d.ExpTransform(), VECTOR),
    "exp inverse": (lambda d, t: d.ExpTransform().inv, UNIT),
    "identity": (lambda d, t: d.identity_transform, VECTOR),
    "independent": (lambda d, t: d.IndependentTransform(d.ExpTransform(), 1), VECTOR),
    "lower_cholesky": (lambda d, t: d.LowerCholeskyTransform(), MATRIX),
    "positive_definite": (lambda d, t: d.PositiveDefiniteTransform(), MATRIX),
    "power": (lambda d, t: d.PowerTransform(t([0.5, -2.0, 3.0])), UNIT),
    "reshape": (lambda d, t: d.ReshapeTransform((3,), (3, 1)), VECTOR),
    "sigmoid": (lambda d, t: d.SigmoidTransform(), VECTOR),
    "softmax": (lambda d, t: d.SoftmaxTransform(), VECTOR),
    "softplus": (lambda d, t: d.SoftplusTransform(), VECTOR),
    "stack": (
        lambda d, t: d.StackTransform(
            [d.ExpTransform(), d.identity_transform, d.TanhTransform()], -1
        ),
        VECTOR,
    ),
    "stick": (lambda d, t: d.StickBreakingTransform(), VECTOR),
    "tanh": (lambda d, t: d.TanhTransform(), VECTOR),
}

CONSTRAINTS: dict[str, Any] = {
    "real": lambda c, t: c.real,
    "real_vector": lambda c, t: c.real_vector,
    "positive": lambda c, t: c.positive,
    "nonnegative": lambda c, t: c.nonnegative,
    "greater_than": lambda c, t: c.greater_than(t(-1.0)),
    "greater_than_eq": lambda c, t: c.greater_than_eq(0.5),
    "less_than": lambda c, t: c.less_than(2.0),
    "unit_interval": lambda c, t: c.unit_interval,
    "interval": lambda c, t: c.interval(-1.0, t([1.0, 2.0, 3.0])),
    "half_open_interval": lambda c, t: c.half_open_interval(-1.0, 1.5),
    "boolean": lambda c, t: c.boolean,
    "one_hot": lambda c, t: c.one_hot,
    "nonnegative_integer": lambda c, t: c.nonnegative_integer,
    "positive_integer": lambda c, t: c.positive_integer,
    "integer_interval": lambda c, t: c.integer_interval(0, 2),
    "multinomial": lambda c, t: c.multinomial(2),
    "simplex": lambda c, t: c.simplex,
    "square": lambda c, t: c.square,
    "symmetric": lambda c, t: c.symmetric,
    "lower_triangular": lambda c, t: c.lower_triangular,
    "lower_cholesky": lambda c, t: c.lower_cholesky,
    "corr_cholesky": lambda c, t: c.corr_cholesky,
    "positive_definite": lambda c, t: c.positive_definite,
    "positive_semidefinite": lambda c, t: c.positive_semidefinite,
    "independent": lambda c, t: c.independent(c.positive, 1),
    "cat": lambda c, t: c.cat([c.positive, c.real], -1, [1, 2]),
    "stack": lambda c, t: c.stack([c.positive, c.real, c.unit_interval], -1),
    "mixture": lambda c, t: c.MixtureSameFamilyConstraint(c.positive),
    "dependent": lambda c, t: c.dependent,
}

VALUES = {
    "numbers": VECTOR,
    "simplex": UNIT / UNIT.sum(-1, keepdims=True),
    "one-hot": np.eye(3),
    "counts": np.array([[0.0, 1, 2], [3, 0, 0], [-1, 0, 1]]),
    "identity": np.eye(3) * np.array([1.0, 2.0])[:, None, None],
    "symmetric": MATRIX + MATRIX.mT,
    "definite": MATRIX @ MATRIX.mT,
    "triangular": np.tril(MATRIX),
    "holes": np.array([[0.5, np.nan, 1.0], [np.inf, 0.0, 1.0]]),
    "flat": np.float64(0.5),
}

# What is refused: constructors and calls, by both with the same exception.
REFUSED: dict[str, Any] = {
    "normal scale": lambda d, t: d.Normal(0.0, -1.0),
    "normal nan": lambda d, t: d.Normal(t([0.0, float("nan")]), 1.0),
    "normal string": lambda d, t: d.Normal("a", 1.0),
    "bernoulli both": lambda d, t: d.Bernoulli(0.5, logits=0.5),
    "bernoulli none": lambda d, t: d.Bernoulli(),
    "bernoulli probability": lambda d, t: d.Bernoulli(1.5),
    "categorical flat": lambda d, t: d.Categorical(t(0.5)),
    "categorical negative": lambda d, t: d.Categorical(t([-0.5, 1.5])),
    "categorical value": lambda d, t: d.Categorical(t([0.5, 0.5])).log_prob(t(2.0)),
    "geometric zero": lambda d, t: d.Geometric(t([0.0, 0.5])),
    "dirichlet flat": lambda d, t: d.Dirichlet(t(1.0)),
    "uniform order": lambda d, t: d.Uniform(1.0, 0.0),
    "uniform value": lambda d, t: d.Uniform(0.0, 1.0).log_prob(t(2.0)),
    "value type": lambda d, t: d.Normal(0.0, 1.0).log_prob(1.0),
    "value event": lambda d, t: d.Dirichlet(t([1.0, 1.0])).log_prob(t([0.2, 0.2, 0.6])),
    "value batch": lambda d, t: d.Normal(t([0.0, 1.0]), 1.0).log_prob(t([0.0, 1.0, 2.0])),
    "multinomial count": lambda d, t: d.Multinomial(t(3.0), t([0.5, 0.5])),
    "mvn none": lambda d, t: d.MultivariateNormal(t([0.0, 1.0])),
    "mvn flat": lambda d, t: d.MultivariateNormal(t(0.0), scale_tril=t([[1.0]])),
    "mvn vector": lambda d, t: d.MultivariateNormal(t([0.0]), scale_tril=t([1.0])),
    "mvn indefinite": lambda d, t: d.MultivariateNormal(t([0.0, 0.0]), t([[1.0, 2.0], [2.0, 1.0]])),
    "low rank factor": lambda d, t: d.LowRankMultivariateNormal(
        t([0.0, 1.0]), t([[1.0]]), t([1.0, 1.0])
    ),
    "wishart df": lambda d, t: d.Wishart(0.5, t([[1.0, 0.0], [0.0, 1.0]])),
    "wishart none": lambda d, t: d.Wishart(3.0),
    "lkj dim": lambda d, t: d.LKJCholesky(1),
    "independent": lambda d, t: d.Independent(d.Normal(t([0.0]), 1.0), 2),
    "mixture type": lambda d, t: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(t([0.0]), 1.0)),
    "mixture count": lambda d, t: d.MixtureSameFamily(
        d.Categorical(t([0.5, 0.5])), d.Normal(t([0.0, 1.0, 2.0]), 1.0)
    ),
    "transformed list": lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), [1]),
    "transformed flat": lambda d, t: d.TransformedDistribution(
        d.Normal(0.0, 1.0), d.StickBreakingTransform()
    ),
    "cache": lambda d, t: d.ExpTransform(cache_size=2),
    "reshape": lambda d, t: d.ReshapeTransform((2,), (3,)),
    "abs determinant": lambda d, t: d.AbsTransform().log_abs_det_jacobian(t(1.0), t(1.0)),
    "stick shape": lambda d, t: d.StickBreakingTransform().forward_shape(()),
    "corr shape": lambda d, t: d.CorrCholeskyTransform().forward_shape((4,)),
    "event_dim": lambda d, t: d.CorrCholeskyTransform().event_dim,
    "kl": lambda d, t: d.kl_divergence(d.Normal(0.0, 1.0), d.Poisson(1.0)),
    "kl independent": lambda d, t: d.kl_divergence(
        d.Independent(d.Normal(t([0.0]), 1.0), 1), d.Independent(d.Normal(t([0.0]), 1.0), 0)
    ),
    "default": lambda d, t: d.Distribution.set_default_validate_args(None),
    "registry": lambda d, t: d.transform_to.register(int, abs),
    "simplex to matrix": lambda d, t: d.biject_to(d.constraints.lower_cholesky),
    "binomial counts": lambda d, t: d.Binomial(t([2.0, 3.0]), t([0.5, 0.5])).entropy(),
    "base mean": lambda d, t: d.Distribution(validate_args=False).mean,
    "base mode": lambda d, t: d.Distribution(validate_args=False).mode,
}


def tensors(module: Any) -> Any:
    return lambda data: module.tensor(data, dtype=module.float64)


def outcome(call: Any, *args: Any) -> tuple[Any, type | None]:
    try:
        return call(*args), None
    except Exception as error:
        return None, type(error)


def same(found: Any, expected: Any, what: str) -> None:
    assert tuple(found.shape) == tuple(expected.shape), what
    np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-7, 1e-9, err_msg=what)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transform(oracle: Any, name: str) -> None:
    make, at = TRANSFORMS[name]
    ours = make(flambeau.distributions, tensors(flambeau))
    theirs = make(oracle.distributions, tensors(oracle))
    assert repr(ours) == repr(theirs)
    assert repr(ours.inv) == repr(theirs.inv)
    assert ours.inv.inv is ours
    assert ours.bijective == theirs.bijective
    for side in ("domain", "codomain"):
        assert repr(getattr(ours, side)) == repr(getattr(theirs, side))
    assert repr(outcome(lambda: ours.sign)) == repr(outcome(lambda: theirs.sign))
    x, expected_x = flambeau.tensor(at), oracle.tensor(at)
    y, expected_y = ours(x), theirs(expected_x)
    same(y, expected_y, "forward")
    same(ours.inv(y), theirs.inv(expected_y), "inverse")
    found, failed = outcome(ours.log_abs_det_jacobian, x, y)
    expected, error = outcome(theirs.log_abs_det_jacobian, expected_x, expected_y)
    assert failed == error
    if error is None:
        same(found, expected, "log determinant")
        same(ours.inv.log_abs_det_jacobian(y, x), -expected, "inverse log determinant")
    assert ours.forward_shape(x.shape) == tuple(theirs.forward_shape(expected_x.shape))
    assert ours.inverse_shape(y.shape) == tuple(theirs.inverse_shape(expected_y.shape))
    cached = ours.with_cache()
    again = cached(x)
    same(again, expected_y, "cached")
    if name != "identity":
        assert cached.inv(again) is x or isinstance(cached, flambeau.distributions.ComposeTransform)
    assert (ours == make(flambeau.distributions, tensors(flambeau))) == (
        theirs == make(oracle.distributions, tensors(oracle))
    )


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint(oracle: Any, name: str) -> None:
    make = CONSTRAINTS[name]
    ours = make(flambeau.distributions.constraints, tensors(flambeau))
    theirs = make(oracle.distributions.constraints, tensors(oracle))
    assert repr(ours) == repr(theirs)
    for attribute in ("event_dim", "is_discrete"):
        assert outcome(getattr, ours, attribute) == outcome(getattr, theirs, attribute)
    for value in VALUES.values():
        found, failed = outcome(ours.check, flambeau.tensor(value))
        expected, error = outcome(theirs.check, oracle.tensor(value))
        assert (failed is None) == (error is None), (failed, error)
        if error is None:
            assert np.array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_registry(oracle: Any, registry: str, name: str) -> None:
    make = CONSTRAINTS[name]
    ours, theirs = flambeau.distributions, oracle.distributions
    constraint = make(ours.constraints, tensors(flambeau))
    found, failed = outcome(getattr(ours, registry), constraint)
    expected, error = outcome(getattr(theirs, registry), make(theirs.constraints, tensors(oracle)))
    assert failed == error
    if error is None:
        assert repr(found) == repr(expected)
        at = MATRIX if found.domain.event_dim == 2 else SIX if "corr" in name else VECTOR
        y = found(flambeau.tensor(at))
        same(y, expected(oracle.tensor(at)), "forward")
        assert constraint.check(y).all()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(oracle: Any, name: str) -> None:
    call = REFUSED[name]
    _, error = outcome(call, oracle.distributions, tensors(oracle))
    assert error is not None, "PyTorch accepts it"
    with pytest.raises(error):
        call(flambeau.distributions, tensors(flambeau))


def test_names(oracle: Any) -> None:
    for module in ("constraints", "transforms", "constraint_registry", "kl", "utils"):
        theirs = set(getattr(oracle.distributions, module).__all__)
        assert theirs <= set(dir(getattr(flambeau.distributions, module))), module
