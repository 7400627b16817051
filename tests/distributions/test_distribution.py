"""The base class: what is checked, how it is worded, expansion, copies, users' subclasses."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

import flambeau
from flambeau import distributions as d
from flambeau.distributions import constraints

T = flambeau.tensor


def test_parameter_errors_name_the_constraint() -> None:
    with pytest.raises(ValueError, match=r"scale.*GreaterThan\(lower_bound=0.0\).*1 of its 2"):
        d.Normal(T([0.0, 0.0]), T([1.0, -1.0]))


def test_sample_errors_name_the_support() -> None:
    with pytest.raises(ValueError, match=r"support.*Interval"):
        d.Beta(1.0, 1.0).log_prob(T(2.0))


def test_validation_can_be_left_out() -> None:
    normal = d.Normal(0.0, -1.0, validate_args=False)
    assert normal.log_prob(T(0.0)).isnan()
    assert d.Uniform(0.0, 1.0, validate_args=False).log_prob(T(2.0)) == -math.inf


def test_default_validation() -> None:
    before = d.Distribution._validate_args
    try:
        d.Distribution.set_default_validate_args(False)
        d.Normal(0.0, -1.0)
        d.Distribution.set_default_validate_args(True)
        with pytest.raises(ValueError):
            d.Normal(0.0, -1.0)
    finally:
        d.Distribution.set_default_validate_args(before)


def test_expand_keeps_parameters_and_settings() -> None:
    loc = T([0.0, 1.0], requires_grad=True)
    normal = d.Normal(loc, 1.0, validate_args=False).expand((3, 2))
    assert normal.batch_shape == (3, 2)
    assert normal._validate_args is False
    normal.rsample().sum().backward()
    assert loc.grad.tolist() == [3.0, 3.0]


def test_subclasses_expand() -> None:
    class Same(d.Normal):
        pass

    class Other(d.Normal):
        def __init__(self, loc: Any) -> None:
            super().__init__(loc, 1.0)

    class Told(Other):
        def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
            new = self._get_checked_instance(Told, _instance)
            return super().expand(batch_shape, _instance=new)

    assert type(Same(0.0, 1.0).expand((2,))) is Same
    assert type(Told(0.0).expand((2,))) is Told
    with pytest.raises(NotImplementedError, match=r"Other.*expand\(\)"):
        Other(0.0).expand((2,))


def test_a_users_distribution() -> None:
    class Point(d.Distribution):
        arg_constraints = {"at": constraints.real}
        support = constraints.real

        def __init__(self, at: Any, validate_args: Any = None) -> None:
            self.at = at
            super().__init__(at.shape, validate_args=validate_args)

        def rsample(self, sample_shape: Any = ()) -> Any:
            return self.at.expand(self._extended_shape(sample_shape))

    point = Point(T([1.0, 2.0]))
    assert repr(point) == "Point(at: torch.Size([2]))"
    assert point.sample((3,)).shape == (3, 2)
    with pytest.raises(NotImplementedError):
        point.expand((2, 2))
    with pytest.raises(NotImplementedError):
        point.entropy()


def test_undeclared_constraints_are_warned_about() -> None:
    class Bare(d.Distribution):
        pass

    with pytest.warns(UserWarning, match="arg_constraints"):
        Bare()


def test_sample_n_is_deprecated() -> None:
    with pytest.warns(FutureWarning, match="sample_n"):
        assert d.Normal(0.0, 1.0).sample_n(4).shape == (4,)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_draw_the_same(duplicate: Any) -> None:
    for made in (d.Normal(0.0, 1.0), d.LogNormal(T([0.0]), 1.0), d.Gumbel(T([0.0, 1.0]), 2.0)):
        again = duplicate(made)
        flambeau.manual_seed(0)
        first = made.sample((3,))
        flambeau.manual_seed(0)
        assert again.sample((3,)).tolist() == first.tolist()


def test_samples_have_no_graph_and_rsamples_do() -> None:
    scale = T(1.0, requires_grad=True)
    normal = d.Normal(0.0, scale)
    assert not normal.sample().requires_grad
    assert normal.rsample().requires_grad
