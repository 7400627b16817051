"""Results written over operands that nobody will see again: ``(a * b) + c`` needs one array, not
two, and what the second operation reads lies in the cache.

An operand of an operator dies where the evaluation stack of the frame that wrote the operator holds
the only reference to it. References are counted and stacks are read as a known expression shows
them; an interpreter that shows something else keeps its operands. What the native entries ask about
large arrays alone. Stands on tensor.
"""

from __future__ import annotations

import ctypes
import opcode
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor, wrap

__all__ = ["LARGE", "elided", "elided_alone"]

LARGE = 1 << 17
"""Numbers of an operand from which on it is asked about: two smaller ones and the result stay in
the second cache. A chain on a million bytes takes 0.4 of the time.
"""
VERSIONS = ((3, 11), (3, 14))
"""Since the latter, references to variables are not counted on the stack."""
F_FRAME, STACK = 24, 72  # bytes into a frame object, and into the frame behind it
WORD = 8
OPERATOR = opcode.opmap.get("BINARY_OP", -1)

_refs, _frame = sys.getrefcount, sys._getframe
_tried: list[Any] = []
"""What the known expression showed: references to a variable, then to what dies."""
_usual: dict[str, int] = {}
"""References to what dies, and to its array; the same of the operand of a function."""


def elided(kernel: Callable[..., Any], input: Any, other: Any, a: Any, b: Any) -> Any:
    """What ``kernel(a, b)`` gives, in the array of an operand that dies; None where neither does.
    Called by the entry of an operator.

    Args:
        kernel: takes the array to write as a third argument.
        input, other: the operands, plain tensors or numbers.
        a, b: their arrays, or the numbers.
    """
    if "tensor" not in _usual:
        if "trying" in _usual:
            _tried.append((_refs(input), _refs(a), _operands(_frame(2), input, other)))
            return None
        _try()
    alone, single = _usual["tensor"], _usual["array"]
    if _refs(input) == alone and _refs(a) == single and _spare(input, a, other, b):
        target = a
    elif _refs(other) == alone and _refs(b) == single and _spare(other, b, input, a):
        target = b
    else:
        return None
    try:
        return kernel(a, b, target) if _operands(_frame(2), input, other) else None
    except Exception:  # no frame called the entry; a number that does not fit: nothing is written
        return None


def elided_alone(kernel: Callable[..., Any], input: Any, a: Any) -> Any:
    """What ``kernel(a)`` gives, in the array of an operand that dies; None where it does not.
    Called by the entry of a function of one tensor, whose frame has taken the reference that was on
    the caller's stack: whoever else holds one is counted.
    """
    if "alone" not in _usual:
        if "trying" in _usual:
            _tried.append((_refs(input), _refs(a), True))
            return None
        _try_alone()
    if _refs(input) != _usual["alone"] or _refs(a) != _usual["single"]:
        return None
    try:
        return kernel(a, a) if _spare(input, a, None, None) else None
    except Exception:
        return None


def _spare(x: Any, array: Any, partner: Any, other: Any) -> bool:
    """Whether a tensor's array is its own, and fits the result, of which nothing is recorded."""
    if type(x) is not Tensor or type(array) is not np.ndarray:
        return False
    if x._storage is not None or x._view is not None or x._edge is not None or x._grad is not None:
        return False
    flags = array.flags
    if not (flags.c_contiguous and flags.owndata and flags.writeable):
        return False
    if weakref.getweakrefcount(x) or array.dtype.kind != "f":
        return False
    if not isinstance(partner, Tensor):
        return True
    return partner._edge is None and partner._view is None and other.shape == array.shape


def _operands(frame: FrameType, input: Any, other: Any) -> bool:
    """Whether a frame is at an operator, whose operands lie on its stack side by side. A function
    that was handed its arguments in a tuple finds them elsewhere.
    """
    code = frame.f_code
    if code.co_code[frame.f_lasti] != OPERATOR:
        return False
    cells = [name for name in code.co_cellvars if name not in code.co_varnames]
    variables = code.co_nlocals + len(cells) + len(code.co_freevars)
    inner = ctypes.c_size_t.from_address(id(frame) + F_FRAME).value
    words = (ctypes.c_size_t * code.co_stacksize).from_address(inner + STACK + WORD * variables)
    stack, pair = tuple(words), (id(input), id(other))
    return any({one, two} == set(pair) for one, two in zip(stack, stack[1:], strict=False))


def _try() -> None:
    """Look at a variable and at what dies as operands: one reference is the difference."""

    def known(x: Any) -> None:
        x + 1.0  # the operator's first call goes through one frame more
        _tried.clear()
        (x + 1.0) + 2.0

    _usual["tensor"], _usual["array"] = _shown(known)


def _try_alone() -> None:
    """The same of a function's operand."""
    if "tensor" not in _usual:
        _try()

    def known(x: Any) -> None:
        x.exp()
        _tried.clear()
        x.exp()
        (x + 1.0).exp()

    _usual["alone"], _usual["single"] = _shown(known)


def _shown(known: Callable[[Any], None]) -> tuple[int, int]:
    """How many references there were to what dies, and to its array; -1 where that cannot be told
    from a variable's.
    """
    _usual["trying"] = 1
    try:
        if VERSIONS[0] <= sys.version_info[:2] < VERSIONS[1] and OPERATOR >= 0:
            known(wrap(np.zeros(LARGE, "f4")))
    finally:
        del _usual["trying"]
    if len(_tried) != 2:
        return -1, -1
    (variable, array, found), (dying, same, also) = _tried
    _tried.clear()
    return (dying, array) if found and also and dying < variable and array == same else (-1, -1)
