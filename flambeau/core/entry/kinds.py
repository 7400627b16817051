"""What the native entries ask of a dtype: whether the short way serves it, and takes a number.

Stands on writer.
"""

from __future__ import annotations

from flambeau.core.entry.process import BFLOAT16_BIT
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Value
from flambeau.core.kernels.native import table

__all__ = ["fast", "fits", "is_complex", "is_fast", "is_floating", "number", "takes_number"]


def fast(w: Writer, kind: Value) -> None:
    """Leave where the dtype is not one of the operation's short way."""
    w.require(is_fast(w, kind))


def is_fast(w: Writer, kind: Value) -> Value:
    """Whether the dtype is one of the operation's short way."""
    f = w.f
    number = w.field(kind, table.TYPE_NUMBER, "i32").to("i64")
    beyond = f.select(kind.eq(w.word("bf16")), f.index(BFLOAT16_BIT), 63)
    bit = f.select(number.lt(BFLOAT16_BIT), number, beyond)
    return ((w.word("kinds").to("i64") >> bit) & 1).ne(0)


def is_floating(w: Writer, kind: Value) -> Value:
    """Whether the dtype is of floating-point numbers, 16-bit ones too."""
    return w.field(kind, table.KIND, "i8").eq(ord("f")) | kind.eq(w.word("bf16"))


def is_complex(w: Writer, kind: Value) -> Value:
    """Whether the dtype is of complex numbers."""
    return w.field(kind, table.KIND, "i8").eq(ord("c"))


def takes_number(w: Writer, kind: Value, real: Value) -> Value:
    """Whether the dtype takes a Python number as it is: a float where `real`, an int otherwise."""
    letter = w.field(kind, table.KIND, "i8")
    whole = letter.eq(ord("i")) | letter.eq(ord("u"))
    return is_floating(w, kind) | is_complex(w, kind) | whole & real.eq(False)


def number(w: Writer, x: Value, kind: Value) -> None:
    """Leave where `x` is no Python number of a kind that takes the tensor's dtype."""
    w.require(fits(w, x, kind))


def fits(w: Writer, x: Value, kind: Value) -> Value:
    """Whether `x` is a Python number of a kind that the tensor's dtype takes as it is."""
    type = w.type_of(x)
    real, whole = type.eq(w.word("py_float")), type.eq(w.word("py_int"))
    converts = kind.eq(w.word("i1")) & w.word("converts").ne(0) & whole
    taken = (real | whole) & takes_number(w, kind, real) | converts
    return taken & w.word("numbers").ne(0)
