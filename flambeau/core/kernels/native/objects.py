"""How generated functions read Python's objects and make arrays: fields, words of the table, new
arrays. Stands on table and jit.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.kernels import memory
from flambeau.core.kernels.jit.ir import Function, Value, Variable
from flambeau.core.kernels.native import table

__all__ = ["field", "made_array", "new_array", "python_number", "tuple_of", "word"]


def word(f: Function, name: str) -> Value:
    """A word of the table behind `self`."""
    place = f.at(f.argument["self"], table.BYTES_VALUE + 8 * table.WORDS.index(name), "i8")
    return f.load("ptr", place)


def field(f: Function, thing: Value, offset: int, type: str) -> Value:
    """What stands in an object, `offset` bytes from its start."""
    return f.load(type, f.at(thing, offset, "i8"))


def python_number(f: Function, x: Value) -> tuple[Variable, Variable, Variable]:
    """A Python float or int as a machine number: whether it is a float, the number, and an int's
    value whole. What is neither, or does not fit, leaves to ``other``.
    """
    real, number, whole = f.variable("i1", True), f.variable("double"), f.variable("i64", 0)
    kind = field(f, x, table.TYPE, "ptr")
    k = f.fresh()
    f.branch(kind.eq(word(f, "py_float")), f"float{k}", f"other{k}")
    f.label(f"float{k}")
    number.set(field(f, x, table.FLOAT_VALUE, "double"))
    f.jump(f"read{k}")
    f.label(f"other{k}")
    f.branch(kind.eq(word(f, "py_int")), f"int{k}", "other")
    f.label(f"int{k}")
    value = f.call(word(f, "as_long"), "i64", x)
    f.branch(value.ne(-1), f"fits{k}", f"doubt{k}")
    f.label(f"doubt{k}")
    f.branch(f.call(word(f, "occurred"), "ptr").eq(0), f"fits{k}", f"large{k}")
    f.label(f"large{k}")
    f.call(word(f, "clear"), "void")
    f.jump("other")
    f.label(f"fits{k}")
    real.set(False)
    whole.set(value)
    number.set(value.to("double"))
    f.label(f"read{k}")
    return real, number, whole


def new_array(
    f: Function, kind: Value, ndim: Value, dims: Value, size: Value, strides: Any = None
) -> Value:
    """A new array, of kept memory where it is large; null where there is no memory.

    Args:
        kind: its dtype.
        ndim: an i32.
        dims: where its shape stands.
        size: its bytes.
        strides: where its strides stand; contiguous by default.
    """
    null = f.value("ptr", 0)
    outside = f.variable("i32", 1)  # 0 inside the context where memory is kept
    context = word(f, "context")
    kept = size.ge(memory.LARGE) & context.ne(null)
    k = f.fresh()
    f.branch(kept, f"large{k}", f"make{k}")
    f.label(f"large{k}")
    outside.set(f.call(word(f, "enter_context"), "i32", context))
    with f.when(outside.get().ne(0)):  # entered already, further out
        f.call(word(f, "clear"), "void")
    f.label(f"make{k}")
    f.call(word(f, "incref"), "void", kind)
    found = f.call(
        word(f, "new"), "ptr", word(f, "ndarray"), kind, ndim, dims,
        null if strides is None else strides, null, f.value("i32", 0), null,
    )  # fmt: skip
    with f.when(outside.get().eq(0)):
        f.call(word(f, "exit_context"), "i32", context)
    return found


def made_array(f: Function, kind: Value, ndim: Value, dims: Value, size: Value) -> Value:
    """As `new_array`; the function returns at once where there is no memory."""
    made, k = new_array(f, kind, ndim.to("i32"), dims, size), f.fresh()
    f.branch(made.eq(0), f"failed{k}", f"made{k}")
    f.label(f"failed{k}")
    f.ret(made)
    f.label(f"made{k}")
    return made


def tuple_of(f: Function, *items: Value) -> Value:
    """A new tuple that takes the references over; returned at once where there is no memory."""
    made, k = f.call(word(f, "tuple_of"), "ptr", f.index(len(items))), f.fresh()
    f.branch(made.eq(0), f"lost{k}", f"tuple{k}")
    f.label(f"lost{k}")
    f.ret(made)
    f.label(f"tuple{k}")
    place = f.at(made, word(f, "tuple_items").to("i64"), "i8")
    for i, item in enumerate(items):
        f.store(item, place, i)
    return made
