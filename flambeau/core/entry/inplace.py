"""Entries that write into their first tensor. Stands on record, process, core.inplace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import inplace as write
from flambeau.core import slow
from flambeau.core.binding import bind
from flambeau.core.entry import process
from flambeau.core.entry.general import KINDS, all_positional
from flambeau.core.entry.record import INTS, SCALARS, SINGLE_DOUBLE
from flambeau.core.kernels.native import complexes
from flambeau.core.kernels.native.choose import FORMULAS, resolved, short_kinds, takes_target
from flambeau.core.old_order import of_two
from flambeau.core.overlap import meets
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["inplace", "inplace_binary"]

nd = np.ndarray
TRIANGLES = ("tril", "triu")
"""Operations that are no elementwise ones, but write as those do."""


def inplace(op: Op) -> Callable[..., Any]:
    """`name_`: the operation written into its first tensor."""
    names = op.names
    title = op.name.lstrip("_") + "_"
    elementwise = op.flags["family"] == "elementwise"
    ufunc = type(op.kernel) is np.ufunc
    if f"{op.name}_answered" in FORMULAS:
        entry = inplace_answered(op, title)
    elif elementwise and names == op.tensor_names and len(names) == 2 and ufunc:
        entry = inplace_binary(op, title)
    elif elementwise and names == op.tensor_names and len(names) == 1 and (ufunc or has_native(op)):
        entry = inplace_unary(op, title)
    else:
        # Elementwise ones may be called in the order of old programs: see `old_order`.
        fills, count = op.fills, len(names) if elementwise else all_positional(op)
        otherwise = recorded(op, title) if elementwise or op.name in TRIANGLES else write.inplace

        def entry(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != count:
                if not kwargs and len(args) in fills:
                    args += fills[len(args)]
                else:
                    args = bind(op, args, kwargs)
            return otherwise(op, args)

    entry.__name__ = entry.__qualname__ = title
    entry.__doc__ = f"`{op.name}` written into the tensor itself. {op.body.__doc__ or ''}"
    entry.__module__ = "flambeau"
    entry.operation = op
    return entry


def inplace_unary(op: Op, title: str) -> Any:
    """entry(input) of an operation with a native function: nothing to record or share."""

    otherwise = recorded(op, title)

    def into(a: Any, out: Any) -> None:
        out[...] = op.kernel(a)

    def first(input: Any) -> Any:
        nonlocal short
        found = apart(op.kernel if type(op.kernel) is np.ufunc else into, 1)
        found = resolved(op.name, found, op=op)
        kinds = short_kinds(op, op.name, 1)
        short = process.native("write_unary", op, found, title, kinds) or _write(op, found, title)
        return short(input)

    short: Callable[..., Any] = first

    def entry(input: Any) -> Any:
        t = short(input)
        return otherwise(op, (input,)) if t is None else t

    return entry


def inplace_answered(op: Op, title: str) -> Any:
    """entry(input, other), or entry(input), of a question: its answers become numbers of the
    tensor's dtype. What the operation flags as `answers` writes where there is a history.
    """
    name, count = f"{op.name}_answered", len(op.names)
    otherwise = op.flags.get("answers", write.inplace)

    def first(*args: Any) -> Any:
        nonlocal short
        kind = "write_unary" if count == 1 else "write_binary"
        kernel = resolved(name, _refused, op=op)
        kinds = short_kinds(op, name, count)
        short = process.native(kind, op, kernel, title, kinds, numbers=True) or _unserved
        return short(*args)

    short: Callable[..., Any] = first

    def two(input: Any, other: Any) -> Any:
        t = short(input, other)
        return otherwise(op, (input, other)) if t is None else t

    def one(input: Any) -> Any:
        t = short(input)
        return otherwise(op, (input,)) if t is None else t

    return one if count == 1 else two


def _refused(*arrays: Any) -> Any:
    """The form of what native code alone serves: the long way writes."""
    raise ValueError


def has_native(op: Op) -> bool:
    """Whether the operation has a formula whose results have its operand's type."""
    formula = FORMULAS.get(op.name.lstrip("_"))
    return formula is not None and not formula.result


def recorded(
    op: Op, title: str, otherwise: Callable[..., Any] = write.inplace
) -> Callable[..., Any]:
    """write(op, args) of an elementwise operation, whose result becomes the tensor's history."""
    fast = frozenset() if op.promote or op.name in TRIANGLES else op.fast

    def first(*args: Any) -> Any:
        nonlocal short
        numbers = op.flags.get("operands") != "tensors"
        allowed = sum(1 << k for k, _ in enumerate(op.tensors) if k and numbers)
        missing = sum(1 << k for k, (i, _) in enumerate(op.tensors) if op.template[i] is None)
        name = op.flags.get("formula", op.name)
        if name in TRIANGLES:
            from flambeau.core.kernels.native import small_copies

            kernel, into = small_copies.native(name, _refused), True
            kinds = frozenset(KINDS)
        else:
            kernel = resolved(name, apart(op.kernel, len(op.names)), len(op.names), op)
            into = takes_target(name, len(op.names))
            kinds = fast if op.promote else short_kinds(op, name, len(op.names))
        short = process.several(
            op, kernel, kinds, title, numbers=allowed, optional=missing, into=int(into)
        ) or _unserved  # fmt: skip
        return short(*args)

    short: Callable[..., Any] = first

    def written(op: Op, args: Any) -> Any:
        t = short(*args)
        return otherwise(op, args) if t is None else t

    return written


def apart(kernel: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The NumPy form of `count` arguments; one that would be written while it is read is the long
    way's to refuse.
    """

    def form(*arrays: Any) -> Any:
        if len(arrays) > count:
            out = arrays[-1]
            if out.dtype.kind == "c":
                raise ValueError
            for a in arrays[:count]:
                if type(a) is nd and meets(out, a):
                    raise ValueError
        return kernel(*arrays)

    return form


def _unserved(*args: Any) -> None:
    """The short way where no code can be generated: the entry goes on by itself."""


def inplace_binary(op: Op, title: str, otherwise: Callable[..., Any] = write.inplace) -> Any:
    """entry(input, other, *, alpha=1) of a ufunc: one dtype, nothing to record or share."""
    otherwise = recorded(op, title, otherwise)

    def into(a: Any, b: Any, out: Any) -> None:
        op.kernel(a, b, out=out)

    def first(input: Any, other: Any) -> Any:
        nonlocal short
        warns = op.kernel in (np.maximum, np.minimum)  # of `out` given by position
        found = resolved(op.name, apart(into if warns else op.kernel, 2), op=op)
        kinds = short_kinds(op, op.name, 2)
        if op.name in complexes.FORMULAS:
            kinds |= frozenset(complexes.DTYPES)
        short = process.native("write_binary", op, found, title, kinds, numbers=True) or _write(
            op, found, title
        )
        return short(input, other)

    short: Callable[..., Any] = first

    scaled = op.flags.get("scaled")

    def entry(input: Any, other: Any, old: Any = None, alpha: Any = None) -> Any:
        if old is not alpha:  # one of them was given
            if old is not None:
                other, alpha = of_two(op, other, old)
            if scaled and (t := scaled.written(input, other, alpha)) is not None:
                return t
            other = slow.scaled(op, input, other, alpha)
        t = short(input, other)
        return otherwise(op, (input, other)) if t is None else t

    return entry


def _write(op: Op, call: Callable[..., Any], title: str) -> Callable[..., Any]:
    """short(input, *others) into the input, None where it does not serve."""
    fast = op.fast

    def short(input: Any, *others: Any) -> Any:
        m = mode()
        if type(input) not in PLAIN or (m is not None and m is not NO_GRAD):
            return None
        a, s = input._array, input._storage
        if (
            type(a) is not nd
            or a.dtype not in fast
            or 0 in a.strides
            or (s is not None and s.inference)
        ):
            return None
        given = []
        for x in (input, *others):
            if type(x) in PLAIN:
                b = x._array
                if b.dtype is not a.dtype or type(b) is not nd:
                    return None
                if m is None and (
                    x._edge is not None or (x._view is not None and x._view[0]._edge is not None)
                ):
                    return None
                given.append(b)
            elif type(x) not in SCALARS or (
                a.dtype not in SINGLE_DOUBLE and (a.dtype not in INTS or type(x) is not int)
            ):
                return None
            else:
                given.append(x)
        try:
            call(*given, a)
        except Exception:
            return None
        touch(input, title)
        return input

    return short
