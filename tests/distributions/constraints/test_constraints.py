"""What constraints hold, print and say of themselves."""

from __future__ import annotations

import pytest

import flambeau
from flambeau.distributions import Normal, Uniform, constraints

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
