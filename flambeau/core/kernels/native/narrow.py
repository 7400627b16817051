"""Numbers computed in a wider type than they lie in memory as: 16-bit floats, small integers.

A 16-bit float is computed as a float32 and rounded once, to the nearest, ties to even; integers of
8 and 16 bits are computed in 32 and wrap. Stands on jit.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Value, lanes, vector

__all__ = [
    "CARRIERS", "DTYPES", "HALVES", "Steps", "Stepwise", "WORKING", "holds", "load", "rounded",
    "served", "settled", "stored",
]  # fmt: skip

CARRIERS = {"i1": "i8", "u8": "i8", "bf16": "i16"}
"""What elements of types that are no numbers of LLVM's lie in memory as."""
WORKING = {"half": "float", "bf16": "float", "u8": "i32", "i8": "i32", "i16": "i32"}
"""What elements are computed in, where that is another type."""
HALVES = ("half", "bf16")
DTYPES = {
    "half": np.dtype("f2"), "bf16": np.dtype(ml_dtypes.bfloat16), "i32": np.dtype("i4"),
    "i16": np.dtype("i2"), "i8": np.dtype("i1"), "u8": np.dtype("u1"),
}  # fmt: skip
"""The types that functions take beside the usual ones, compiled when the first such array comes."""


def served(types: tuple[str, ...]) -> tuple[str, ...]:
    """Of these types the ones that this machine's code can convert."""
    return tuple(t for t in types if t != "half" or build.host().halves)


def load(f: Function, type: str, pointer: Value, i: Any) -> Value:
    """The element at `i`, as what it is computed in."""
    found = f.load(CARRIERS.get(type, type), pointer, i)
    if type == "i1":
        return found.ne(0)
    if type == "u8":
        return f.emit("i32", f"zext i8 {found.name} to i32")
    return _wide(f, found) if type == "bf16" else found.to(WORKING.get(type, type))


def _wide(f: Function, x: Value) -> Value:
    word = vector("i32", lanes(x.type))
    bits = f.emit(word, f"zext {x.type} {x.name} to {word}")
    return (bits << 16).bits(vector("float", lanes(x.type)))


def stored(f: Function, x: Value, type: str) -> Value:
    """A number as an element of the type lies in memory."""
    if type != "bf16":
        return x.to(CARRIERS.get(type, type))
    word = vector("i32", lanes(x.type))
    bits = x.bits(word)
    odd = f.emit(word, f"lshr {word} {bits.name}, {f.value(word, 16).name}") & 1
    near = f.select(x.isnan(), f.value(word, NAN), bits + odd + 0x7FFF)
    high = f.emit(word, f"lshr {word} {near.name}, {f.value(word, 16).name}")
    return high.to(vector("i16", lanes(x.type)))


NAN = 0x7FC00000


def settled(f: Function, x: Value) -> Value:
    """A number between two steps of a formula, with the digits of the loop's own elements."""
    return rounded(f, x, f.element)


class Stepwise(Value):
    """A 16-bit float whose every operator is rounded, as arrays of them are; numbers that it meets
    keep their digits, but for one that is divided by it.
    """

    __slots__ = ("kind",)

    def __init__(self, value: Value, kind: str) -> None:
        super().__init__(value.type, value.name, value.function)
        self.kind = kind

    def _again(self, value: Value) -> Stepwise:
        return Stepwise(rounded(self.function, value, self.kind), self.kind)

    def _binary(self, other: Any, on_ints: str, on_floats: str) -> Value:
        return self._again(super()._binary(other, on_ints, on_floats))

    def __rsub__(self, other: Any) -> Value:
        return (-self) + other

    def __rtruediv__(self, other: Any) -> Value:
        number = float(DTYPES[self.kind].type(other))
        return Stepwise(self.function.value(self.type, number), self.kind) / self

    def __neg__(self) -> Value:
        return Stepwise(super().__neg__(), self.kind)


class Steps:
    """`Stepwise` on arrays."""

    __slots__ = ("kind", "wide")

    def __init__(self, values: Any, kind: Any) -> None:
        self.kind = kind
        self.wide = np.asarray(values, kind).astype("f4")

    def _again(self, wide: Any) -> Steps:
        return Steps(wide, self.kind)

    def __add__(self, other: Any) -> Steps:
        return self._again(self.wide + _widened(other))

    def __sub__(self, other: Any) -> Steps:
        return self._again(self.wide - _widened(other))

    def __rsub__(self, other: Any) -> Steps:
        return self._again(other - self.wide)

    def __mul__(self, other: Any) -> Steps:
        return self._again(self.wide * _widened(other))

    def __truediv__(self, other: Any) -> Steps:
        return self._again(self.wide / _widened(other))

    def __rtruediv__(self, other: Any) -> Steps:
        return Steps(other, self.kind) / self

    def __neg__(self) -> Steps:
        return self._again(-self.wide)

    __radd__ = __add__
    __rmul__ = __mul__


def _widened(other: Any) -> Any:
    return other.wide if isinstance(other, Steps) else other


def holds(f: Function, type: str, whole: Value) -> Value:
    """Whether a type of integers holds an i64."""
    if type == "i64":
        return f.value("i1", True)
    if type == "u8":
        return (whole & ~0xFF).eq(0)
    return whole.to(type).to("i64").eq(whole)


def rounded(f: Function, x: Value, type: str) -> Value:
    """A number with the digits that the type has."""
    if type not in HALVES:
        return x
    low = stored(f, x, type)
    return _wide(f, low) if type == "bf16" else low.to(x.type)
