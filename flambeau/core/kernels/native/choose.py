"""Which form of a kernel is called: the native one from its first call on, where there is one.

Nothing is compiled or loaded before a kernel is called. What form runs does not depend on time: the
first call of a process loads or compiles it. Stands on formulas, build, silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import (
    angles,
    broadcast,
    elementwise,
    formulas,
    pairs,
    piecewise,
    quotients,
    smooth,
    table,
)
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.silence import quiet, run

__all__ = [
    "FORMULAS", "SILENT", "caller", "fused", "in_single", "lazily", "native", "offer", "resolved",
    "takes_target",
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
    where no code can be generated.
    """
    if not build.available() or not table.trusted():
        return None
    try:
        addresses = build.load(elementwise.module(name, formula or FORMULAS[name]))
        more = {"enter": broadcast.addresses()["enter"]}
        return table.builtin(name, addresses[name], numpy_form, more)
    except build.Unavailable:
        return None


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


def resolved(name: str, kernel: Callable[..., Any], count: int | None = None) -> Callable[..., Any]:
    """What computes an operation on arrays, loaded or compiled now; no warning is given.

    Args:
        name: the operation's, or the formula's.
        kernel: its NumPy form.
        count: of arguments it is called with, where that must be the formula's.
    """
    quietly = partial(run, kernel)
    name = name.lstrip("_")
    formula = FORMULAS.get(name)
    if formula is None or count not in (None, formula.arity):
        return quietly
    return native(name, quietly) or quietly


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
    arity = (formula or FORMULAS[name]).arity

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

    return rounded_once


FUSED = {1: ("v",), 2: ("vv", "vs", "sv"), 3: ("vvv", "svv"), 4: ("vvvv", "svvv")}
"""By the number of operands: which may be one number. A gradient spread from a sum is one."""


def fused(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient rule made of operators alone as one native function: the rule is called with
    values of the code under construction. Its results are the rule's on arrays, digit for digit,
    but for halves of a rule that is marked to round once.
    """
    code = rule.__code__
    if code.co_names or code.co_freevars or code.co_argcount not in FUSED:
        return rule
    if code.co_code == (lambda g: None).__code__.co_code and code.co_consts[0] is None:
        return rule  # it sends nothing on
    formula = Formula(
        lambda f, *values: rule(*values), code.co_argcount, forms=FUSED[code.co_argcount]
    )
    kinds = getattr(rule, "once", None)
    return lazily(name, in_single(rule, kinds) if kinds else rule, formula)
