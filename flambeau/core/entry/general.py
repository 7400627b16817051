"""Entries of reductions and primitives: any number of tensors and plain parameters, one or several
results. Stands on record, slow, silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import slow
from flambeau.core.binding import bind, check_switches
from flambeau.core.dtypes import FLOATING_KINDS, REAL, SUM
from flambeau.core.entry import process
from flambeau.core.entry.record import SINGLE_DOUBLE, named, record, record_one
from flambeau.core.kernels.native.choose import SILENT, SIXTEEN
from flambeau.core.node import NOTHING_SAVED, OpNode
from flambeau.core.provenance import USER, user_frame
from flambeau.core.silence import quiet, run
from flambeau.core.state import NO_GRAD, mode, next_sequence
from flambeau.core.storage import saved_storage
from flambeau.core.tensor import PLAIN, Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["all_positional", "general"]

nd = np.ndarray
_new = object.__new__
_frame = sys._getframe


def general(op: Op) -> Callable[..., Any]:
    """The entry of reductions and primitives: any number of tensors and plain parameters, one or
    several results.
    """
    names, tensors, kernel = op.names, op.tensors, op.kernel
    count = all_positional(op)
    simple = not op.lists and not op.varargs
    typed = op.types is not None or bool(op.promote)
    dtype_at = names.index("dtype") if "dtype" in names else None

    fills, first_switch = op.fills, min(op.switches, default=len(op.names))
    several = op.multiple

    def first_call(*args: Any) -> Any:
        nonlocal short
        short = _native(op, typed, dtype_at) or _unserved
        return short(*args)

    short: Callable[..., Any] = first_call
    if simple and len(op.tensors) == 1 and op.tensors[0][0] == 0 and not op.multiple:
        return named(single(op, typed, dtype_at), op)

    def entry(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None) if kwargs else None
        if (
            kwargs
            or out is not None
            or not simple
            or (len(args) != count and len(args) not in fills)
        ):
            args = bind(op, args, kwargs)
            if out is not None or not simple:
                return slow.general(op, args, out)
        else:
            if len(args) > first_switch:
                check_switches(op, args)
            if len(args) != count:
                args += fills[len(args)]
        t = short(*args)
        if t is not None:
            return slow.pack_results(op, t) if several else t
        m = mode()
        if (m is not None and m is not NO_GRAD) or (
            dtype_at is not None and args[dtype_at] is not None
        ):
            return slow.general(op, args, None)
        arrays = list(args)
        edges = []
        mask = 0
        kind = None
        for i, bit in tensors:
            x = args[i]
            if type(x) in PLAIN:
                arrays[i] = a = x._array
                if type(a) is not nd:
                    return slow.general(op, args, None)
                if typed:
                    d = a.dtype
                    if d not in SINGLE_DOUBLE or (kind is not None and kind is not d):
                        return slow.general(op, args, None)
                    kind = d
                e = x._edge if x._view is None else edge_of(x)
                edges.append(e)
                if e is not None:
                    mask |= bit
            elif x is None:
                edges.append(None)
            else:
                return slow.general(op, args, None)
        try:
            r = run(kernel, *arrays)
        except (RuntimeError, MemoryError):
            r = quiet(kernel, *arrays)
        if type(r) is not nd:
            if type(r) is tuple:
                return record(op, args, arrays, edges, mask if m is None else 0, r)
            r = slow.settle(r)
        t = _new(Tensor)
        t._array = r
        t._storage = t._view = t._grad = None
        if mask and m is None and op.rules:
            record_one(op, args, arrays, edges, mask, t)
        else:
            t._edge = None
        return t

    return named(entry, op)


def all_positional(op: Op) -> int:
    """With how many arguments by position a call is complete; -1 where some go by name alone."""
    return len(op.names) if op.positional == len(op.names) else -1


KINDS = tuple(np.dtype(t) for t in ("f4", "f8", "i8", "i4", "?"))
COMPLEX = tuple(np.dtype(t) for t in ("c8", "c16"))


def _native(op: Op, typed: bool, dtype_at: int | None) -> Callable[..., Any] | None:
    """The native short way."""
    kernel = op.kernel if op.kernel in SILENT else partial(run, op.kernel)
    from flambeau.core.kernels.native import (
        row_picks,
        small_channels,
        small_copies,
        small_folds,
        small_gates,
        small_layers,
        small_orders,
        small_puts,
        small_scans,
        small_windows,
    )

    if op.name in small_folds.FOLDS:
        kernel = wide_alone(kernel)
    for room in (
        small_folds, row_picks, small_puts, small_layers, small_orders, small_copies, small_windows,
        small_channels, small_scans, small_gates,
    ):  # fmt: skip
        kernel = room.native(op.name, kernel)
    missing = sum(1 << k for k, (i, _) in enumerate(op.tensors) if op.template[i] is None)
    sums = op.types is SUM
    kinds = tuple(SINGLE_DOUBLE) if typed and not sums else KINDS
    if sums and op.name != "nansum":  # which has no answer for them
        kinds += COMPLEX
    if op.types is REAL and op.name in small_folds.FOLDS:  # whole numbers, which stay so
        kinds = tuple(k for k in KINDS if k.kind != "b")
    if op.name in small_folds.FOLDS:
        kinds += tuple(SIXTEEN)
    if op.name in small_windows.WINDOWS:  # with bytes that name taps
        kinds += (np.dtype("u1"),)
    if op.name in small_copies.COPIES:  # any numbers
        kinds += (COMPLEX[0], *SIXTEEN)
    return process.several(
        op, kernel, kinds, mixed=int(not typed), same=process.SUMS * sums,
        optional=missing, dtype_at=0 if dtype_at is None else dtype_at + 1,
    )  # fmt: skip


def wide_alone(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The NumPy form of a fold; 16-bit floats go the long way, which widens them."""

    def form(input: Any, *args: Any) -> Any:
        if input.dtype in SIXTEEN:
            raise TypeError
        return kernel(input, *args)

    return form


def _unserved(*args: Any) -> None:
    """The short way where no code can be generated: the entry goes on by itself."""


def single(op: Op, typed: bool, dtype_at: int | None) -> Callable[..., Any]:
    """The entry of an operation with one tensor, first, and one result."""
    kernel, fills, plan = op.kernel, op.fills, op.plan(1)
    count = all_positional(op)
    has_rules, first_switch = bool(op.rules), min(op.switches, default=len(op.names))
    keep_input, keep_out = bool(plan[0]), bool(plan[1])

    def first_call(*args: Any) -> Any:
        nonlocal short
        short = _native(op, typed, dtype_at) or _unserved
        return short(*args)

    short: Callable[..., Any] = first_call

    def entry(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        out = kwargs.pop("out", None) if kwargs else None
        if kwargs or out is not None or (given != count and given not in fills):
            args = bind(op, args, kwargs)
            if out is not None:
                return slow.general(op, args, out)
        else:
            if given > first_switch:
                check_switches(op, args)
            if given != count:
                args += fills[given]
        t = short(*args)
        if t is not None:
            return t
        input = args[0]
        m = mode()
        if type(input) not in PLAIN or (m is not None and m is not NO_GRAD):
            return slow.general(op, args, None)
        a = input._array
        if (
            type(a) is not nd
            or (typed and a.dtype not in SINGLE_DOUBLE)
            or (dtype_at is not None and args[dtype_at] is not None)
        ):
            return slow.general(op, args, None)
        try:
            r = run(kernel, a, *args[1:])
        except (RuntimeError, MemoryError):
            r = quiet(kernel, a, *args[1:])
        if type(r) is not nd:
            r = slow.settle(r)
        t = _new(Tensor)
        t._array = r
        t._storage = t._view = t._grad = None
        edge = input._edge if input._view is None else edge_of(input)
        if edge is None or m is not None or not has_rules or r.dtype.kind not in FLOATING_KINDS:
            t._edge = None
            return t
        n = t._edge = _new(OpNode)
        n.op = op
        n.edges = (edge,)
        if keep_input or keep_out:
            n.saved = (a if keep_input else None, r if keep_out else None)
            n.stores = (
                (input._storage or saved_storage(input)) if keep_input else None,
                saved_storage(t) if keep_out else None,
            )
        else:
            n.saved = n.stores = NOTHING_SAVED
        n.hooks = None
        n.params = (None, *args[1:])
        n.shapes = (a.shape,)
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
