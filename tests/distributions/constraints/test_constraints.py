"""What constraints hold, print and say of themselves."""

from __future__ import annotations

import pytest

import flambeau
from flambeau.distributions import Normal, Uniform, constraints
from flambeau.distributions.constraints.base import satisfied

T = flambeau.tensor


def test_checks_drop_the_event_dimensions() -> None:
    rows = T([[0.5, 0.5], [0.5, 0.6]])
    assert constraints.simplex.check(rows).tolist() == [True, False]
    assert constraints.real.check(T([1.0, float("nan")])).tolist() == [True, False]
    assert constraints.independent(constraints.positive, 2).check(rows).item() is True


def test_texts() -> None:
    assert repr(constraints.positive) == "GreaterThan(lower_bound=0.0)"
    assert repr(constraints.interval(0, 2)) == "Interval(lower_bound=0, upper_bound=2)"
    assert repr(constraints.real_vector) == "IndependentConstraint(Real(), 1)"


def test_dependent_constraints_are_known_at_instances() -> None:
    assert constraints.is_dependent(Uniform.support)
    assert not constraints.is_dependent(Uniform(0.0, 1.0).support)
    assert Uniform.support.event_dim == 0
    with pytest.raises(ValueError, match="instance"):
        constraints.dependent.check(T(1.0))
    with pytest.raises(NotImplementedError, match="event_dim"):
        _ = constraints.dependent.event_dim
    assert constraints.dependent(event_dim=1).event_dim == 1
    assert not constraints.is_dependent(Normal.support)


def test_slices() -> None:
    joined = constraints.cat([constraints.positive, constraints.boolean], 0, [1, 2])
    assert joined.check(T([2.0, 1.0, 3.0])).tolist() == [True, True, False]
    assert joined.is_discrete
    with pytest.raises(AssertionError, match="dim"):
        joined.check(T(1.0))


def test_short_ways_agree_with_checks() -> None:
    kinds = [
        constraints.real,
        constraints.positive,
        constraints.nonnegative,
        constraints.unit_interval,
        constraints.integer_interval(0, 1),
        constraints.simplex,
        constraints.real_vector,
        constraints.independent(constraints.positive, 1),
    ]
    rows = [[0.5, 0.5], [1.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0], [float("inf"), 0.0]]
    for constraint in kinds:
        for row in rows:
            value = T(row, dtype=flambeau.float64)
            assert satisfied(constraint, value) == bool(constraint.check(value).all())
    assert satisfied(constraints.integer_interval(0, 3), T([0, 3]))
    assert not satisfied(constraints.integer_interval(0, 3), T([0, 4]))


def test_a_users_check_is_asked() -> None:
    class Even(type(constraints.positive)):
        def check(self, value: object) -> object:
            return value % 2 == 0

    assert not satisfied(Even(0.0), T([1.0, 2.0]))
