"""Entries of elementwise operations: which kind an operation gets, those of one and two tensors.

The short way is a native function (``entry/native``) or, where no code can be generated, the form
written here. Stands on record, process, slow, silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import overrides, slow
from flambeau.core.dtypes import INTEGRAL
from flambeau.core.entry import process
from flambeau.core.entry.filling import written_out
from flambeau.core.entry.into import into
from flambeau.core.entry.record import BOOL, INTS, SCALARS, SINGLE_DOUBLE, called_by, named
from flambeau.core.entry.ternary import many, ternary
from flambeau.core.kernels.native.choose import resolved, short_kinds, takes_target
from flambeau.core.kernels.order import form_of
from flambeau.core.node import NONE_OF_THREE, NOTHING_SAVED, ElementNode
from flambeau.core.old_order import of_two
from flambeau.core.provenance import USER, user_frame
from flambeau.core.state import NO_GRAD, mode, next_sequence
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import PLAIN, Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["binary", "elementwise", "unary"]

nd = np.ndarray
_new = object.__new__
_frame = sys._getframe


def elementwise(op: Op) -> Callable[..., Any]:
    """The entry of an elementwise operation: the unary or binary short way, or the general one."""
    types = op.types
    assert types is not None
    exact = (
        not types.ints_to_float
        and not op.flags.pop("checked", False)
        and "int" not in types.refuses
    )
    fast = set() if "float" in types.refuses else set(SINGLE_DOUBLE)
    if exact:
        fast |= INTS
        if types.result == "bool" or types is INTEGRAL or op.flags.pop("bools", False):
            fast.add(BOOL)  # nowhere else may a ufunc be trusted to keep bool
    op.fast = frozenset(fast)
    if op.names == op.tensor_names and len(op.names) == 1:
        return named(called_by(unary(op), op), op)
    if op.names == op.tensor_names and len(op.names) == 2:
        entry = binary(op, slow.called if "operands" in op.flags else slow.elementwise)
        return named(called_by(entry, op), op)
    if op.names[:3] == op.tensor_names and 3 in op.fills:
        return named(ternary(op, many(op)), op)
    return named(many(op), op)


def unary(op: Op) -> Callable[..., Any]:
    """entry(input, *, out=None)."""
    # A rule with shapes is rare for one elementwise operand: the general way serves it.
    shaped = any(kind in (1, 2) for rule in op.rules for kind, _ in rule.getters)

    def first(input: Any) -> Any:
        nonlocal short
        found = resolved(op.name, form_of(op), op=op)
        saves = op.rules[0].saves if op.rules else ()
        keeps = sum(1 << k for k in saves)
        short = process.native(
            "unary",
            op,
            found,
            kinds=short_kinds(op, op.name, 1),
            has_rules=bool(op.rules),
            keeps=keeps,
            kept_nothing=NOTHING_SAVED,
            elides=takes_target(op.name, 1),
        ) or _unary(op, found)
        return short(input)

    short: Callable[..., Any] = (lambda input: None) if shaped else first
    write = into(op, op.name, 1, lambda: short_kinds(op, op.name, 1))

    def entry(input: Any, *, out: Any = None) -> Any:
        if out is not None and (t := write(out, input)) is not None:
            return t
        t = short(input)
        if t is not None and (out is None or (t := written_out(out, t, (input,))) is not None):
            return t
        return slow.elementwise(op, (input,), out)

    return entry


def _unary(op: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    """short(input), None where it does not serve."""
    fast = op.fast
    saves = op.rules[0].saves if op.rules else ()
    keep_input, keep_out = 0 in saves, 1 in saves

    def short(input: Any) -> Any:
        if type(input) not in PLAIN:
            return None
        m = mode()
        a = input._array
        if (m is not None and m is not NO_GRAD) or a.dtype not in fast or type(a) is not nd:
            return None
        try:
            r = call(a)
        except Exception:
            return None
        t = _new(Tensor)
        t._array = r if type(r) is nd else slow.settle(r)
        t._storage = t._view = t._grad = t._edge = None
        if m is not None or not op.rules:
            return t
        e = input._edge if input._view is None else edge_of(input)
        if e is not None:
            keep = keep_input, keep_out
            _record(op, t, (e,), keep, (a, t._array), (input, t), NOTHING_SAVED)
        return t

    return short


def binary(op: Op, otherwise: Callable[..., Any] = slow.elementwise) -> Callable[..., Any]:
    """entry(input, other, *, alpha=1, out=None); only `add` and `sub` know what to do with an
    alpha.
    """
    shaped = any(kind in (1, 2) for rule in op.rules for kind, _ in rule.getters)

    def first(input: Any, other: Any) -> Any:
        nonlocal short
        found = resolved(op.name, form_of(op), op=op)
        saves = {t: rule.saves for rule in op.rules for t in rule.targets}
        keeps = sum(1 << (3 * t + k) for t, kept in saves.items() for k in kept)
        numbers = op.flags.get("operands") != "tensors"
        short = process.native(
            "binary", op, found, has_rules=bool(op.rules), keeps=keeps, numbers=numbers,
            kept_nothing=NONE_OF_THREE, elides=takes_target(op.name, 2),
            kinds=short_kinds(op, op.name, 2),
        ) or _binary(op, found, saves, SCALARS if numbers else frozenset())  # fmt: skip
        return short(input, other)

    short: Callable[..., Any] = (lambda input, other: None) if shaped else first
    scaled = op.flags.get("scaled")
    kinds = partial(short_kinds, op, op.name, 2)
    write = into(op, op.name, 2, kinds, numbers=op.flags.get("operands") != "tensors")

    def entry(
        input: Any, other: Any, old: Any = None, alpha: Any = None, *, out: Any = None
    ) -> Any:
        if old is not alpha:  # one of them was given
            if old is not None:
                other, alpha = of_two(op, other, old)
            if scaled:
                if out is None:
                    t = scaled.result(input, other, alpha)
                else:
                    t = scaled.into(out, input, other, alpha)
                if t is not None:
                    return t
            if overrides.concern((input, other), mode()):
                named = {"alpha": alpha} if out is None else {"alpha": alpha, "out": out}
                return overrides.dispatch(entry, (input, other), named)
            other = slow.scaled(op, input, other, alpha)
        if out is not None and (t := write(out, input, other)) is not None:
            return t
        t = short(input, other)
        if t is not None and (
            out is None or (t := written_out(out, t, (input, other))) is not None
        ):
            return t
        return otherwise(op, (input, other), out)

    return entry


def number_first(op: Op) -> Callable[..., Any] | None:
    """short(number, tensor), None where it does not serve; None where no code can be generated."""
    found = resolved(op.name, form_of(op), op=op)
    keeps = sum(1 << k for rule in op.rules if 1 in rule.targets for k in rule.saves)
    numbers = op.flags.get("operands") not in ("tensors", "first")
    return process.native(
        "number_first", op, found, has_rules=bool(op.rules), keeps=keeps, numbers=numbers,
        kept_nothing=NONE_OF_THREE, elides=takes_target(op.name, 2),
        kinds=short_kinds(op, op.name, 2),
    )  # fmt: skip


def _binary(
    op: Op, call: Callable[..., Any], saves: dict[int, Any], numbers: frozenset[type]
) -> Callable[..., Any]:
    """short(input, other), None where it does not serve."""
    fast = op.fast
    first, second = saves.get(0, ()), saves.get(1, ())

    def short(input: Any, other: Any) -> Any:
        if type(input) not in PLAIN:
            return None
        m = mode()
        a = input._array
        d = a.dtype
        if (m is not None and m is not NO_GRAD) or d not in fast or type(a) is not nd:
            return None
        if type(other) in PLAIN:
            b = other._array
            if b.dtype is not d or type(b) is not nd:
                return None
        else:
            b = other
            whole = type(b) is int and d in INTS
            if type(b) not in numbers or not (whole or d in SINGLE_DOUBLE):
                return None
        try:
            r = call(a, b)
        except Exception:
            return None
        t = _new(Tensor)
        t._array = r if type(r) is nd else slow.settle(r)
        t._storage = t._view = t._grad = t._edge = None
        if m is not None or not op.rules:
            return t
        edge = input._edge if input._view is None else edge_of(input)
        other_edge = None if b is other else edge_of(other)
        if edge is not None or other_edge is not None:
            wanted = {*(first if edge is not None else ()), *(second if other_edge else ())}
            keep = 0 in wanted, 1 in wanted, 2 in wanted
            owners = (input, None if b is other else other, t)
            _record(op, t, (edge, other_edge), keep, (a, b, t._array), owners, NONE_OF_THREE)
        return t

    return short


def _record(
    op: Op, tensor: Tensor, edges: Any, keep: Any, values: Any, owners: Any, nothing: Any
) -> None:
    """The node of an elementwise operation; called by the short ways that their entries call."""
    n = tensor._edge = _new(ElementNode)
    n.op = op
    n.edges = edges
    n.saved = n.stores = nothing
    if any(keep):
        n.saved = tuple([value if k else None for k, value in zip(keep, values, strict=True)])
        n.stores = tuple(
            [
                (owner._storage or saved_storage(owner)) if k and owner is not None else None
                for k, owner in zip(keep, owners, strict=True)
            ]
        )
    n.shape = tensor._array.shape
    n.dtype = tensor._array.dtype
    f = _frame(3)
    if id(f.f_code) not in USER:
        f = user_frame(f)
    n.code = f.f_code
    n.lasti = f.f_lasti
    n.sequence = next_sequence()
