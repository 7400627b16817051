"""Operations on Python operators: forward, reflected, in place. Stands on the other entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import foreign, slow
from flambeau.core.entry.elementwise import binary, number_first
from flambeau.core.entry.inplace import inplace_binary
from flambeau.core.tensor import Tensor

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["UNARY_DUNDERS", "bind_dunder", "operator"]

COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
COMMUTATIVE = frozenset(("add", "mul", "and", "or", "xor"))
UNARY_DUNDERS = frozenset(("neg", "abs", "invert", "pos"))


def bind_dunder(op: Op, name: str, function: Callable[..., Any], written: Any) -> None:
    """Hang an operation on Python's operator: forward, reflected and in place."""
    if name in UNARY_DUNDERS:
        setattr(Tensor, f"__{name}__", function)
        return

    forward = operator(op, function)
    setattr(Tensor, f"__{name}__", forward)
    if name in COMMUTATIVE:
        setattr(Tensor, f"__r{name}__", forward)  # the short way for `2 * x`
    elif name not in COMPARISONS:
        setattr(Tensor, f"__r{name}__", reflected(op))
    if written and name not in COMPARISONS:

        def augmented(op: Op, args: Any) -> Any:
            input, other = args
            if not isinstance(other, Tensor) and not slow.is_number(other):
                return foreign.foreign(op, input, other)
            return written(input, other)

        if type(op.kernel) is np.ufunc and len(op.names) == 2 and op.names == op.tensor_names:
            entry = inplace_binary(op, op.name.lstrip("_") + "_", augmented)
        else:

            def entry(input: Any, other: Any) -> Any:
                return augmented(op, (input, other))

        setattr(Tensor, f"__i{name}__", entry)


def reflected(op: Op) -> Callable[..., Any]:
    """The operator's form of a binary entry whose first operand is a number."""
    if len(op.names) != 2 or op.names != op.tensor_names or op.types is None:
        return lambda input, other: foreign.reflected(op, other, input)

    def first(number: Any, tensor: Any) -> Any:
        nonlocal short
        short = number_first(op) or (lambda number, tensor: None)
        return short(number, tensor)

    short: Callable[..., Any] = first

    def entry(input: Any, other: Any) -> Any:
        t = short(other, input)
        return foreign.reflected(op, other, input) if t is None else t

    return entry


def operator(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """The operator's form of a binary entry: an operand of a foreign type gives NotImplemented, so
    Python asks it.
    """
    if len(op.names) == 2 and op.names == op.tensor_names and op.types is not None:
        return binary(op, foreign.operator)

    def entry(input: Any, other: Any) -> Any:
        if not isinstance(other, Tensor) and not slow.is_number(other):
            return foreign.foreign(op, input, other)
        return function(input, other)

    return entry
