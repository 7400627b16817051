"""Constraints: the sets that parameters and values of distributions live in, checked elementwise.

``constraints.positive.check(x)`` is a boolean tensor. Names and texts are PyTorch's; families stand
in a file each: one number, a vector, a matrix, and constraints made of constraints.
"""

from flambeau.distributions.constraints.base import (
    Constraint,
    _Dependent,
    _DependentProperty,
    is_dependent,
)
from flambeau.distributions.constraints.combined import (
    MixtureSameFamilyConstraint,
    _Cat,
    _IndependentConstraint,
    _Stack,
)
from flambeau.distributions.constraints.matrix import (
    _CorrCholesky,
    _LowerCholesky,
    _LowerTriangular,
    _PositiveDefinite,
    _PositiveSemidefinite,
    _Square,
    _Symmetric,
)
from flambeau.distributions.constraints.scalar import (
    _Boolean,
    _GreaterThan,
    _GreaterThanEq,
    _HalfOpenInterval,
    _IntegerGreaterThan,
    _IntegerInterval,
    _IntegerLessThan,
    _Interval,
    _LessThan,
    _Real,
)
from flambeau.distributions.constraints.vector import _Multinomial, _OneHot, _Simplex

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]

dependent = _Dependent()
dependent_property = _DependentProperty

boolean: Constraint = _Boolean()
real: Constraint = _Real()
positive: Constraint = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
unit_interval: Constraint = _Interval(0.0, 1.0)
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
interval = _Interval
half_open_interval = _HalfOpenInterval
integer_interval = _IntegerInterval

independent = _IndependentConstraint
cat = _Cat
stack = _Stack

one_hot = _OneHot()
simplex: Constraint = _Simplex()
multinomial = _Multinomial
real_vector: Constraint = independent(real, 1)

square = _Square()
symmetric = _Symmetric()
lower_triangular = _LowerTriangular()
lower_cholesky: Constraint = _LowerCholesky()
corr_cholesky: Constraint = _CorrCholesky()
positive_semidefinite: Constraint = _PositiveSemidefinite()
positive_definite: Constraint = _PositiveDefinite()
