"""Which form of a kernel is called: the native one from its first call on, where there is one.

Nothing is compiled or loaded before a kernel is called. What form runs does not depend on time: the
first call of a process loads or compiles it. Stands on formulas, ufuncs, build, silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import (
    angles,
    broadcast,
    complex_pairs,
    elementwise,
    formulas,
    pairs,
    piecewise,
    quotients,
    smooth,
    table,
)
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.narrow import DTYPES, HALVES, Steps, served
from flambeau.core.kernels.order import form_of, ordered
from flambeau.core.silence import quiet, run

__all__ = [
    "FORMULAS", "SILENT", "SIXTEEN", "by_numpy", "caller", "fused", "in_single", "lazily", "native",
    "offer", "quickly", "resolved", "short_kinds", "takes_target",
]  # fmt: skip

FORMULAS = (
    formulas.FORMULAS
    | smooth.SMOOTH
    | pairs.PAIRS
    | piecewise.PIECEWISE
    | quotients.QUOTIENTS
    | angles.ANGLES
)
"""By the operation's name or the rule's."""
SILENT: set[Callable[..., Any]] = set()
"""Functions that give no warning whoever calls them."""


def offer(formulas: dict[str, Formula]) -> None:
    """The formulas of an area that loads late, by the operations' names."""
    FORMULAS.update(formulas)


def native(
    name: str, numpy_form: Callable[..., Any], formula: Formula | None = None
) -> Callable[..., Any] | None:
    """The native function of a formula, which calls `numpy_form` where it does not serve; None
    where no code can be generated. Its types beyond the usual ones are compiled when the first
    such array comes.
    """
    if not build.available() or not table.trusted():
        return None
    formula = formula or FORMULAS[name]
    try:
        if not formula.narrow:
            return _built(name, numpy_form, formula)

        def beyond(*arrays: Any) -> Any:
            kinds = [x.dtype for x in arrays if isinstance(x, np.ndarray)]
            if any(DTYPES[type] in kinds for type in formula.narrow):
                table.redirect(found, narrow())
                return found(*arrays)
            return numpy_form(*arrays)

        def narrow() -> Callable[..., Any]:
            types = served(formula.narrow)
            try:
                otherwise = complex_pairs.native(name, numpy_form)
                return _built(f"{name}_narrow", otherwise, formula._replace(types=types))
            except build.Unavailable:
                return numpy_form

        found = _built(name, complex_pairs.native(name, beyond), formula)
        return found
    except build.Unavailable:
        return None


def _built(name: str, otherwise: Callable[..., Any], formula: Formula) -> Callable[..., Any]:
    addresses = build.load(elementwise.module(name, formula))
    more = {"enter": broadcast.addresses()["enter"]}
    return table.builtin(name, addresses[name], otherwise, more)


def caller(
    name: str, kernel: Callable[..., Any], settle: Callable[[Callable[..., Any]], None]
) -> Callable[..., Any]:
    """What an entry calls on arrays: ``call(*arrays)`` gives the result, no warning is given.

    Args:
        name: the operation's.
        kernel: its NumPy form.
        settle: takes what is to be called from the first call on.
    """

    def first(*arrays: Any) -> Any:
        found = resolved(name, kernel)
        settle(found)
        return found(*arrays)

    return first


def resolved(
    name: str, kernel: Callable[..., Any], count: int | None = None, op: Any = None
) -> Callable[..., Any]:
    """What computes an operation on arrays, loaded or compiled now; no warning is given.

    Args:
        name: the operation's, or the formula's.
        kernel: its NumPy form.
        count: of arguments it is called with, where that must be the formula's.
        op: the operation, where it is called with arrays of all its `short_kinds`.
    """
    quietly = partial(run, kernel)
    name = name.lstrip("_")
    formula = FORMULAS.get(name)
    if formula is None:
        kernel = kernel if op is None else op.kernel
        return _by_loops(kernel, quietly) if type(kernel) is np.ufunc else quietly
    if count not in (None, formula.arity):
        return quietly
    narrow = () if op is None else _narrow(op, formula)
    if not narrow:
        return native(name, quietly) or quietly

    def whole(*arrays: Any) -> Any:
        kinds = {x.dtype for x in arrays if isinstance(x, np.ndarray)}
        if not SIXTEEN.isdisjoint(kinds):
            raise TypeError("16-bit floats go the long way")
        for limits in (np.iinfo(kind) for kind in kinds if kind.kind in "iu"):
            if any(type(x) is int and not limits.min <= x <= limits.max for x in arrays):
                raise OverflowError("the long way wraps or refuses a number that does not fit")
        return quietly(*arrays)

    formula = formula._replace(narrow=narrow, rounded=_rounded(op, formula.arity))
    return native(name, whole, formula) or quietly


def _by_loops(ufunc: np.ufunc, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The ufunc by its inner loops, which are looked for when the first one is called."""
    from flambeau.core.kernels.native.ufuncs import native

    return native(ufunc, otherwise)


SIXTEEN = frozenset(DTYPES[type] for type in HALVES)
SMALL = frozenset(np.dtype(t) for t in ("i2", "i1", "u1"))
USUAL = frozenset(np.dtype(t) for t in ("f4", "f8", "i8", "i4", "?"))
"""The dtypes of the short way of an operation that does not tell its own."""


def _narrow(op: Any, formula: Formula) -> tuple[str, ...]:
    """The types of a formula beyond the usual ones that an operation takes."""
    found: tuple[str, ...] = ()
    fast = getattr(op, "fast", USUAL)
    refuses = getattr(op.kernel, "refuses_halves", False)
    if "float" in formula.types and np.dtype("f4") in fast and not refuses:
        found += HALVES
    if "i64" in formula.types and np.dtype("i4") in fast:
        found += tuple(t for t in DTYPES if t not in (*HALVES, *formula.types))
    return found


def _rounded(op: Any, arity: int) -> int:
    """Which operands of an operation have a 16-bit float's digits where they are numbers: all, but
    where the operation computes in float32, or the second of those with exact numbers.
    """
    numbers = op.flags.get("numbers")
    if op.upcast and numbers != "rounded":
        return 0
    return ((1 << arity) - 1) & ~(2 if numbers == "exact" else 0)


def short_kinds(op: Any, name: str, count: int) -> frozenset[np.dtype[Any]]:
    """The dtypes of an operation's short way: its own, and those beyond them that its formula has.

    Args:
        op: the operation.
        name: the formula's.
        count: of arguments it is called with.
    """
    formula = FORMULAS.get(name.lstrip("_"))
    fast: frozenset[np.dtype[Any]] = getattr(op, "fast", USUAL)
    if formula is None and np.dtype("i4") in fast and type(op.kernel) is np.ufunc:
        return fast | SMALL if build.available() else fast
    if formula is None or formula.arity != count or not build.available():
        return fast
    if op.name in complex_pairs.PAIRS:
        fast |= complex_pairs.KINDS
    return fast | {DTYPES[type] for type in _narrow(op, formula)}


def quickly(op: Any, arrays: Any, dtype: Any) -> Any:
    """What an operation's short way computes of plain arrays of one dtype and numbers, where the
    long way has come to the same question; None where it does not serve.
    """
    known = _SHORT.get(op)
    if known is None:
        count = len(op.names)
        formula = FORMULAS.get(op.name.lstrip("_"))
        serves = formula is not None and formula.arity == count and op.names == op.tensor_names
        kinds = short_kinds(op, op.name, count) if serves else frozenset()
        call = resolved(op.name, form_of(op), count, op) if serves else None
        known = _SHORT[op] = kinds, call
    kinds, call = known
    if call is None or dtype not in kinds:
        return None
    try:
        return call(*arrays)
    except Exception:  # the long way computes it or words the error
        return None


_SHORT: dict[Any, tuple[frozenset[np.dtype[Any]], Callable[..., Any] | None]] = {}


def takes_target(name: str, count: int) -> bool:
    """Whether what computes an operation of `count` arguments takes the array to write after them,
    and refuses what it cannot write: its formula takes them all.
    """
    formula = FORMULAS.get(name.lstrip("_"))
    return formula is not None and formula.arity == count and not formula.result


def lazily(
    name: str, numpy_form: Callable[..., Any], formula: Formula | None = None
) -> Callable[..., Any]:
    """A function that becomes native at its first call: for gradient rules on arrays.

    Args:
        name: of the function, and of the formula where none is given.
        numpy_form: its NumPy form, which is run where NumPy's warnings are off.
        formula: what it computes.
    """
    formula = formula or FORMULAS[name]
    if hasattr(numpy_form, "once") and "float" in formula.types and not formula.narrow:
        formula = formula._replace(narrow=numpy_form.once)
    arity = formula.arity

    def quietly(*arrays: Any) -> Any:
        try:
            return run(numpy_form, *arrays)
        except RuntimeError:  # called by a kernel that is run so itself, or raised by the form
            return quiet(numpy_form, *arrays)

    def first(*arrays: Any) -> Any:
        nonlocal call
        call = native(name, quietly, formula) or quietly
        return call(*arrays)

    call: Callable[..., Any] = first

    def one(a: Any) -> Any:
        return call(a)

    def two(a: Any, b: Any) -> Any:
        return call(a, b)

    def more(*arrays: Any) -> Any:
        return call(*arrays)

    by_arity: dict[int, Callable[..., Any]] = {1: one, 2: two}
    found = by_arity.get(arity, more)
    SILENT.add(found)
    return found


def by_numpy(ufunc: np.ufunc) -> Callable[..., Any]:
    """The ufunc by its inner loops, found at its first call, for kernels that call it."""

    def first(*arrays: Any) -> Any:
        nonlocal call
        call = _by_loops(ufunc, ordered(ufunc))
        return call(*arrays)

    call: Callable[..., Any] = first
    return lambda *arrays: call(*arrays)


def in_single(form: Callable[..., Any], kinds: str = "fV") -> Callable[..., Any]:
    """The form whose halves are computed in single precision and rounded once, as most of
    PyTorch's kernels for gradients do.

    Args:
        kinds: of the dtypes that do: "f" float16, "V" bfloat16.
    """

    def rounded_once(first: Any, *others: Any) -> Any:
        kind = first.dtype
        if kind.itemsize != 2 or kind.kind not in kinds:
            return form(first, *others)
        wide = [x.astype("f4") if hasattr(x, "dtype") else x for x in (first, *others)]
        return form(*wide).astype(kind)

    rounded_once.once = tuple(t for t in HALVES if DTYPES[t].kind in kinds)  # type: ignore[attr-defined]
    return rounded_once


def _stepwise(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule of operators on arrays: halves are rounded after each, numbers keep their digits."""

    def on_arrays(g: Any, *others: Any) -> Any:
        if g.dtype.itemsize != 2:
            return rule(g, *others)
        found = rule(*(Steps(x, g.dtype) if hasattr(x, "dtype") else x for x in (g, *others)))
        return found.wide.astype(g.dtype)

    return on_arrays


FUSED = {1: ("v",), 2: ("vv", "vs", "sv"), 3: ("vvv", "svv"), 4: ("vvvv", "svvv")}
"""By the number of operands: which may be one number. A gradient spread from a sum is one."""


def fused(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient rule made of operators alone as one native function: the rule is called with
    values of the code under construction. Its results are the rule's on arrays, digit for digit:
    halves are rounded at every step, unless the rule is marked to round once.
    """
    code = rule.__code__
    if code.co_names or code.co_freevars or code.co_argcount not in FUSED:
        return rule
    if code.co_code == (lambda g: None).__code__.co_code and code.co_consts[0] is None:
        return rule  # it sends nothing on
    kinds = getattr(rule, "once", "")
    form = _stepwise(rule)
    if kinds:
        form = in_single(form, kinds)
    steps = tuple(t for t in HALVES if DTYPES[t].kind not in kinds)
    formula = Formula(
        lambda f, *values: rule(*values), code.co_argcount, forms=FUSED[code.co_argcount],
        narrow=HALVES, stepwise=steps,
    )  # fmt: skip
    return lazily(name, form, formula)
