"""Random numbers for small arrays as native functions: ``drawn(array, *parameters, out=array)``.

Each fills the array it is given, contiguous and of its dtype, by a law of ``generate.twister`` (few
normals by pairs in double precision, as PyTorch makes them) from the state of one generator. What
does not fit is the caller's long way, which a ValueError tells. Stands on twister, geometry and
jit.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.kernels.generate import twister
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import SIGNATURE, count_of, end, require
from flambeau.core.kernels.native.objects import field, python_number, word
from flambeau.core.kernels.native.smooth import log1p

__all__ = ["native"]

LARGEST = 1 << 12
"""Elements from which on the call no longer counts."""
BOUND = 1e30
"""No parameter is larger."""
LIBRARY = ("log1p", "cos", "sin")
"""Of the C library, whose digits PyTorch's numbers have."""
EXTRA = ("state", "cells", *LIBRARY)
SPARES, SPARE, BUSY, FRESH = range(4)
"""The cells of a generator, 64 bits each."""


class Draw(NamedTuple):
    """What fills an array, by its number type: the law, and how its words come from Python's."""

    parameters: int
    laws: dict[str, str]
    words: Callable[[Function, list[Any], Value, str], list[Value]]
    """From the parameters (as `python_number` gives them), the count and the number type to the
    law's words."""


def _bits(x: Value) -> Value:
    return x.to("double").bits("i64")


def _span(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    """``low, high``: what lies between, in the numbers' own type."""
    low, high = (number.get() for _, number, _ in given)
    require(f, low.le(high))
    low, high = low.to(type), high.to(type)
    return [_bits(high - low), _bits(low)]


def _spread(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    """``mean, std``."""
    mean, scale = (number.get() for _, number, _ in given)
    require(f, scale.ge(0))
    return [_bits(scale), _bits(mean)]


def _chance(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    """``p``: the numbers of 53 bits below it are hits, which are 1."""
    ((_, number, _),) = given
    p = number.get()
    require(f, p.ge(0) & p.le(1))
    bound = f.intrinsic("ceil", p * 2.0**53).to("i64")
    return [bound] if type == "i1" else [bound, _bits(f.value("double", 1.0))]


def _rate(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    """``rate``: a uniform's scale and its lowest, and the logarithm's scale."""
    ((_, number, _),) = given
    rate = number.get()
    require(f, rate.gt(0))
    one = f.value("double", 1.0)
    return [_bits(one), f.index(0), _bits(-one / rate)]


def _range(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    """``low, high`` as whole numbers."""
    for real, _, _ in given:
        require(f, real.get().eq(False))
    low, high = (whole.get() for _, _, whole in given)
    far = f.index(1 << 62)
    require(f, low.gt(-far) & high.lt(far) & high.gt(low))
    require(f, (high - low).lt(1 << 28))
    return [high - low, low]


def _nothing(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    return []


def _order(f: Function, given: list[Any], count: Value, type: str) -> list[Value]:
    require(f, count.gt(1))  # of one nothing is drawn
    return [count]


DRAWS = {
    "uniform": Draw(2, {"float": "floats", "double": "doubles"}, _span),
    "normal": Draw(2, {"float": "normals"}, _spread),
    "bernoulli": Draw(
        1, {"float": "chosen_float", "double": "chosen_double", "i1": "below"}, _chance
    ),
    "exponential": Draw(1, {"float": "doubles", "double": "doubles"}, _rate),
    "integers": Draw(2, {"i64": "integers"}, _range),
    "whole": Draw(
        0, {"float": "whole_float", "double": "whole_double", "i64": "whole_i64"}, _nothing
    ),
    "permutation": Draw(0, {"i64": "permuted"}, _order),
}


def native(name: str, state: int, cells: int) -> Callable[..., Any] | None:
    """The function of that name, which draws from the generator's state; None where there is none.

    Args:
        name: of `DRAWS`.
        state: where the generator's words lie.
        cells: where its other words lie.
    """
    if not twister.serves() or not table.trusted():
        return None
    try:
        library = ctypes.CDLL(None)
        known = {n: ctypes.cast(library[n], ctypes.c_void_p).value or 0 for n in LIBRARY}
    except (AttributeError, OSError, TypeError):
        return None
    try:
        address = build.load(_module(name, DRAWS[name]))[f"draw_{name}"]
        return table.builtin(name, address, _refused, {"state": state, "cells": cells} | known)
    except build.Unavailable:
        return None


def _refused(*args: Any) -> Any:
    raise ValueError


def _word(f: Function, name: str) -> Value:
    place = table.BYTES_VALUE + 8 * (len(table.WORDS) + EXTRA.index(name))
    return f.load("ptr", f.at(f.argument["self"], place, "i8"))


def _module(name: str, draw: Draw) -> Module:
    made = Module(f"draws_{name}", vectorize=True)
    take = twister.taking(made)
    laws = {law: twister.in_module(made, law, take) for law in set(draw.laws.values())}
    f = made.function(f"draw_{name}", SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    count = draw.parameters
    require(f, n.eq(count + 1) | n.eq(count + 2))
    x = f.load("ptr", args)
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
    with f.when(n.eq(count + 2)):
        require(f, f.load("ptr", args, count + 1).eq(x))
    flags = table.C_CONTIGUOUS | table.WRITEABLE
    require(f, (field(f, x, table.FLAGS, "i32") & flags).eq(flags))
    total = count_of(f, x)
    cells = _word(f, "cells")
    require(f, total.gt(0) & total.lt(LARGEST) & f.load("i64", cells, BUSY).eq(0))
    given = [python_number(f, f.load("ptr", args, 1 + k)) for k in range(count)]
    for _, number, _ in given:
        require(f, f.intrinsic("fabs", number.get()).lt(BOUND))
    kind, data = field(f, x, table.DESCR, "ptr"), field(f, x, table.DATA, "ptr")
    for type, law in draw.laws.items():
        k = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
        f.label(f"is{k}")
        _fill(f, name, type, laws[law], take, data, total, draw.words(f, given, total, type))
        f.store(f.index(0), cells, FRESH)
        none = word(f, "none")
        f.call(word(f, "incref"), "void", none)
        f.ret(none)
        f.label(f"not{k}")
    f.jump("other")
    end(f)
    return made


def _fill(
    f: Function, name: str, type: str, law: Function, take: Function, data: Value, count: Value,
    words: list[Value],
) -> None:  # fmt: skip
    if name == "normal":
        _normals(f, law, take, data, count, words)
    elif name == "exponential":
        _exponentials(f, law, data, count, words, type)
    elif name == "permutation":
        with f.loop(0, count) as i:
            f.store(i, data, i)
        _call(f, law, data, count - 1, words)
    else:
        _call(f, law, data, count, words)


def _call(f: Function, law: Function, data: Value, count: Value, words: list[Value]) -> None:
    context = f.memory("i64", 3 + len(words))
    for k, each in enumerate((_word(f, "state").to("i64"), data.to("i64"), count, *words)):
        f.store(each, context, k)
    f.call(law, "void", context, f.index(0), f.index(1))


def _exponentials(
    f: Function, law: Function, data: Value, count: Value, words: list[Value], type: str
) -> None:  # fmt: skip
    """``-log1p(-u) / rate`` of doubles."""
    room = f.memory("double", LARGEST)
    _call(f, law, room, count, words[:2])
    scale = words[2].bits("double")
    with f.loop(0, count, independent=True) as i:
        f.store((log1p(f, -f.load("double", room, i)) * scale).to(type), data, i)


def _normals(
    f: Function, law: Function, take: Function, data: Value, count: Value, words: list[Value]
) -> None:
    """Blocks of 16, the last of which is drawn again for a tail; fewer by pairs."""
    block = twister.BLOCK
    f.branch(count.lt(block), "few", "blocks")
    f.label("few")
    _pairs(f, take, data, count, *(each.bits("double") for each in words))
    f.jump("filled")
    f.label("blocks")
    whole = count & -block
    _call(f, law, data, whole, words)
    with f.when(whole.lt(count)):
        room = f.memory("i32", block)
        f.call(take, "void", _word(f, "state"), room, count - whole)
        _call(f, law, f.at(data, count - block, "float"), f.index(block), words)
    f.label("filled")


def _pairs(
    f: Function, take: Function, data: Value, count: Value, scale: Value, mean: Value
) -> None:
    """Two normals of two uniforms each; one that is left waits for the next draw."""
    cells, room = _word(f, "cells"), f.memory("i32", 4)
    done = f.variable("i64", 0)

    def keep(normal: Value) -> None:
        f.store(f.fma(normal, scale, mean).to("float"), data, done.get())
        done.set(done.get() + 1)

    with f.when(f.load("i64", cells, SPARES).ne(0)):
        keep(f.load("double", cells, SPARE))
        f.store(f.index(0), cells, SPARES)
    f.label("more")
    f.branch(done.get().lt(count), "pair", "enough")
    f.label("pair")
    f.call(take, "void", _word(f, "state"), room, f.index(4))
    first, second = (twister.pair(f, room, f.index(k)).to("double") * 2.0**-53 for k in range(2))
    radius = f.intrinsic("sqrt", f.call(_word(f, "log1p"), "double", -second) * -2.0)
    angle = first * (2.0 * math.pi)
    keep(radius * f.call(_word(f, "cos"), "double", angle))
    other = radius * f.call(_word(f, "sin"), "double", angle)
    f.branch(done.get().lt(count), "both", "odd")
    f.label("odd")
    f.store(other, cells, SPARE)
    f.store(f.index(1), cells, SPARES)
    f.jump("enough")
    f.label("both")
    keep(other)
    f.jump("more")
    f.label("enough")
