"""Arguments in the order of old programs, a number before the tensor it scales: ``add(alpha,
other)``, ``addcmul(value, tensor1, tensor2)``, ``addmm(beta, input, alpha, mat1, mat2)``. Taken,
and warned about once. Stands on errors and tensor.
"""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["of_product", "of_three", "of_two"]


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number)


def of_two(op: Op, alpha: Any, other: Any) -> tuple[Any, Any]:
    """`add(alpha, other)`, as programs wrote before `alpha` was a keyword: warned about once.

    Raises:
        TypeError: a tensor with dimensions for the alpha, or an operation without one.
    """
    if isinstance(alpha, Tensor) and not alpha._array.ndim:
        alpha = alpha.item()
    if not _is_number(alpha) or op.flags.get("alpha") is None:
        raise fail(TypeError, op.name, f"{op.name}() takes 2 positional arguments but 3 were given")
    from flambeau.compat import warn_once

    warn_once(
        f"This overload of {op.name} is deprecated: {op.name}(Number alpha, Tensor other). Write "
        f"{op.name}(other, alpha=alpha).",
        key=f"old order of {op.name}",
    )
    return other, alpha


def of_three(op: Op, args: Any) -> tuple[Any, Any, Any]:
    """``addcmul(value, tensor1, tensor2)``, as programs wrote before `value` was a keyword."""
    _, value, first, second = args
    if not _is_number(value):
        raise fail(TypeError, op.name, f"{op.name}() takes 3 positional arguments but 4 were given")
    from flambeau.compat import warn_once

    warn_once(
        f"This overload of {op.name} is deprecated: {op.name}(Number value, Tensor tensor1, "
        f"Tensor tensor2). Write {op.name}(tensor1, tensor2, value=value).",
        key=f"old order of {op.name}",
    )
    return first, second, value


def of_product(op: Op, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """``addmm(beta, input, alpha, mat1, mat2)``, with or without the alpha, and the method's
    ``input.addmm(beta, alpha, mat1, mat2)``: the tensors and the factors by name. None where the
    arguments are not so.
    """
    factors = [x for x in args if _is_number(x)]
    tensors = tuple([x for x in args if not _is_number(x)])
    if len(tensors) != 3 or len(factors) > 2 or any(map(_is_number, args[-2:])):
        return None
    from flambeau.compat import warn_once

    warn_once(
        f"This overload of {op.name} is deprecated: {op.name}(Number beta, Tensor input, Number "
        f"alpha, ...). Write {op.name}({', '.join(op.names[:3])}, beta=beta, alpha=alpha).",
        key=f"old order of {op.name}",
    )
    return tensors, dict(zip(("beta", "alpha"), factors, strict=False))
