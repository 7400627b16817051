"""Bits and whole numbers: and, or, xor, not, shifts, gcd, lcm; and the logic of truth values. No
gradients.

Stands on declare.
"""

from __future__ import annotations

import numpy as np

from flambeau.core.declare import elementwise
from flambeau.core.dtypes import INTEGRAL, LOGICAL, Rule
from flambeau.core.errors import fail
from flambeau.core.methods import bind
from flambeau.core.tensor import Tensor

__all__: list[str] = []

_INTEGERS = Rule("INTEGERS", refuses=frozenset({"bool", "float", "complex", "float8"}))


@elementwise(types=INTEGRAL, kernel=np.bitwise_and, dunder="and")
def bitwise_and(input, other):
    """``input & other``, bit by bit; logical for bool."""
    return np.bitwise_and(input, other)


@elementwise(types=INTEGRAL, kernel=np.bitwise_or, dunder="or")
def bitwise_or(input, other):
    """``input | other``, bit by bit; logical for bool."""
    return np.bitwise_or(input, other)


@elementwise(types=INTEGRAL, kernel=np.bitwise_xor, dunder="xor")
def bitwise_xor(input, other):
    """``input ^ other``, bit by bit; logical for bool."""
    return np.bitwise_xor(input, other)


@elementwise(types=INTEGRAL, kernel=np.invert)
def bitwise_not(input):
    """``~input``: every bit turned; logical for bool."""
    return np.invert(input)


def _inverted(input: Tensor) -> Tensor:
    """``~input``; for what has no such bits PyTorch's operator raises another error than its
    function.
    """
    try:
        return bitwise_not(input)
    except NotImplementedError:
        raise fail(
            TypeError,
            "~",
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors, not "
            f"{input.dtype}: convert with .to(dtype), or negate with -.",
        ) from None


bind(__invert__=_inverted)


@elementwise(types=_INTEGERS, kernel=np.left_shift, dunder="lshift")
def bitwise_left_shift(input, other):
    """``input << other``; 0 where `other` is negative or as large as the width."""
    return np.left_shift(input, other)


@elementwise(types=_INTEGERS, kernel=np.right_shift, dunder="rshift")
def bitwise_right_shift(input, other):
    """``input >> other`` with the sign kept; all sign where `other` is negative or as large as the
    width."""
    return np.right_shift(input, other)


@elementwise(operands="tensors", types=_INTEGERS, kernel=np.gcd, inplace_function=True)
def gcd(input, other):
    """The greatest common divisor, never negative; gcd(0, 0) = 0."""
    return np.gcd(input, other)


@elementwise(operands="tensors", types=_INTEGERS, kernel=np.lcm, inplace_function=True)
def lcm(input, other):
    """The least common multiple, never negative; 0 where either is 0."""
    return np.lcm(input, other)


@elementwise(operands="tensors", types=LOGICAL, kernel=np.logical_and)
def logical_and(input, other):
    """Whether both are not zero."""
    return np.logical_and(input, other)


@elementwise(operands="tensors", types=LOGICAL, kernel=np.logical_or)
def logical_or(input, other):
    """Whether either is not zero."""
    return np.logical_or(input, other)


@elementwise(operands="tensors", types=LOGICAL, kernel=np.logical_xor)
def logical_xor(input, other):
    """Whether exactly one is not zero."""
    return np.logical_xor(input, other)


@elementwise(types=LOGICAL, kernel=np.logical_not)
def logical_not(input):
    """Whether it is zero."""
    return np.logical_not(input)
