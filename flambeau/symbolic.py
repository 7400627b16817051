"""Control flow and numbers as programs that PyTorch exports write them: `cond`, `while_loop`,
`sym_max` and their kin.

Nothing is symbolic here: sizes are ints, so the functions are Python's, and the classes have no
instances (scripts ask `isinstance(n, torch.SymInt)`). Stands on core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "cond",
    "sym_float",
    "sym_int",
    "sym_ite",
    "sym_max",
    "sym_min",
    "sym_not",
    "sym_sqrt",
    "sym_sum",
    "while_loop",
    "while_loop_stack_output",
]


def _assert(condition: Any, message: str) -> None:
    """Python's assert as a function, which programs that are traced call.

    Raises:
        AssertionError: the condition is false.
    """
    assert condition, message


def _assert_async(tensor: Tensor, assert_msg: str = "") -> None:
    """A check of a tensor's one value, made at once: a CPU has nothing to wait for.

    Raises:
        RuntimeError: it is zero, or there are several.
    """
    if not tensor.is_nonzero():
        raise RuntimeError(assert_msg or "Expected Tensor with single nonzero value, but got zero")


class SymInt:
    """The class of sizes not known yet; here every size is known."""


class SymFloat:
    """The class of numbers not known yet; here every number is known."""


class SymBool:
    """The class of truths not known yet; here every truth is known."""


def cond(
    pred: Any,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: Sequence[Any] = (),
) -> Any:
    """`true_fn(*operands)` or `false_fn(*operands)`, as `pred` says.

    Args:
        pred: a number, or a tensor of one element.

    Raises:
        RuntimeError: `pred` is something else, or the operands are no sequence.
    """
    single = isinstance(pred, Tensor) and pred.numel() == 1
    if not single and not isinstance(pred, (bool, int, float)):
        raise fail(
            RuntimeError, "cond", f"expected pred to be bool or a single-element tensor, got {pred}"
        )
    if not isinstance(operands, (tuple, list)):
        raise fail(RuntimeError, "cond", f"expected a tuple of operands, got {type(operands)}")
    return (true_fn if pred else false_fn)(*operands)


def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Sequence[Any]
) -> Any:
    """Run `body_fn` on its own results while `cond_fn` of them is true; give the last ones.

    Raises:
        RuntimeError: the inputs are no sequence.
    """
    if not isinstance(carried_inputs, (tuple, list)):
        raise fail(
            RuntimeError, "while_loop", f"expected a tuple of inputs, got {type(carried_inputs)}"
        )
    found: Any = tuple(carried_inputs)
    while cond_fn(*(found if isinstance(found, (tuple, list)) else (found,))):
        found = body_fn(*(found if isinstance(found, (tuple, list)) else (found,)))
    return found


def while_loop_stack_output(
    cond_fn: Callable[..., Any],
    body_fn: Callable[..., Any],
    carried_inputs: Sequence[Any],
    additional_inputs: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """`while_loop` that gives what every turn carried on, stacked; of no turn, the inputs.

    Args:
        additional_inputs: further arguments of both functions, the same in each turn.
    """
    carried, turns = tuple(carried_inputs), []
    while cond_fn(*carried, *additional_inputs):
        carried = tuple(body_fn(*carried, *additional_inputs))
        turns.append(carried)
    from flambeau.core.declare import ops

    return tuple(map(ops.stack, zip(*(turns or [carried]), strict=True)))


def sym_max(a: Any, b: Any) -> Any:
    """The larger; a float where one of the two is."""
    return _like(max(a, b), a, b)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller; a float where one of the two is."""
    return _like(min(a, b), a, b)


def _like(found: Any, *given: Any) -> Any:
    return float(found) if any(isinstance(x, float) for x in given) else found


def sym_sum(args: Iterable[Any]) -> Any:
    """The sum of all."""
    return sum(args)


def sym_not(a: Any) -> bool:
    """The opposite."""
    return not a


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """`t` if `b` else `f`."""
    return t if b else f


def sym_int(a: Any) -> int:
    """The integer part."""
    return math.trunc(a)


def sym_float(a: Any) -> float:
    """As a float."""
    return float(a)


def sym_sqrt(a: Any) -> float:
    """The square root."""
    return math.sqrt(a)
