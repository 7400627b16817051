"""The table of divergences and its dispatch on two types.

Formulas register themselves from the other files of this folder, and from users' code.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributions.distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Pair = tuple[type, type]

_KL_REGISTRY: dict[Pair, Callable[..., Tensor]] = {}
_KL_MEMOIZE: dict[Pair, Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """A decorator that makes a function of (p, q) the divergence of these types.

    The most specific registration wins, as with method overriding; where p's and q's order
    disagree, the ambiguity is warned about and can be settled by a registration of its own.

    Raises:
        TypeError: no class. Any class will do: libraries have distributions of their own make.

    Example:
        ::

            @register_kl(Normal, MyNormal)
            def kl(p, q): ...
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type):
            raise fail(
                TypeError,
                "register_kl",
                f"expected {name} to be a Distribution subclass, got {kind!r}. Pass the class.",
            )

    def decorator(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        _KL_REGISTRY[type_p, type_q] = function
        _KL_MEMOIZE.clear()
        return function

    return decorator


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``KL(p || q) = integral p(x) log(p(x) / q(x)) dx``, per batch entry.

    Raises:
        NotImplementedError: no formula is registered for these types.

    Example:
        >>> import flambeau
        >>> from flambeau.distributions import Normal
        >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
        tensor(0.5000)
    """
    types = type(p), type(q)
    found = _KL_MEMOIZE.get(types)
    if found is None:
        found = _KL_MEMOIZE[types] = _dispatch_kl(*types)
    if found is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {types[0].__name__} and q type "
            f"{types[1].__name__}. Register one with register_kl, or estimate it: "
            "(p.log_prob(x) - q.log_prob(x)).mean() over x = p.sample((n,))."
        )
    return found(p, q)


def _dispatch_kl(type_p: type, type_q: type) -> Any:
    """The most specific registered function, or NotImplemented.

    Candidates are compared by p first, then by q, and the other way round.
    """
    matches = [
        (super_p, super_q)
        for super_p, super_q in _KL_REGISTRY
        if issubclass(type_p, super_p) and issubclass(type_q, super_q)
    ]
    if not matches:
        return NotImplemented
    ranks_p, ranks_q = _ranks(type_p), _ranks(type_q)
    left = min(matches, key=lambda m: (ranks_p[m[0]], ranks_q[m[1]]))
    right = min(matches, key=lambda m: (ranks_q[m[1]], ranks_p[m[0]]))
    if _KL_REGISTRY[left] is not _KL_REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _KL_REGISTRY[left]


def _ranks(kind: type) -> dict[type, int]:
    """How near each ancestor is, the class itself nearest."""
    return {ancestor: i for i, ancestor in enumerate(kind.__mro__)}
