"""The long way of operators: operands that are neither tensors nor numbers, and what stands on the
left of one. NumPy's arrays are no operands: NumPy computes with what the tensor shows it, in its
own dtypes. Stands on slow; reached from entry.operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import overrides
from flambeau.core.errors import fail
from flambeau.core.slow import elementwise, is_number, number_array
from flambeau.core.tensor import Tensor, wrap

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["asked", "foreign", "operator", "reflected", "refuse_scipy"]


def operator(op: Op, args: Any, out: Any = None) -> Any:
    """A binary operation called by its operator: foreign operands are asked themselves."""
    input, other = args
    if not isinstance(input, Tensor):
        if op.name == "_rsub":  # PyTorch writes that method in Python, where no type is checked
            return NotImplemented
        raise fail(
            TypeError,
            op.name,
            f"the operator's method is called on {type(input).__name__}, it belongs to Tensor",
        )
    if isinstance(other, Tensor) or is_number(other):
        return elementwise(op, args, None)
    return foreign(op, input, other)


def foreign(op: Op, input: Any, other: Any, swap: bool = False) -> Any:
    """An operator with an operand that is neither tensor nor number: it answers itself; only `==`
    compares with an array as with a tensor.
    """
    if op.name == "eq" and isinstance(other, np.ndarray) and other.dtype.kind in "fiubc":
        from flambeau.core.factory import from_numpy

        return elementwise(op, (input, from_numpy(other)), None)
    kind = type(other)
    if hasattr(kind, "__torch_function__"):
        return asked(op.entry, (other, input) if swap else (input, other))
    if kind.__module__.startswith("scipy.sparse"):
        refuse_scipy(op.name, other)
    return NotImplemented


def asked(function: Callable[..., Any], pair: Any) -> Any:
    """What handlers make of an operator's two operands; where all of them decline, Python asks the
    other operand's own method, as of any operator.
    """
    try:
        return overrides.dispatch(function, pair, {})
    except overrides.Declined:
        return NotImplemented


def refuse_scipy(operation: str, other: Any) -> None:
    """Say how a SciPy sparse matrix and a Tensor come together; arrays of SciPy's multiply a Tensor
    elementwise by themselves, as they do NumPy's.

    Raises:
        TypeError: always but then.
    """
    if operation == "mul" and "array" in type(other).__name__:
        return
    raise fail(
        TypeError,
        operation,
        f"the other operand is SciPy's {type(other).__name__} of shape {list(other.shape)}, which "
        "an operator does not join with a Tensor. Make it a sparse tensor, "
        "torch.from_scipy(matrix), or the tensor an array, tensor.detach().numpy().",
    )


def reflected(op: Op, other: Any, input: Any) -> Any:
    """`number - tensor` and its kin."""
    if isinstance(other, Tensor) or is_number(other):
        if op.names == op.tensor_names and op.types is not None:
            return elementwise(op, (other, input), None)
        return op.entry(
            other if isinstance(other, Tensor) else wrap(number_array(other, input._array.dtype)),
            input,
        )
    return foreign(op, input, other, swap=True)
