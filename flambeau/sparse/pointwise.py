"""Elementwise operations with a sparse operand.

What is linear keeps the operand's places and the operation's own gradient rule; what maps zero to
zero is computed on
the values; two sparse operands meet on the union of their places, products on the intersection.
Anything that would fill
the zeros is refused, as PyTorch refuses it. Stands on basis and kernels; reached from core.slow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import slow, state
from flambeau.core.declare import Op
from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.entry import record_one
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.sparse import basis, kernels
from flambeau.sparse.convert import compress
from flambeau.sparse.data import COO, SparseData

__all__ = ["apply", "check_ordered"]

LINEAR = frozenset(("mul", "_div", "neg", "conj", "_conj", "positive"))
SUMS = frozenset(("add", "sub"))
STEPS = frozenset(("_round", "angle", "ceil", "floor", "sign", "trunc"))
"""Their gradient is zero everywhere: a sparse one without values."""


def apply(op: Op, args: Any, out: Any) -> Any:
    """The operation on arguments of which at least one tensor is sparse.

    Raises:
        NotImplementedError: the result would not be sparse.
        RuntimeError: operands that do not fit.
    """
    tensors = [i for i, _ in op.tensors if isinstance(args[i], Tensor)]
    scalars = [
        i for i in tensors if not args[i]._array.ndim and not isinstance(args[i]._array, SparseData)
    ]
    wide = [i for i in tensors if i not in scalars]
    if op.name in SUMS:
        found = _sum(op, args, tensors)
    elif len(wide) == 1 and op.name in LINEAR and (op.name != "_div" or wide == [0]):
        found = _linear(op, args, wide[0])
    elif len(wide) == 1:
        found = _mapped(op, args, wide[0])
    elif len(wide) == 2 and op.name == "mul":
        found = _product(op, args)
    elif (
        len(wide) == 2
        and all(isinstance(args[i]._array, SparseData) for i in wide)
        and op.name != "_div"
    ):
        found = _met(op, args, wide)
    elif op.name == "_div":
        shape = list(args[1].shape)
        raise fail(
            RuntimeError,
            "div",
            "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
            f"{shape} for divisor): everywhere else "
            "it would divide 0 by 0. Convert with to_dense().",
        )
    else:
        raise _refused(op)
    return found if out is None else _written(op, found, out)


def _refused(op: Op, why: str = "") -> Exception:
    return fail(
        NotImplementedError,
        op.name,
        f"Could not run '{op.name.lstrip('_')}' on a sparse tensor: "
        f"{why or 'it is not defined for these layouts'}. "
        "Convert with to_dense(), or work on .coalesce().values().",
    )


def _written(op: Op, found: Tensor, out: Tensor) -> Tensor:
    if isinstance(found._array, SparseData) != isinstance(out._array, SparseData):
        raise fail(RuntimeError, op.name, f"out has layout {out.layout}, the result {found.layout}")
    if not isinstance(out._array, SparseData):
        from flambeau.core.output import write_one

        return write_one(op.name, found, out, False)
    from flambeau.core.storage import touch

    out._array = found._array
    touch(out, op.name + " (out=)")
    return out


def _recorded(op: Op, args: Any, data: Any) -> Tensor:
    """A result with the operation's own node behind it."""
    tensor = wrap(data)
    edges, mask, arrays = [], 0, list(args)
    for i, bit in op.tensors:
        x = args[i]
        edge = edge_of(x) if isinstance(x, Tensor) else None
        edges.append(edge)
        if isinstance(x, Tensor):
            arrays[i] = x._array
        if edge is not None:
            mask |= bit
    if mask and state.grad_enabled() and op.rules and data.dtype.kind in FLOATING_KINDS:
        record_one(op, args, arrays, edges, mask, tensor)
    return tensor


def _without_graph(op: Op, args: Any) -> Any:
    token = state.switch_grad(False)
    try:
        return op.again(args)._array
    finally:
        state.restore(token)


def _linear(op: Op, args: Any, at: int) -> Tensor:
    data = args[at]._array
    plain = list(args)
    plain[at] = wrap(data.values)
    return _recorded(op, args, data.with_values(_without_graph(op, plain)))


def _mapped(op: Op, args: Any, at: int) -> Tensor:
    """``f(values)`` for an f with ``f(0) == 0``."""
    input = basis.coalesce(args[at])
    data = input._array
    plain = list(args)
    plain[at] = wrap(np.zeros((1,), data.dtype))
    zero = _without_graph(op, plain)
    if zero.size != 1 or np.any(zero != 0):
        raise _refused(op, f"it maps 0 to {zero.reshape(-1)[0]}, so the result would be dense")
    if op.name in STEPS and data.dtype.kind != "c":
        plain[at] = wrap(data.values)
        label = op.name.lstrip("_").capitalize()
        return basis.step(input, _without_graph(op, plain), f"{label}Backward0")
    plain[at] = basis.values(input)
    return basis.fill(op.again(plain), data, op.node_name)


def _common(op: Op, args: Any) -> Any:
    operands, _ = slow._operands(op, args)
    return slow._types(op, operands)[0]


def _sum(op: Op, args: Any, tensors: list[int]) -> Tensor:
    if len(tensors) < 2:
        number = args[1] if tensors == [0] else args[0]
        raise fail(
            RuntimeError,
            op.name,
            f"{op.name.lstrip('_')}(sparse, dense) of the number {number} is not supported: every "
            f"zero would become {number}. Write "
            "x.to_dense() + number, or add to the values.",
        )
    kind = _common(op, args)
    a, b = (
        args[i]._array if args[i]._array.dtype == kind else args[i]._array.astype(kind)
        for i in (0, 1)
    )
    minus = op.name == "sub"
    if isinstance(a, SparseData) and isinstance(b, SparseData):
        if minus:
            b = b.with_values(-b.values)
        return _recorded(op, args, kernels.union(a, b, np.add))
    if a.shape == b.shape:
        if isinstance(b, SparseData):
            return _recorded(
                op, args, kernels.scatter(b, np.array(a, order="C"), -1 if minus else 1)
            )
        return _recorded(
            op, args, kernels.scatter(a, np.negative(b) if minus else np.array(b, order="C"))
        )
    a, b = (x.dense() if isinstance(x, SparseData) else x for x in (a, b))
    return _recorded(op, args, slow._compute_elementwise(op, [a, b], kind))


def check_ordered(title: str, op: Op) -> None:
    """Refuse a write in place where one place may stand twice: a function of the sum is not the
    sum of the function's values.

    Raises:
        RuntimeError: the operation is not linear.
    """
    if op.name not in LINEAR:
        raise fail(RuntimeError, title, "needs a coalesced tensor: call coalesce() first")


def _dense_sizes_differ(a: COO, b: COO) -> bool:
    """Whether coordinates differ in their dense dimensions alone, and those broadcast."""
    n = a.sparse_dim
    return (
        a.shape != b.shape
        and (n, len(a.shape)) == (b.sparse_dim, len(b.shape))
        and a.shape[:n] == b.shape[:n]
        and all(x == y or 1 in (x, y) for x, y in zip(a.shape[n:], b.shape[n:], strict=True))
    )


def _product(op: Op, args: Any) -> Tensor:
    """Sparse times sparse or dense: sparse."""
    kind = _common(op, args)
    a, b = (x if x.dtype == kind else x.astype(kind) for x in (args[0]._array, args[1]._array))
    if not isinstance(a, SparseData):
        a, b = b, a
    if isinstance(b, SparseData) and () in (a.shape, b.shape):
        number = b.shape == () and (a.shape != () or not a.is_coalesced)
        a, b = (a, b.dense()) if number else (b, a.dense())
    if not isinstance(b, SparseData):
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
            if shape != a.shape and type(a) is COO:
                a = kernels.broadcast(a, shape)
            b = np.broadcast_to(b, a.shape)
        except ValueError:
            raise fail(
                RuntimeError,
                "mul",
                f"The size of tensor a {list(a.shape)} must match the size of tensor b "
                f"{list(b.shape)}: no sparse dimension of a factor grows, and compressed ones "
                "get no further dimensions. Convert with to_dense().",
            ) from None
        return _recorded(op, args, a.with_values(a.values * kernels.gather(b, a)))
    if isinstance(a, COO) and isinstance(b, COO) and _dense_sizes_differ(a, b):
        shape = np.broadcast_shapes(a.shape, b.shape)
        a, b = kernels.broadcast(a, shape), kernels.broadcast(b, shape)
    if a.shape != b.shape:
        raise fail(
            RuntimeError,
            "mul",
            f"mul: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != "
            f"{list(b.shape)}",
        )
    a, b = basis.tidy(a), basis.tidy(b)
    if kernels.same_places(a, b):
        return _recorded(op, args, a.with_values(a.values * b.values))
    first, second = a.to_coo().coalesced(), b.to_coo().coalesced()
    if first.sparse_dim != second.sparse_dim:
        return _recorded(
            op, args, first.with_values(first.values * kernels.gather(second.dense(), first))
        )
    _, left, right = np.intersect1d(
        first.keys(), second.keys(), assume_unique=True, return_indices=True
    )
    found = COO(
        first.indices.take(left, 1), first.values[left] * second.values[right], a.shape, True
    )
    if type(a) is COO or a.batch or a.blocked:
        return _recorded(op, args, found)
    return _recorded(op, args, compress(found, a.layout))


def _met(op: Op, args: Any, wide: list[int]) -> Tensor:
    """``f(a, b)`` on the union of places, for an f with ``f(0, 0) == 0``."""
    plain = list(args)
    for i in wide:
        plain[i] = wrap(np.zeros((1,), args[i]._array.dtype))
    if np.any(_without_graph(op, plain) != 0):
        raise _refused(op, "it does not map zeros to zero, so the result would be dense")
    a, b = (basis.coalesce(args[i]) for i in wide)
    pattern = kernels.union(
        a._array.with_values(np.ones(a._array.values.shape, np.int8)),
        b._array.with_values(np.ones(b._array.values.shape, np.int8)),
        np.maximum,
    )
    for i, x in zip(wide, (a, b), strict=True):
        plain[i] = basis.gather(x, pattern)
    return basis.fill(op.again(plain), pattern, op.node_name)
