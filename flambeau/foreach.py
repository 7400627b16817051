"""`torch._foreach_*`: one operation over a list of tensors, as averages of weights are written.

Each is the ordinary operation on every tensor in turn. Stands on the public operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["NAMES"]

_ONE = (
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg"
    " reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
).split()
_TWO = "add clamp_max clamp_min div maximum minimum mul pow sub".split()
_MORE = ["addcdiv", "addcmul", "lerp"]
_BOTH = [*_ONE, *_TWO, *_MORE]
NAMES = tuple(
    sorted(
        f"_foreach_{name}"
        for name in (
            *_BOTH,
            *(f"{name}_" for name in (*_BOTH, "copy", "zero")),
            "clone",
            "max",
            "mm",
            "norm",
            "powsum",
        )
    )
)
# What has a form in place, and takes numbers too.
_CLAMPS = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _spread(name: str, value: Any, count: int) -> Sequence[Any]:
    """One operand for each tensor: a list's own, or the same one for all.

    Raises:
        RuntimeError: a list of another length, or a tensor that is no number.
    """
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            kind = "tensors" if value and isinstance(value[0], Tensor) else "numbers"
            raise fail(
                RuntimeError,
                name,
                f"Tensor lists must have the same number of tensors: {count} and "
                f"{len(value)} {kind}",
            )
        return value
    if isinstance(value, Tensor) and value.ndim:
        raise fail(
            RuntimeError,
            name,
            f"a tensor for all of the list must be 0-d, got the shape {list(value.shape)}",
        )
    return [value] * count


def _powsum(tensor: Tensor, ord: Any = 2, dtype: Any = None) -> Tensor:
    return tensor.abs().pow(ord).sum(dtype=dtype)


def _one(base: str, tensor: Any, operands: list[Any], named: dict[str, Any]) -> Any:
    """The operation on one tensor of the list."""
    name = base.rstrip("_")
    base = base.replace(name, _CLAMPS.get(name, name))
    if base == "norm":
        return flambeau.linalg.vector_norm(tensor, *operands, **named)
    if base == "powsum":
        return _powsum(tensor, *operands, **named)
    if name in ("addcdiv", "addcmul"):
        return getattr(tensor, base)(*operands[:2], value=operands[2])
    if base == "pow":
        return flambeau.pow(tensor, *operands)
    return getattr(tensor, base)(*operands, **named)


def _over_lists(name: str) -> Callable[..., Any]:
    base = name.removeprefix("_foreach_")

    def over(self: Any, *operands: Any, **named: Any) -> Any:
        turned = base == "pow" and isinstance(operands[0], (list, tuple))
        tensors = operands[0] if turned and not isinstance(self, (list, tuple)) else self
        if not isinstance(tensors, (list, tuple)):
            raise fail(TypeError, name, f"expected a list of tensors, got {type(tensors).__name__}")
        if not tensors:
            raise fail(RuntimeError, name, "Tensor list must have at least one tensor.")
        count = len(tensors)
        for key in ("exponent", "other", "scalar", "scalars", "src", "weight"):
            if key in named:
                operands = (*operands, named.pop(key))
        if base.rstrip("_") in ("addcdiv", "addcmul"):
            factor = operands[2] if len(operands) > 2 else named.pop("value", 1)
            factor = factor.tolist() if isinstance(factor, Tensor) else factor
            operands = (*operands[:2], factor)
        each = zip(
            _spread(name, self, count),
            *(_spread(name, operand, count) for operand in operands),
            strict=True,
        )
        results = tuple([_one(base, first, rest, dict(named)) for first, *rest in each])
        return self if base.endswith("_") else results

    over.__name__ = over.__qualname__ = name
    over.__doc__ = f"`{base}` of every tensor of a list; a tuple, or the list written in place."
    return over


globals().update({name: _over_lists(name) for name in NAMES})
