"""The functions users call: closure factories, one for each kind of operation.

The short way: plain tensors, one dtype, the thread in its ordinary mode or under no_grad.
    Everything else (scalars of
other kinds, mixed dtypes, subclasses, modes, `out=`, sparse, errors to word) goes through `slow`.
Hot and flat on
purpose: on 4x4 float32 one call costs NumPy's 0.35 us and about 0.45 more without, 0.9 with
    gradient.
Stands on tensor, node, silence, state.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import inplace as write
from flambeau.core import slow
from flambeau.core.binding import bind
from flambeau.core.dtypes import FLOATING_KINDS, INTEGRAL
from flambeau.core.kernels.native.choose import FORMULAS, caller
from flambeau.core.node import NONE_OF_THREE, NOTHING_SAVED, ElementNode, OpNode, Port
from flambeau.core.provenance import USER, user_frame
from flambeau.core.silence import quiet, run
from flambeau.core.state import NO_GRAD, mode, next_sequence
from flambeau.core.storage import storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "as_view",
    "binary",
    "bind_dunder",
    "elementwise",
    "general",
    "inplace",
    "record",
    "ternary",
    "unary",
    "view",
]

nd = np.ndarray
asarray = np.asarray
_new = object.__new__
_frame = sys._getframe

SINGLE_DOUBLE = frozenset((np.dtype("f4"), np.dtype("f8")))
INTS = frozenset((np.dtype("i8"), np.dtype("i4")))
BOOL = np.dtype("?")
SCALARS = frozenset((int, float))


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
        if (
            types.result == "bool" or types is INTEGRAL
        ):  # nowhere else may a ufunc be trusted to keep bool
            fast.add(BOOL)
    op.fast = frozenset(fast)
    if op.names == op.tensor_names and len(op.names) == 1:
        return _named(unary(op), op)
    if op.names == op.tensor_names and len(op.names) == 2:
        return _named(binary(op, slow.called if "operands" in op.flags else slow.elementwise), op)
    if op.names[:3] == op.tensor_names and 3 in op.fills:
        return _named(ternary(op, many(op)), op)
    return _named(many(op), op)


def _named(entry: Any, op: Op) -> Any:
    entry.__name__ = entry.__qualname__ = op.name
    entry.__doc__ = op.body.__doc__
    entry.__module__ = "flambeau"
    entry.operation = op
    op.entry = entry
    return entry


def unary(op: Op) -> Callable[..., Any]:
    """entry(input, *, out=None)."""
    fast = op.fast
    rule = op.rules[0] if op.rules else None
    keep_input, keep_out = (0 in rule.saves, 1 in rule.saves) if rule else (False, False)
    if rule and any(kind in (1, 2) for kind, _ in rule.getters):
        fast = (
            frozenset()
        )  # a rule with shapes is rare for one elementwise operand: the general way serves it

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    call = caller(op.name, op.kernel, settle)

    def entry(input: Any, *, out: Any = None) -> Any:
        if type(input) in PLAIN and out is None:
            m = mode()
            a = input._array
            if (m is None or m is NO_GRAD) and a.dtype in fast:
                try:
                    r = call(a)
                except Exception:
                    return slow.elementwise(op, (input,), None)
                if type(r) is not nd:
                    r = slow.settle(r)
                t = _new(Tensor)
                t._array = r
                t._storage = t._view = t._grad = None
                e = input._edge if input._view is None else edge_of(input)
                if e is None or m is not None or rule is None:
                    t._edge = None
                    return t
                n = t._edge = _new(ElementNode)
                n.op = op
                n.edges = (e,)
                if keep_input or keep_out:
                    n.saved = (a if keep_input else None, r if keep_out else None)
                    n.stores = (
                        (input._storage or storage_of(input)) if keep_input else None,
                        storage_of(t) if keep_out else None,
                    )
                else:
                    n.saved = n.stores = NOTHING_SAVED
                n.shape = r.shape
                n.dtype = r.dtype
                f = _frame(1)
                if id(f.f_code) not in USER:
                    f = user_frame(f)
                n.code = f.f_code
                n.lasti = f.f_lasti
                n.sequence = next_sequence()
                return t
        return slow.elementwise(op, (input,), out)

    return entry


def binary(op: Op, otherwise: Callable[..., Any] = slow.elementwise) -> Callable[..., Any]:
    """entry(input, other, *, alpha=1, out=None); only `add` and `sub` know what to do with an
    alpha.
    """
    fast = op.fast
    saves = {t: rule.saves for rule in op.rules for t in rule.targets}
    first, second = saves.get(0, ()), saves.get(1, ())
    input_for_input, input_for_other = 0 in first, 0 in second
    other_for_input, other_for_other = 1 in first, 1 in second
    out_for_input, out_for_other = 2 in first, 2 in second
    has_rules = bool(op.rules)
    numbers = frozenset() if op.flags.get("operands") == "tensors" else SCALARS
    saves_nothing = not first and not second
    if any(kind in (1, 2) for rule in op.rules for kind, _ in rule.getters):
        fast = frozenset()

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    call = caller(op.name, op.kernel, settle)

    def entry(input: Any, other: Any, *, alpha: Any = None, out: Any = None) -> Any:
        if alpha is not None:
            other = slow.scaled(op, input, other, alpha)
        if type(input) in PLAIN and out is None:
            m = mode()
            a = input._array
            d = a.dtype
            if (m is None or m is NO_GRAD) and d in fast:
                if type(other) in PLAIN:
                    b = other._array
                    other_edge = other._edge if other._view is None else edge_of(other)
                    same = b.dtype is d
                else:
                    b = other
                    other_edge = None
                    same = type(b) in numbers and (
                        d in SINGLE_DOUBLE or (type(b) is int and d in INTS)
                    )
                if same:
                    try:
                        r = call(a, b)
                    except Exception:
                        return otherwise(op, (input, other), None)
                    if type(r) is not nd:
                        r = slow.settle(r)
                    t = _new(Tensor)
                    t._array = r
                    t._storage = t._view = t._grad = None
                    edge = input._edge if input._view is None else edge_of(input)
                    if (edge is None and other_edge is None) or m is not None or not has_rules:
                        t._edge = None
                        return t
                    n = t._edge = _new(ElementNode)
                    n.op = op
                    n.edges = (edge, other_edge)
                    if saves_nothing:
                        keep_a = keep_b = keep_r = False
                    elif edge is None:
                        keep_a, keep_b, keep_r = input_for_other, other_for_other, out_for_other
                    elif other_edge is None:
                        keep_a, keep_b, keep_r = input_for_input, other_for_input, out_for_input
                    else:
                        keep_a = input_for_input or input_for_other
                        keep_b = other_for_input or other_for_other
                        keep_r = out_for_input or out_for_other
                    if keep_a or keep_b or keep_r:
                        n.saved = (
                            a if keep_a else None,
                            b if keep_b else None,
                            r if keep_r else None,
                        )
                        n.stores = (
                            (input._storage or storage_of(input)) if keep_a else None,
                            (other._storage or storage_of(other))
                            if keep_b and b is not other
                            else None,
                            storage_of(t) if keep_r else None,
                        )
                    else:
                        n.saved = n.stores = NONE_OF_THREE
                    n.shape = r.shape
                    n.dtype = r.dtype
                    f = _frame(1)
                    if id(f.f_code) not in USER:
                        f = user_frame(f)
                    n.code = f.f_code
                    n.lasti = f.f_lasti
                    n.sequence = next_sequence()
                    return t
        return otherwise(op, (input, other), out)

    return entry


def many(op: Op) -> Callable[..., Any]:
    """The entry of an elementwise operation with plain parameters or three tensors."""
    names, tensors, fills = op.names, op.tensors, op.fills
    count = len(names)
    assert op.types is not None
    fast = op.fast if op.types.result == "same" and not op.promote else frozenset()
    optional = frozenset(
        i for i, _ in tensors if names[i] in op.defaults and op.defaults[names[i]] is None
    )

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    call = caller(op.name, op.kernel, settle)

    def entry(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None) if kwargs else None
        if kwargs or len(args) != count:
            args = (
                args + fills[len(args)]
                if not kwargs and len(args) in fills
                else bind(op, args, kwargs)
            )
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

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    call = caller(op.name, bare(op.kernel, rest), settle)

    def entry(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 3:
            return otherwise(*args, **kwargs)
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
            (x._storage or storage_of(x)) if k0 else None,
            (y._storage or storage_of(y)) if k1 else None,
            (z._storage or storage_of(z)) if k2 and type(z) not in SCALARS else None,
            storage_of(t) if k3 else None,
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


def general(op: Op) -> Callable[..., Any]:
    """The entry of reductions and primitives: any number of tensors and plain parameters, one or
    several results.
    """
    names, tensors, kernel = op.names, op.tensors, op.kernel
    count = len(names)
    simple = not op.lists and not op.varargs
    typed = op.types is not None or bool(op.promote)
    dtype_at = names.index("dtype") if "dtype" in names else None

    fills = op.fills
    if simple and len(op.tensors) == 1 and op.tensors[0][0] == 0 and not op.multiple:
        return _named(single(op, typed, dtype_at), op)

    def entry(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not simple or (len(args) != count and len(args) not in fills):
            out = kwargs.pop("out", None) if kwargs else None
            args = bind(op, args, kwargs)
            if out is not None or not simple:
                return slow.general(op, args, out)
        elif len(args) != count:
            args += fills[len(args)]
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
        except RuntimeError:
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

    return _named(entry, op)


def single(op: Op, typed: bool, dtype_at: int | None) -> Callable[..., Any]:
    """The entry of an operation with one tensor, first, and one result."""
    kernel, fills, plan = op.kernel, op.fills, op.plan(1)
    count = len(op.names)
    has_rules = bool(op.rules)
    keep_input, keep_out = bool(plan[0]), bool(plan[1])

    def entry(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        if kwargs or (given != count and given not in fills):
            out = kwargs.pop("out", None) if kwargs else None
            args = bind(op, args, kwargs)
            if out is not None:
                return slow.general(op, args, out)
        elif given != count:
            args += fills[given]
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
        except RuntimeError:
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
                (input._storage or storage_of(input)) if keep_input else None,
                storage_of(t) if keep_out else None,
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


def record_one(op: Op, args: Any, arrays: Any, edges: Any, mask: int, tensor: Tensor) -> OpNode:
    """Hang a node on a single result; saves what the wanted rules name."""
    inputs, outputs, wants_params, wants_shapes = op.plans.get(mask) or op.plan(mask)
    n: OpNode = _new(OpNode)
    tensor._edge = n
    n.op = op
    n.edges = tuple(edges)
    n.hooks = None
    count = len(op.tensors)
    saved: list[Any] = [None] * (count + 1)
    stores: list[Any] = [None] * (count + 1)
    for k in inputs:
        i = op.tensors[k][0]
        x = args[i]
        if isinstance(x, Tensor):
            saved[k] = x._array
            stores[k] = x._storage or storage_of(x)
        else:
            saved[k] = x
    r = tensor._array
    if outputs:
        saved[count] = r
        stores[count] = tensor._storage or storage_of(tensor)
    n.saved = saved
    n.stores = stores
    n.params = args if not wants_params else plain_values(op, args)
    n.shapes = (
        tuple([getattr(arrays[i], "shape", ()) for i, _ in op.tensors]) if wants_shapes else None
    )
    n.shape = r.shape
    n.dtype = r.dtype
    f = _frame(2)
    if id(f.f_code) not in USER:
        f = user_frame(f)
    n.code = f.f_code
    n.lasti = f.f_lasti
    n.sequence = next_sequence()
    if not wants_params:
        n.params = None
    return n


def plain_values(op: Op, args: Any) -> list[Any]:
    """The arguments with the tensors left out: a node keeps no tensor alive that no rule needs."""
    values = list(args)
    for i, _ in op.tensors:
        values[i] = None
    return values


def record(op: Op, args: Any, arrays: Any, edges: Any, mask: int, results: tuple[Any, ...]) -> Any:
    """Wrap several results, with one node behind those that are differentiable."""
    wrapped = []
    for r in results:
        t = _new(Tensor)
        t._array = r if type(r) is nd else slow.settle(r)
        t._storage = t._view = t._grad = t._edge = None
        wrapped.append(t)
    if mask and op.rules:
        inputs, outputs, wants_params, wants_shapes = op.plan(mask)
        n: OpNode = _new(OpNode)
        n.op = op
        n.edges = tuple(edges)
        n.hooks = None
        count = len(op.tensors)
        saved: list[Any] = [None] * (count + len(results))
        stores: list[Any] = [None] * (count + len(results))
        for k in inputs:
            x = args[op.tensors[k][0]]
            if isinstance(x, Tensor):
                saved[k], stores[k] = x._array, x._storage or storage_of(x)
            else:
                saved[k] = x
        for k in outputs:
            saved[count + k], stores[count + k] = wrapped[k]._array, storage_of(wrapped[k])
        n.saved, n.stores = saved, stores
        n.params = plain_values(op, args) if wants_params else None
        n.shapes = (
            tuple([getattr(arrays[i], "shape", ()) for i, _ in op.tensors])
            if wants_shapes
            else None
        )
        n.shape = tuple([t._array.shape for t in wrapped])
        n.dtype = tuple([t._array.dtype for t in wrapped])
        n.outputs = len(wrapped)
        f = user_frame(_frame(2))
        n.code, n.lasti = f.f_code, f.f_lasti
        n.sequence = next_sequence()
        for k in op.differentiable:
            if wrapped[k]._array.dtype.kind in FLOATING_KINDS:
                wrapped[k]._edge = Port(n, k)
    return slow.pack_results(op, wrapped)


def view(op: Op) -> Callable[..., Any]:
    """The entry of a view: the result shares the input's storage and remembers its base."""
    count = len(op.names)
    kernel = op.kernel
    varargs = op.varargs is not None

    fills = op.fills

    def settle(found: Callable[..., Any]) -> None:
        nonlocal kernel
        kernel = found

    if hasattr(kernel, "follow"):
        kernel.follow(settle)

    def entry(*args: Any, **kwargs: Any) -> Any:
        if varargs or kwargs or (len(args) != count and len(args) not in fills):
            args = bind(op, args, kwargs)
        elif len(args) != count:
            args += fills[len(args)]
        input = args[0]
        m = mode()
        if type(input) in PLAIN and (m is None or m is NO_GRAD) and type(a := input._array) is nd:
            return as_view(op, input, kernel(a, *args[1:]), args)
        return slow.view(op, args)

    return _named(entry, op)


def as_view(op: Op, input: Tensor, r: Any, args: Any) -> Tensor:
    """The tensor of a view `r` of `input`'s array, in the ordinary mode or under no_grad; `args` as
    the op was called.

    A view's node is made when somebody asks for it (`edge_of`): until then its edge is a tuple of
    what the node needs, 0.1 us instead of 0.9. Called by the function the user calls, and by nobody
    deeper.
    """
    t: Tensor = _new(Tensor)
    t._array = r
    s = t._storage = input._storage or storage_of(input)
    t._grad = None
    old = input._view
    m = mode()
    if old is None:
        source: Any = input._edge
        t._view = (input, s.version, "" if m is None else "no_grad")
    else:
        source = input._edge if s.version == old[1] else edge_of(input)
        if type(source) is tuple:
            source = input
        t._view = (old[0], s.version, "" if m is None else "no_grad")
    if source is None or m is not None or not op.rules:
        t._edge = None
        return t
    f = _frame(2)
    if id(f.f_code) not in USER:
        f = user_frame(f)
    t._edge = (op, source, args[1:], input._array.shape, f.f_code, f.f_lasti, next_sequence())
    return t


def view_node(tensor: Tensor) -> OpNode:
    """The node of a view, made from the tuple that `as_view` left."""
    op, source, args, shape, code, lasti, sequence = tensor._edge
    n: OpNode = _new(OpNode)
    tensor._edge = n
    n.op = op
    n.edges = (edge_of(source) if isinstance(source, Tensor) else source,)
    n.saved = n.stores = NOTHING_SAVED
    n.hooks = None
    n.params = (None, *args)
    n.shapes = (shape,)
    n.shape = tensor._array.shape
    n.dtype = tensor._array.dtype
    n.code = code
    n.lasti = lasti
    n.sequence = sequence
    return n


def inplace(op: Op) -> Callable[..., Any]:
    """`name_`: the operation written into its first tensor."""
    names = op.names
    title = op.name.lstrip("_") + "_"
    elementwise = op.flags["family"] == "elementwise"
    if elementwise and names == op.tensor_names and len(names) == 2 and type(op.kernel) is np.ufunc:
        entry = inplace_binary(op, title)
    elif elementwise and names == op.tensor_names and len(names) == 1 and has_native(op):
        entry = inplace_unary(op, title)
    else:

        def entry(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != len(names):
                args = bind(op, args, kwargs)
            return write.inplace(op, args)

    entry.__name__ = entry.__qualname__ = title
    entry.__doc__ = f"`{op.name}` written into the tensor itself. {op.body.__doc__ or ''}"
    entry.__module__ = "flambeau"
    entry.operation = op
    return entry


def inplace_unary(op: Op, title: str) -> Any:
    """entry(input) of an operation with a native function: nothing to record or share."""
    kernel, fast = op.kernel, op.fast

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    def into(a: Any, out: Any) -> None:
        out[...] = kernel(a)

    call = caller(op.name, into, settle)

    def entry(input: Any) -> Any:
        m = mode()
        if type(input) in PLAIN and (m is None or m is NO_GRAD):
            a = input._array
            if (
                a.dtype in fast
                and (m is not None or (input._edge is None and input._view is None))
                and 0 not in a.strides
                and (input._storage is None or not input._storage.inference)
            ):
                try:
                    call(a, a)
                except Exception:
                    return write.inplace(op, (input,))
                s = input._storage or storage_of(input)
                s.version += 1
                s.written = s.changed = next_sequence()
                s.writing = title
                f = _frame(1)
                if id(f.f_code) not in USER:
                    f = user_frame(f)
                s.writer = (f.f_code, f.f_lasti)
                if s.origin is not None:
                    write.silent(s)
                return input
        return write.inplace(op, (input,))

    return entry


def has_native(op: Op) -> bool:
    """Whether the operation has a formula whose results have its operand's type."""
    formula = FORMULAS.get(op.name.lstrip("_"))
    return formula is not None and not formula.result


def inplace_binary(op: Op, title: str, otherwise: Callable[..., Any] = write.inplace) -> Any:
    """entry(input, other, *, alpha=1) of a ufunc: one dtype, nothing to record or share."""
    kernel, fast = op.kernel, op.fast

    def settle(found: Callable[..., Any]) -> None:
        nonlocal call
        call = found

    if kernel in (
        np.maximum,
        np.minimum,
    ):  # NumPy warns of these two when `out` is given by position
        ufunc = kernel

        def kernel(a: Any, b: Any, out: Any) -> None:
            ufunc(a, b, out=out)

    call = caller(op.name, kernel, settle)

    def entry(input: Any, other: Any, *, alpha: Any = None) -> Any:
        if alpha is not None:
            other = slow.scaled(op, input, other, alpha)
        m = mode()
        if type(input) in PLAIN and (m is None or m is NO_GRAD):
            a = input._array
            d = a.dtype
            if d in fast and (m is not None or (input._edge is None and input._view is None)):
                if type(other) in PLAIN:
                    b = other._array
                    same = b.dtype is d and (
                        m is not None or (other._edge is None and other._view is None)
                    )
                else:
                    b = other
                    same = type(b) in SCALARS and d in SINGLE_DOUBLE
                if (
                    same
                    and 0 not in a.strides
                    and (input._storage is None or not input._storage.inference)
                ):
                    try:
                        call(a, b, a)
                    except Exception:
                        return otherwise(op, (input, other))
                    s = input._storage or storage_of(input)
                    s.version += 1
                    s.written = s.changed = next_sequence()
                    s.writing = title
                    f = _frame(1)
                    if id(f.f_code) not in USER:
                        f = user_frame(f)
                    s.writer = (f.f_code, f.f_lasti)
                    if s.origin is not None:
                        write.silent(s)
                    return input
        return otherwise(op, (input, other))

    return entry


COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
COMMUTATIVE = frozenset(("add", "mul", "and", "or", "xor"))
UNARY_DUNDERS = frozenset(("neg", "abs", "invert", "pos"))


def bind_dunder(op: Op, name: str, function: Callable[..., Any], written: Any) -> None:
    """Hang an operation on Python's operator: forward, reflected and in place."""
    if name in UNARY_DUNDERS:
        setattr(Tensor, f"__{name}__", function)
        return

    forward = operator(op, function)
    setattr(Tensor, f"__{name}__", forward)
    if name in COMMUTATIVE:
        setattr(Tensor, f"__r{name}__", forward)  # the short way for `2 * x`
    elif name not in COMPARISONS:

        def reflected(input: Any, other: Any) -> Any:
            return slow.reflected(op, other, input)

        setattr(Tensor, f"__r{name}__", reflected)
    if written and name not in COMPARISONS:

        def augmented(op: Op, args: Any) -> Any:
            input, other = args
            if not isinstance(other, Tensor) and not slow.is_number(other):
                return slow.foreign(op, input, other, augmented=True)
            return written(input, other)

        if type(op.kernel) is np.ufunc and len(op.names) == 2 and op.names == op.tensor_names:
            entry = inplace_binary(op, op.name.lstrip("_") + "_", augmented)
        else:

            def entry(input: Any, other: Any) -> Any:
                return augmented(op, (input, other))

        setattr(Tensor, f"__i{name}__", entry)


def operator(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """The operator's form of a binary entry: an operand of a foreign type gives NotImplemented, so
    Python asks it.
    """
    if len(op.names) == 2 and op.names == op.tensor_names and op.types is not None:
        return binary(op, slow.operator)

    def entry(input: Any, other: Any) -> Any:
        if not isinstance(other, Tensor) and not slow.is_number(other):
            return slow.foreign(op, input, other)
        return function(input, other)

    return entry
