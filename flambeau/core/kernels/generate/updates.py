"""Optimizer updates in one pass: a function written in in-place NumPy calls on flat arrays, made
into a loop over elements.

The function is called with values of the code under construction. Its arrays answer NumPy's
protocol; its numbers stay numbers, which remember how they were computed, so that those of another
step go in as arguments, and what they were asked, so that another answer makes another loop. What
cannot be followed is left to NumPy. Every digit is the NumPy form's; 16-bit floats are computed in
single precision and rounded at the end. Stands on jit and call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from flambeau.core.kernels.generate.call import NUMBERS, TYPES
from flambeau.core.kernels.generate.vectors import number, put, working
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native.formulas import maximum
from flambeau.core.kernels.native.launch import launcher
from flambeau.core.kernels.native.narrow import served

__all__ = ["update", "update_each"]

Rates = tuple[Any, ...]
Update = Callable[..., None]


class _Question(NamedTuple):
    """What a function asked about its numbers, and the answer it went on with."""

    left: Callable[[Rates], float]
    how: Callable[[Any, Any], Any]
    right: Callable[[Rates], float]
    answer: bool

    def holds(self, rates: Rates) -> bool:
        """Whether these rates get the same answer."""
        return bool(self.how(self.left(rates), self.right(rates))) == self.answer


class _Number(float):
    """A rate, or what is computed from rates: its value now, of other rates, and its code."""

    of: Callable[[Rates], float]
    code: Callable[[Function], Value]
    asked: list[_Question]

    @classmethod
    def made(
        cls, value: float, of: Any, code: Callable[[Function], Value], asked: list[_Question]
    ) -> _Number:
        found = cls(value)
        found.of, found.code, found.asked = of, code, asked
        return found

    def _with(self, other: Any, how: Callable[[Any, Any], Any], *, turned: bool = False) -> Any:
        if not isinstance(other, (int, float)) or isinstance(other, bool):
            return NotImplemented
        mine, theirs = self, other if isinstance(other, _Number) else _constant(other, self.asked)
        a, b = (theirs, mine) if turned else (mine, theirs)
        return _Number.made(
            how(float(a), float(b)),
            lambda rates: how(a.of(rates), b.of(rates)),
            lambda f: how(a.code(f), b.code(f)),
            self.asked,
        )

    def _ask(self, other: Any, how: Callable[[Any, Any], Any]) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        answer = bool(how(float(self), float(other)))
        theirs = other if isinstance(other, _Number) else _constant(float(other), self.asked)
        self.asked.append(_Question(self.of, how, theirs.of, answer))
        return answer

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, operator.add, turned=True)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, operator.sub, turned=True)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, operator.mul, turned=True)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv, turned=True)

    def __neg__(self) -> Any:
        return self._with(-1.0, operator.mul)

    def __eq__(self, other: object) -> Any:
        return self._ask(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._ask(other, operator.ne)

    def __lt__(self, other: Any) -> Any:
        return self._ask(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._ask(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._ask(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._ask(other, operator.ge)

    def __bool__(self) -> bool:
        return bool(self._ask(0.0, operator.ne))

    __hash__ = float.__hash__


def _constant(x: float, asked: list[_Question]) -> _Number:
    return _Number.made(x, lambda rates: x, lambda f: f.value("double", x), asked)


class _Array:
    """An array of the function: what its element holds by now."""

    __array_priority__ = 1000

    def __init__(self, f: Function, type: str, value: Value | None = None) -> None:
        self.f, self.type, self.value = f, type, value

    def element(self, x: Any) -> Value:
        """An operand's element, a number in the arrays' type."""
        if isinstance(x, _Array):
            assert x.value is not None
            return x.value
        if isinstance(x, _Number):
            return x.code(self.f).to(self.type)
        if type(x) in (int, float):
            return self.f.value(self.type, float(x))
        raise TypeError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numbers' type, which functions may ask."""
        return next(dtype for dtype, type in TYPES.items() if type == self.type)

    def write(self, formula: Callable[..., Value], operands: Sequence[Any]) -> None:
        """Hold what a native formula makes of the operands."""
        self.value = formula(self.f, *[self.element(x) for x in operands])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **how: Any) -> Any:
        (target,) = how.pop("out", None) or (_Array(self.f, self.type),)
        if method != "__call__" or how or ufunc not in UFUNCS or type(target) is not _Array:
            return NotImplemented
        target.value = UFUNCS[ufunc](self.f, *[self.element(x) for x in inputs])
        return target

    def __array_function__(self, function: Any, types: Any, given: Any, how: Any) -> Any:
        if function is not np.copyto or how or len(given) != 2 or type(given[0]) is not _Array:
            return NotImplemented
        given[0].value = self.element(given[1])
        return None


UFUNCS: dict[Any, Callable[..., Value]] = {
    np.add: lambda f, a, b: a + b,
    np.subtract: lambda f, a, b: a - b,
    np.multiply: lambda f, a, b: a * b,
    np.divide: lambda f, a, b: a / b,
    np.negative: lambda f, a: -a,
    np.sqrt: lambda f, a: f.intrinsic("sqrt", a),
    np.absolute: lambda f, a: f.intrinsic("fabs", a),
    np.maximum: maximum,
}


class _Loop(NamedTuple):
    """Code for one set of answers."""

    asked: list[_Question]
    address: int


_loops: dict[Any, list[_Loop | None]] = {}
"""By function, dtype, number of arrays, and the rates that are no numbers; None where it cannot be
followed."""


def update(
    function: Update, rates: Any, p: Any, g: Any, buffers: Sequence[Any], spare: int
) -> bool:
    """Run ``function(rates, p, g, *buffers, *scratch)`` on contiguous flat arrays of one dtype; g
    is only read. Whether it was done.

    Args:
        function: in-place NumPy calls on its arrays.
        rates: numbers, and what is none: True, False, None.
        p, buffers: changed.
        g: read.
        spare: how many scratch arrays it wants.
    """
    return g.dtype is p.dtype and update_each(function, rates, ((p, g, *buffers),), spare)


def update_each(function: Update, rates: Any, runs: Sequence[tuple[Any, ...]], spare: int) -> bool:
    """`update` of several parameters by the same rates: for each p, g and its buffers, of one dtype
    and contiguous in any shape.
    """
    key = function, runs[0][0].dtype, len(runs[0]) - 2
    last, address, numbers = _last.get(key, (None, 0, ()))
    if last is None or last != rates:
        loop = _loop(function, rates, *key[1:], spare)
        if loop is None:
            return False
        address = loop.address
        numbers = [float(x) for x in rates if type(x) in (float, int)]
        _last[key] = rates, address, numbers
    launch = launcher()
    for arrays in runs:
        size = arrays[0].size
        launch(address, size * 2, size, *arrays, *numbers)
    return True


_last: dict[Any, Any] = {}
"""The rates that a function ran with before, its code for them, and their numbers: most are the
same again."""


def _loop(function: Update, rates: Any, dtype: Any, buffers: int, spare: int) -> _Loop | None:
    """The code that serves these rates, made now where there is none yet."""
    if type(rates) is not tuple or dtype not in NUMBERS or not served((NUMBERS[dtype],)):
        return None
    fixed = tuple(["" if type(x) in (float, int) else x for x in rates])
    for x in fixed:
        if x is not None and type(x) not in (bool, str):
            return None
    known = _loops.setdefault((function, dtype, buffers, fixed), [])
    for loop in known:
        if loop is None or all(question.holds(rates) for question in loop.asked):
            return loop
    found = _made(function, rates, dtype, buffers, spare)
    known.append(found)
    return found


def _made(function: Update, rates: Rates, dtype: Any, buffers: int, spare: int) -> _Loop | None:
    """The loop for these rates. Numbers that hide from us would differ for slightly other rates."""
    if not build.available():
        return None
    try:
        module, asked = _module(function, rates, NUMBERS[dtype], buffers, spare)
        other, _ = _module(function, _moved(rates, asked), NUMBERS[dtype], buffers, spare)
        if module.text("") != other.text(""):
            return None
        return _Loop(asked, build.load(module)["update"])
    except (AttributeError, AssertionError, TypeError, ValueError, build.Unavailable):
        return None


def _moved(rates: Rates, asked: list[_Question]) -> Rates:
    """Slightly other rates that get the same answers."""
    found = list(rates)
    for k, x in enumerate(rates):
        if type(x) is float:
            found[k] = x * (1 + 2.0**-12)
            if not all(question.holds(tuple(found)) for question in asked):
                found[k] = x
    return tuple(found)


def _module(
    function: Update, rates: Rates, type: str, buffers: int, spare: int
) -> tuple[Module, list[_Question]]:
    made = Module("update", vectorize=True)
    f = made.function("update", pool.ARGUMENTS)
    context, thread = f.argument["context"], f.argument["thread"]
    count = f.load("i64", context)
    places = [f.load("ptr", context, 1 + k) for k in range(buffers + 2)]
    asked: list[_Question] = []
    given: list[Any] = []
    at = buffers + 3
    for k, x in enumerate(rates):
        if isinstance(x, (bool, str)) or x is None:
            given.append(x)
            continue
        word = f.load("double", context, at)
        at += 1
        given.append(_Number.made(x, lambda r, k=k: float(r[k]), lambda _, word=word: word, asked))
    # In whole cache lines, so that no two threads write to one.
    each = (count / f.argument["threads"] / 64 + 1) * 64
    start = f.intrinsic("smin", thread * each, count)
    stop = f.intrinsic("smin", start + each, count)
    own = working(type)
    p, g, *kept = (f.at(place, start * SIZES[type], "i8") for place in places)
    with f.loop(0, stop - start, independent=True) as i:
        arrays = [_Array(f, own, number(f, type, place, i)) for place in (p, g, *kept)]
        before = [array.value for array in arrays]
        function(tuple(given), *arrays, *[_Array(f, own) for _ in range(spare)])
        for place, array, old in zip((p, g, *kept), arrays, before, strict=True):
            if place is not g and array.value is not old:
                assert array.value is not None
                put(f, array.value, place, i, type)
    return made, asked
