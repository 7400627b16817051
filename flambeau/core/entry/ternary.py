"""Entries of elementwise operations with three tensors or with plain parameters.

Stands on record, slow, silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import slow
from flambeau.core.binding import bind
from flambeau.core.entry import process
from flambeau.core.entry.filling import written_out
from flambeau.core.entry.into import into
from flambeau.core.entry.record import BOOL, SCALARS, SINGLE_DOUBLE, record_one
from flambeau.core.entry.several import KINDS
from flambeau.core.kernels.native.choose import resolved, short_kinds
from flambeau.core.kernels.order import form_of, ordered
from flambeau.core.node import OpNode
from flambeau.core.provenance import USER, user_frame
from flambeau.core.state import NO_GRAD, mode, next_sequence
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import PLAIN, Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["many", "ternary"]

nd = np.ndarray
asarray = np.asarray
_new = object.__new__
_frame = sys._getframe


def _unserved(*args: Any) -> None:
    """The short way where no code can be generated: the entry goes on by itself."""


def many(op: Op) -> Callable[..., Any]:
    """The entry of an elementwise operation with plain parameters or three tensors."""
    names, tensors, fills = op.names, op.tensors, op.fills
    count = len(names)
    assert op.types is not None
    plain = op.types.result == "same" and not op.promote
    fast = op.fast if plain else frozenset()
    optional = frozenset(
        i for i, _ in tensors if names[i] in op.defaults and op.defaults[names[i]] is None
    )

    call: Callable[..., Any]

    def first_call(*args: Any) -> Any:
        nonlocal call, short
        name = op.flags.get("formula", op.name)
        call = resolved(name, form_of(op), count, op)
        kinds = short_kinds(op, name, count) if plain else fast
        allowed = sum(1 << k for k, (i, _) in enumerate(tensors) if k)
        missing = sum(1 << k for k, (i, _) in enumerate(tensors) if i in optional)
        short = (
            process.several(op, call, kinds, same=1, numbers=allowed, optional=missing) or _unserved
        )
        return short(*args)

    short: Callable[..., Any] = first_call
    formula = op.flags.get("formula", op.name)
    kinds = partial(short_kinds, op, formula, count) if plain else frozenset
    write = into(op, formula, count, kinds, numbers=1)

    def entry(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None) if kwargs else None
        if kwargs or len(args) != count:
            args = (
                args + fills[len(args)]
                if not kwargs and len(args) in fills
                else bind(op, args, kwargs)
            )
        if out is not None and (t := write(out, *args)) is not None:
            return t
        t = short(*args)
        if t is not None and (out is None or (t := written_out(out, t, args)) is not None):
            return t
        m = mode()
        first = args[0]
        if (
            out is None
            and (m is None or m is NO_GRAD)
            and type(first) in PLAIN
            and (d := first._array.dtype) in fast
        ):
            arrays = list(args)
            edges = []
            mask = 0
            for i, bit in tensors:
                x = args[i]
                if type(x) in PLAIN:
                    arrays[i] = a = x._array
                    if a.dtype is not d:
                        break
                    e = x._edge if x._view is None else edge_of(x)
                    edges.append(e)
                    if e is not None:
                        mask |= bit
                elif x is None and i in optional:
                    edges.append(None)
                elif type(x) in SCALARS and d in SINGLE_DOUBLE and -3e38 < x < 3e38:
                    arrays[i] = asarray(x, d)
                    edges.append(None)
                else:
                    break
            else:
                try:
                    r = call(*arrays)
                except Exception:
                    return slow.elementwise(op, args, None)
                if type(r) is not nd:
                    r = slow.settle(r)
                if r.dtype == d:
                    t = _new(Tensor)
                    t._array = r
                    t._storage = t._view = t._grad = None
                    if mask and m is None and op.rules:
                        record_one(op, args, arrays, edges, mask, t)
                    else:
                        t._edge = None
                    return t
        return slow.elementwise(op, args, out)

    return entry


def ternary(op: Op, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """entry(first, second, third) of three operands in one dtype (the last may be a number), other
    parameters at their defaults. An operation that promotes its last two chooses by its first,
    which is then bool.
    """
    rest = op.fills[3]
    fast = op.fast & SINGLE_DOUBLE
    chooses = op.promote == op.tensor_names[1:]
    if op.promote and not chooses:
        fast = frozenset()
    keeps: dict[int, tuple[bool, ...]] = {}
    params = (None, None, None, *rest)
    has_rules = bool(op.rules)

    call: Callable[..., Any]

    def first_call(*args: Any) -> Any:
        nonlocal call, short
        call = resolved(op.name, ordered(bare(op.kernel, rest)), op=op)
        kinds = frozenset(KINDS if chooses else fast)
        if kinds:
            kinds |= short_kinds(op, op.name, 3) - op.fast
        short = (
            process.several(
                op, call, kinds, arguments=3, params=params, chooses=int(chooses), numbers=6
            ) or _unserved
        )  # fmt: skip
        return short(*args)

    short: Callable[..., Any] = first_call

    def entry(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 3:
            return otherwise(*args, **kwargs)
        t = short(*args)
        if t is not None:
            return t
        x, y, z = args
        m = mode()
        if type(x) not in PLAIN or type(y) not in PLAIN or (m is not None and m is not NO_GRAD):
            return otherwise(x, y, z)
        a, b = x._array, y._array
        d = b.dtype
        if d not in fast or a.dtype is not (BOOL if chooses else d):
            return otherwise(x, y, z)
        if type(z) in PLAIN:
            c = z._array
            if c.dtype is not d or type(c) is not nd:
                return otherwise(x, y, z)
            third = z._edge if z._view is None else edge_of(z)
        elif type(z) in SCALARS and -3e38 < z < 3e38:
            c = asarray(z, d)
            third = None
        else:
            return otherwise(x, y, z)
        if type(a) is not nd or type(b) is not nd:
            return otherwise(x, y, z)
        try:
            r = call(a, b, c)
        except Exception:
            return otherwise(x, y, z)
        if type(r) is not nd:
            r = slow.settle(r)
        t = _new(Tensor)
        t._array = r
        t._storage = t._view = t._grad = None
        first = x._edge if x._view is None else edge_of(x)
        second = y._edge if y._view is None else edge_of(y)
        if m is not None or not has_rules or (first is None and second is None and third is None):
            t._edge = None
            return t
        mask = (first is not None) | (second is not None) << 1 | (third is not None) << 2
        keep = keeps.get(mask)
        if keep is None:
            inputs, outputs, _, _ = op.plan(mask)
            keep = keeps[mask] = (0 in inputs, 1 in inputs, 2 in inputs, bool(outputs))
        n: OpNode = _new(OpNode)
        t._edge = n
        n.op = op
        n.edges = (first, second, third)
        n.hooks = None
        k0, k1, k2, k3 = keep
        n.saved = (
            a if k0 else None,
            b if k1 else None,
            (z if type(z) in SCALARS else c) if k2 else None,
            r if k3 else None,
        )
        n.stores = (
            (x._storage or saved_storage(x)) if k0 else None,
            (y._storage or saved_storage(y)) if k1 else None,
            (z._storage or saved_storage(z)) if k2 and type(z) not in SCALARS else None,
            saved_storage(t) if k3 else None,
        )
        n.params = params
        n.shapes = (a.shape, b.shape, c.shape)
        n.shape = r.shape
        n.dtype = r.dtype
        f = _frame(1)
        if id(f.f_code) not in USER:
            f = user_frame(f)
        n.code = f.f_code
        n.lasti = f.f_lasti
        n.sequence = next_sequence()
        return t

    return entry


def bare(kernel: Callable[..., Any], rest: tuple[Any, ...]) -> Callable[..., Any]:
    """A kernel of three operands, its other parameters at their defaults."""
    return (lambda a, b, c: kernel(a, b, c, *rest)) if rest else kernel
