"""The base of all distributions: shapes, argument and sample checks, expansion, text.

A subclass names in ``_batched`` what it holds per batch; `expand` widens these. Samplers, densities
and moments stand in the subclasses' files.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.constraints.base import satisfied
from flambeau.distributions.utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A probability distribution of events of ``event_shape``, a batch of ``batch_shape`` of them.

    Args:
        batch_shape: the shape of independent, differently parameterised distributions.
        event_shape: the shape of one draw of one of them.
        validate_args: whether arguments and samples are checked (default: the class's setting,
            on unless Python runs with ``-O``).

    Shape:
        a sample is ``sample_shape + batch_shape + event_shape``, its log_prob
        ``sample_shape + batch_shape``.

    Raises:
        ValueError: a parameter outside its constraint.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = __debug__
    # Attributes held once per batch entry, tensors or distributions: name to the number of
    # dimensions on their right that are not batch dimensions.
    _batched: ClassVar[dict[str, int]]
    # Attributes that an expanded copy shares.
    _shared: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions made from now on check their arguments.

        Raises:
            ValueError: no boolean.
        """
        if value not in (True, False):
            raise fail(
                ValueError, "set_default_validate_args", f"got {value!r}. Pass True or False."
            )
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Sequence[int] = Size(),
        event_shape: Sequence[int] = Size(),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape: Any = batch_shape
        self._event_shape: Any = event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        """The same distribution over a larger batch; parameters are expanded, never copied.

        Args:
            batch_shape: what the batch broadcasts to.
            _instance: for subclasses that override this: the new object to fill.

        Raises:
            NotImplementedError: the class does not say how.
        """
        batch_shape = Size(batch_shape)
        new = self._widened(batch_shape, _instance)
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _widened(self, batch_shape: Size, _instance: Any) -> Any:
        """A new object whose batched attributes are wider."""
        owner = next((c for c in type(self).__mro__ if "_batched" in vars(c)), None)
        if owner is None:
            raise NotImplementedError(
                f"{type(self).__name__} does not define expand(). Define it, as a new object of "
                "expanded parameters."
            )
        new = self._get_checked_instance(owner, _instance)
        held = self.__dict__
        for name, trailing in owner._batched.items():
            if name in held:
                value = held[name]
                full = value._batch_shape if isinstance(value, Distribution) else value.shape
                setattr(new, name, value.expand(batch_shape + full[len(full) - trailing :]))
        for name in owner._shared:
            setattr(new, name, held[name])
        return new

    @property
    def batch_shape(self) -> Size:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single draw."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """The constraint of each parameter, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint that draws satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise NotImplementedError(f"{type(self).__name__} has no mode here. Use its mean.")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance to the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """Draws without a graph, of shape ``sample_shape + batch_shape + event_shape``."""
        with flambeau.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """Draws that are differentiable in the parameters (``has_rsample``)."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``; deprecated."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=stack_level(),
        )
        return self.sample(Size((n,)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or mass at ``value``."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw at most ``value``."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile: where the cdf is ``value``."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Every value of a discrete distribution, along a new first dimension.

        Args:
            expand: whether the batch dimensions are expanded, or stay 1.
        """
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """``-E[log_prob(x)]``, per batch entry, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """``exp(entropy())``."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Sequence[int] = Size()) -> Size:
        if not isinstance(sample_shape, Size):
            sample_shape = Size(sample_shape)
        return Size(sample_shape + self._batch_shape + self._event_shape)

    def _validate_parameters(self) -> None:
        try:
            known = self.arg_constraints
        except NotImplementedError:
            known = {}
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Set `arg_constraints = {{}}`, or "
                "pass `validate_args=False`, to construct it unchecked.",
                stacklevel=stack_level(),
            )
        for name, constraint in known.items():
            if constraints.is_dependent(constraint):
                continue
            # What is computed lazily from a parameter already checked.
            if name not in self.__dict__ and isinstance(
                getattr(type(self), name, None), lazy_property
            ):
                continue
            value = getattr(self, name)
            if not satisfied(constraint, value):
                valid = constraint.check(value)
                raise fail(
                    ValueError,
                    type(self).__name__,
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) to satisfy the constraint {constraint!r}, but "
                    f"{_count(valid)} do not. Map it there with distributions.transform_to, or "
                    "look for NaN upstream.",
                )

    def _validate_sample(self, value: Tensor) -> None:
        """Whether ``value`` could have been drawn: shape, broadcasting, support.

        Raises:
            ValueError: it could not.
        """
        name = type(self).__name__
        if not isinstance(value, Tensor):
            raise fail(
                ValueError,
                name,
                f"value must be a Tensor, got {type(value).__name__}. Use torch.tensor(value).",
            )
        given, event = value.size(), self._event_shape
        if given[len(given) - len(event) :] != event:
            raise fail(
                ValueError,
                name,
                f"value has shape {tuple(given)}, its right-most sizes must be the event_shape "
                f"{tuple(event)}. Transpose it, or check the parameters' shapes.",
            )
        expected = self._batch_shape + event
        for i, j in zip(reversed(given), reversed(expected)):
            if i != 1 and j != 1 and i != j:
                raise fail(
                    ValueError,
                    name,
                    f"value has shape {tuple(given)}, which does not broadcast with batch_shape + "
                    f"event_shape {tuple(expected)}. From the right, sizes must be equal or 1.",
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support`, so samples go unchecked. Define it, or "
                "pass `validate_args=False`.",
                stacklevel=stack_level(),
            )
            return
        if not satisfied(support, value):
            valid = support.check(value)
            raise fail(
                ValueError,
                name,
                f"Expected value argument ({type(value).__name__} of shape {tuple(given)}) to be "
                f"within the support ({support!r}) of {self!r}, but {_count(valid)} are not. Clamp "
                "it, or pass validate_args=False.",
            )

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """A bare object of this class for ``expand`` of ``cls`` to fill, or the one given.

        Raises:
            NotImplementedError: a subclass with its own ``__init__`` leaves ``expand`` to ``cls``.
        """
        if _instance is not None:
            return _instance
        if type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"{type(self).__name__} has an __init__ of its own, so the expand() of "
                f"{cls.__name__} cannot make one. Define expand() too."
            )
        return type(self).__new__(type(self))

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _count(valid: Tensor) -> str:
    bad = int((~valid).sum())
    return f"{bad} of its {valid.numel()} events"
