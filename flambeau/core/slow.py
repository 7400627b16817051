"""The long way of every operation: everything the short way does not answer.

Numbers and mixed dtypes (promotion), subclasses and modes, meta and sparse tensors, `out=`, and the
wording of errors. Clarity counts here, not nanoseconds. Stands on promotion, tensor, node, silence;
reached from entry.
"""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import lower, overlap, overrides, state
from flambeau.core.batch.array import Batched
from flambeau.core.dtypes import FLOATING_KINDS, PYTHON_TYPES, SUM
from flambeau.core.errors import fail
from flambeau.core.folds import LEAST
from flambeau.core.ir.abstract import Abstract, broadcast_shapes
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.native.choose import quickly
from flambeau.core.kernels.order import alike, form_of
from flambeau.core.kernels.product import widen
from flambeau.core.lower import CLASSES
from flambeau.core.numbers import check_bits, number_for
from flambeau.core.old_order import of_three
from flambeau.core.promotion import result_dtype
from flambeau.core.silence import quiet
from flambeau.core.tensor import Tensor, dead_end, edge_of, wrap, wrap_like_view

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "called",
    "elementwise",
    "general",
    "is_number",
    "number_array",
    "pack_results",
    "settle",
    "view",
]

nd = np.ndarray


def settle(result: Any) -> Any:
    """A kernel's result as an array: NumPy gives scalars for 0-d results."""
    return (
        result
        if isinstance(result, (nd, Abstract, Batched)) or hasattr(result, "is_sparse_data")
        else np.asarray(result)
    )


def is_number(value: Any) -> bool:
    """Whether a value may stand where a tensor or a Python number may."""
    return isinstance(value, (bool, int, float, complex, np.generic, numbers.Number))


def number_array(value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A Python number as a 0-d array of the computation's dtype; integers wrap, as in PyTorch."""
    if isinstance(value, int) and not isinstance(value, bool) and dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        value = (value + (1 << (bits - 1)) if dtype.kind == "i" else value) & ((1 << bits) - 1)
        value -= (1 << (bits - 1)) if dtype.kind == "i" else 0
        return np.array(value, dtype)
    if isinstance(value, np.complexfloating) and not isinstance(value, complex):
        value = value.real  # a number of NumPy's that is none of Python's is a float to PyTorch
    return np.asarray(quiet(np.asarray(value).astype, dtype))


def _is_scalar(value: Any) -> bool:
    """Whether an operand is one number: a Python number or a tensor without dimensions."""
    return not isinstance(value, Tensor) or value._array.ndim == 0


def elementwise(op: Op, args: Any, out: Any = None) -> Any:
    """An elementwise operation on whatever it was given.

    What `complex` names computes complex numbers. 16-bit floats are computed in float32 where the
    operation says `upcast`, and where it says `numbers="exact"` and its second operand is a number,
    which then keeps its digits; with `numbers="rounded"` a number has the 16 bits first. With
    `alone` numbers may stand alone: ``torch.add(2, 3)``; with `fits` they must be of the dtype.
    """
    if len(args) == 4 and op.names[3] == "value" and isinstance(args[3], Tensor):
        args = (args[0], *of_three(op, args))
    m = state.mode()
    if overrides.concern(args, m):
        return overrides.ask(op, args, out)
    if m is not None and m.levels:
        return m.levels[-1].process(op, args, out)
    if m is not None and m.autocast is not None:
        args = m.autocast.cast(op, args)
    if (CLASSES or (m is not None and m.dispatch)) and lower.concern(args, m):
        return lower.dispatch(op, args, out)
    operands, sparse = _operands(op, args)
    first = op.flags.get("first")
    found = None if first is None else first(op.name, *args)
    if found is not None:
        return finish(op, found, out, m)
    computed, result = _types(op, operands)
    _check_devices(op, args)
    if sparse:
        return sparse_elementwise(op, args, out)
    arrays = list(args)
    edges = []
    mask = 0
    r = _in_short_way(op, args, computed)
    working = computed
    narrow = False
    if computed.itemsize == 2 and computed.kind in "fV":
        numbers = op.flags.get("numbers")
        narrow = numbers == "rounded"
        if op.upcast or (numbers == "exact" and _is_scalar(args[1])):
            working = np.dtype("f4")
    for i, bit in op.tensors:
        x = args[i]
        if isinstance(x, Tensor):
            a = x._array
            if r is not None:
                arrays[i] = a
            elif not op.promote or op.names[i] in op.promote:
                if narrow and a.dtype != computed:
                    a = quiet(a.astype, computed)
                arrays[i] = a if a.dtype == working else alike(recast(a, working), a)
            else:
                arrays[i] = a
            edge = edge_of(x)
            edges.append(edge)
            if edge is not None:
                mask |= bit
        else:
            if r is not None:
                pass
            elif narrow and x is not None:
                x = number_array(x, computed)
            elif x is not None and "fits" in op.flags and computed.kind in "iu":
                x = number_for(op.name.lstrip("_"), x, computed)
            arrays[i] = None if x is None else number_array(x, working)
            edges.append(None)
    if r is None:
        r = _compute_elementwise(op, arrays, result)
    tensor = wrap(r)
    if mask and state.grad_enabled() and op.rules and r.dtype.kind in FLOATING_KINDS:
        from flambeau.core.entry import record_one

        record_one(op, args, arrays, edges, mask, tensor)
    return finish(op, tensor, out, m, args)


def _in_short_way(op: Op, args: Any, dtype: np.dtype[Any]) -> Any:
    """What native code computes of a tensor and other tensors of its floating dtype or numbers;
    None where it does not serve.
    """
    if dtype.kind not in "fV" or not isinstance(args[0], Tensor):
        return None
    plain = []
    for x in args:
        if isinstance(x, Tensor):
            x = x._array
            if type(x) is not nd or x.dtype is not dtype:
                return None
        elif type(x) not in (int, float):
            return None
        plain.append(x)
    found = quickly(op, plain, dtype)
    return found if type(found) is nd else None


def called(op: Op, args: Any, out: Any = None) -> Any:
    """`elementwise` for a call by name of an operation that declares which operands must be
    tensors.

    `operands="tensors"`: all of them; `"first"`: the first. By its operator it takes numbers all
    the same.

    Raises:
        TypeError: a number stands where a tensor must.
    """
    strict = 1 if op.flags["operands"] == "first" else len(args)
    for position, x in enumerate(args[:strict], 1):
        if is_number(x):
            raise fail(
                TypeError,
                op.name,
                f"argument '{op.names[position - 1]}' (position {position}) must be Tensor, not "
                f"{type(x).__name__}",
            )
    return elementwise(op, args, out)


def _compute_elementwise(op: Op, arrays: list[Any], result: np.dtype[Any]) -> Any:
    held = [arrays[i] for i, _ in op.tensors if arrays[i] is not None]
    if any(type(a) is Abstract for a in held):
        return Abstract(_broadcast(op, [a.shape for a in held]), result)
    try:
        if any(type(a) is Batched for a in held):
            from flambeau.core.batch.apply import elementwise as batched

            _broadcast(op, [a.shape for a in held])
            r = batched(op, arrays)
            return r if r.dtype == result else quiet(r.astype, result)
        if type(op.kernel) is np.ufunc and op.kernel is not np.nextafter:
            arrays = [widen(a) for a in arrays]  # one operation: it is rounded once either way
        r = quiet(form_of(op), *arrays)
    except ValueError:
        _broadcast(op, [a.shape for a in held])
        raise
    return quiet(recast, np.asarray(r), result)


def _broadcast(op: Op, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return broadcast_shapes(*shapes)
    except ValueError:
        pass
    for position, (a, b) in enumerate(_clash(shapes)):
        if a != b and 1 not in (a, b):
            ndim = max(map(len, shapes))
            raise fail(
                RuntimeError,
                op.name,
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at "
                f"non-singleton dimension "
                f"{ndim - 1 - position}: the shapes {' and '.join(str(list(s)) for s in shapes)} "
                f"do not broadcast. Dimensions, "
                "counted from the right, must be equal or 1: reshape, unsqueeze or transpose one "
                "of them.",
            )
    raise AssertionError(shapes)


def _clash(shapes: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    for k in range(1, max(map(len, shapes)) + 1):
        found = [s[-k] for s in shapes if len(s) >= k]
        wide = [size for size in found if size != 1] or [1]
        sizes.append((wide[0], next((size for size in wide if size != wide[0]), wide[0])))
    return sizes


def _operands(op: Op, args: Any) -> tuple[list[Any], bool]:
    """What promotion looks at, and whether a sparse tensor is among the arguments."""
    operands: list[Any] = []
    any_tensor = sparse = False
    for i, _ in op.tensors:
        x, name = args[i], op.names[i]
        if isinstance(x, Tensor):
            a = x._array
            any_tensor = True
            sparse = sparse or hasattr(a, "is_sparse_data")
            if not op.promote or name in op.promote:
                operands.append((a.dtype, a.ndim))
        elif x is None and op.defaults.get(name, x) is None and name in op.defaults:
            continue
        elif is_number(x):
            check_bits(op.name, x)
            operands.append(x)
        else:
            raise fail(
                TypeError,
                op.name,
                f"argument '{name}' (position {i + 1}) must be Tensor or Number, not "
                f"{type(x).__name__}"
                + (". Wrap the array: torch.from_numpy(array)." if isinstance(x, nd) else ""),
            )
    if not any_tensor and op.flags["family"] == "elementwise" and not op.flags.get("alone"):
        first = op.tensor_names[0]
        raise fail(
            TypeError,
            op.name,
            f"argument '{first}' (position 1) must be Tensor, not "
            f"{type(args[op.tensors[0][0]]).__name__}",
        )
    return operands, sparse


def _types(op: Op, operands: list[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    promoted = result_dtype(operands)
    assert op.types is not None
    return op.types.resolve(op.name, promoted)


def _check_devices(op: Op, args: Any) -> None:
    kinds = [type(args[i]._array) is Abstract for i, _ in op.tensors if isinstance(args[i], Tensor)]
    if any(kinds) and not all(kinds):
        for i, _ in op.tensors:
            x = args[i]
            if isinstance(x, Tensor) and type(x._array) is not Abstract and x._array.ndim:
                raise _two_devices(op, op.names[i])


def check_places(op: Op, named: list[tuple[str, Any]]) -> None:
    """Whether no numbers stand beside abstract operands; indices may, and scalars.

    Raises:
        RuntimeError: some do.
    """
    for name, a in named:
        if type(a) is nd and a.ndim and a.dtype.kind in "fVc":
            raise _two_devices(op, name)


def _two_devices(op: Op, name: str) -> Exception:
    """The error of operands on two devices, one of which has numbers and is no scalar."""
    return fail(
        RuntimeError,
        op.name.lstrip("_"),
        "Expected all tensors to be on the same device, but found at least two devices, meta and "
        f"cpu! '{name}' is on cpu: move one of them with .to(device).",
    )


def scaled(op: Op, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha * other`` for the operations that take an alpha.

    Raises:
        TypeError: this one does not.
    """
    scale = op.flags.get("alpha")
    if scale is None:
        raise fail(TypeError, op.name, f"{op.name}() got an unexpected keyword argument 'alpha'")
    return other if type(alpha) is int and alpha == 1 else scale(op.name, input, other, alpha)


def sparse_elementwise(op: Op, args: Any, out: Any) -> Any:
    """An elementwise operation with a sparse operand."""
    from flambeau.sparse.pointwise import apply

    return apply(op, args, out)


def general(op: Op, args: Any, out: Any = None) -> Any:
    """A reduction or primitive on whatever it was given."""
    m = state.mode()
    flat = overrides.each_of(args) if op.lists else args
    if overrides.concern(flat, m):
        return overrides.ask(op, args, out)
    if m is not None and m.levels:
        return m.levels[-1].process(op, args, out)
    if m is not None and m.autocast is not None:
        args = m.autocast.cast(op, args)
    if (CLASSES or (m is not None and m.dispatch)) and lower.concern(args, m):
        return lower.dispatch(op, args, out)
    if op.types is SUM and isinstance(out, Tensor) and op.name != "nansum":
        place = op.index["dtype"]  # sums are accumulated in the dtype of `out`
        args = (*args[:place], args[place] or out.dtype, *args[place + 1 :])
    if op.lists:
        from flambeau.core.lists import apply

        return finish(op, apply(op, args), out, m, flat)
    arrays = list(args)
    edges = []
    mask = 0
    plain = True  # NumPy's arrays alone
    for i, bit in op.tensors:
        x = args[i]
        if isinstance(x, Tensor):
            arrays[i] = a = x._array
            plain = plain and type(a) is nd
            edge = edge_of(x)
            edges.append(edge)
            if edge is not None:
                mask |= bit
        elif x is None and op.names[i] in op.defaults:
            edges.append(None)
        elif is_number(x) and op.names[i] in op.promote:
            edges.append(None)
            plain = False
        else:
            raise fail(
                TypeError,
                op.name,
                f"argument '{op.names[i]}' (position {i + 1}) must be Tensor, not "
                f"{type(x).__name__}",
            )
    result_kind = _promote_general(op, arrays)
    r = quiet(op.kernel, *arrays) if plain else _run_general(op, args, arrays)
    if type(r) is tuple:
        from flambeau.core.entry import record

        if result_kind is not None and r[0].dtype != result_kind:
            r = (quiet(r[0].astype, result_kind), *r[1:])
        kept = record(op, args, arrays, edges, mask if state.grad_enabled() else 0, r)
        return finish(op, kept, out, m, flat)
    r = settle(r)
    if result_kind is not None:
        r = _recast(r, result_kind)
    tensor = wrap(r)
    if mask and state.grad_enabled() and op.rules and r.dtype.kind in FLOATING_KINDS:
        from flambeau.core.entry import record_one

        record_one(op, args, arrays, edges, mask, tensor)
    return finish(op, tensor, out, m, flat)


def _recast(a: Any, dtype: np.dtype[Any]) -> Any:
    """`recast`, with NumPy's warnings off for what is no array of its; for one it gives none."""
    if a.dtype is dtype:
        return a
    return recast(a, dtype) if type(a) is nd else quiet(recast, a, dtype)


def _promote_general(op: Op, arrays: list[Any]) -> np.dtype[Any] | None:
    """Cast what promotes; the dtype the result must have, where the types rule says so."""
    if op.types is None and not op.promote:
        return None
    which = [i for i, _ in op.tensors if not op.promote or op.names[i] in op.promote]
    at = op.index.get("dtype")
    asked = None if at is None else arrays[at]
    if asked is not None:
        promoted = PYTHON_TYPES.get(asked, asked).numpy
    elif len(which) == 1 and hasattr(arrays[which[0]], "dtype"):
        promoted = arrays[which[0]].dtype
    else:
        operands = [
            (a.dtype, a.ndim) if hasattr(a := arrays[i], "dtype") else a
            for i in which
            if arrays[i] is not None
        ]
        promoted = result_dtype(operands)
    computed, result = (
        (promoted, promoted) if op.types is None else op.types.resolve(op.name, promoted)
    )
    if asked is not None and op.types is not None and op.types.ints_to_int64:
        computed = result = (
            promoted  # sum(dtype=int32) is int32: only what nobody asked for becomes int64
        )
    working = (
        np.dtype("f4")
        if op.upcast
        and computed.itemsize == 2
        and computed.kind in "fV"
        and not (op.upcast == "large" and arrays[0].size >= LEAST and type(arrays[0]) is nd)
        else computed
    )
    for i in which:
        a = arrays[i]
        if isinstance(a, (nd, Abstract, Batched)):
            arrays[i] = _recast(a, working)
        elif a is not None and is_number(a):
            arrays[i] = number_array(a, working)
    if op.promote and op.types is None and not op.upcast:
        return None
    return result


def _run_general(op: Op, args: Any, arrays: list[Any]) -> Any:
    held = [arrays[i] for i, _ in op.tensors]
    if any(hasattr(a, "is_sparse_data") for a in held):
        from flambeau.sparse.general import apply

        return apply(op, args, arrays)
    if any(type(a) is Abstract for a in held):
        check_places(op, [(op.names[i], arrays[i]) for i, _ in op.tensors])
        return infer(op, arrays)
    if any(type(a) is Batched for a in held):
        from flambeau.core.batch.apply import compute

        return compute(op, arrays)
    return quiet(op.kernel, *arrays)


def infer(op: Op, arrays: list[Any]) -> Any:
    """The abstract result: the operation's `infer`, or its body read on abstract values.

    Raises:
        NotImplementedError: the operation knows neither.
    """
    if op.infer is not None:
        found = op.infer(*arrays)
        if isinstance(found[0], tuple) and len(found) > 0 and isinstance(found[-1], tuple):
            return tuple(Abstract(*each) for each in found)
        return Abstract(*found)
    try:
        if op.varargs:
            return op.body(*arrays)
        named = dict(zip(op.names[op.positional :], arrays[op.positional :], strict=True))
        return op.body(*arrays[: op.positional], **named)
    except (TypeError, AttributeError, NotImplementedError) as error:
        raise fail(
            NotImplementedError,
            op.name,
            "this operation has no shape rule for meta tensors yet. Run it on a cpu tensor.",
        ) from error


def view(op: Op, args: Any) -> Any:
    """A view of a subclass, a meta tensor, or in an unusual mode."""
    m = state.mode()
    input = args[0]
    if overrides.concern(args, m):
        return overrides.ask(op, args)
    if m is not None and m.levels:
        return m.levels[-1].process(op, args, None)
    if (CLASSES or (m is not None and m.dispatch)) and lower.concern(args, m):
        return lower.dispatch(op, args)
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            op.name,
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
        )
    a = input._array
    if hasattr(a, "is_sparse_data"):
        from flambeau.sparse.general import apply

        r = apply(op, args, list(args))
    elif type(a) is Batched:
        from flambeau.core.batch.apply import view as batched

        r = batched(op, a, args[1:])
    else:
        r = op.kernel(a, *args[1:])
    tensor = wrap_like_view(r, input)
    edge = edge_of(input)
    base, _, kind = (input, 0, "") if input._view is None else input._view
    assert tensor._storage is not None
    kind = kind or ("" if state.grad_enabled() else "no_grad")
    tensor._view = (base, tensor._storage.version, kind)
    if edge is not None and op.rules and not state.grad_enabled():
        dead_end(tensor)
    elif edge is not None and op.rules:
        from flambeau.core.entry import record_one

        record_one(op, args, [a, *args[1:]], (edge,), 1, tensor)
    if m is not None and m.anomaly:
        from flambeau.core.packing import pack_saved

        pack_saved(tensor, m)
    return tensor


def finish(op: Op, result: Any, out: Any, m: Any, inputs: Any = ()) -> Any:
    """Write into `out=` where one is given; mark what inference mode made; pack what is saved."""
    if out is not None:
        from flambeau.core.output import check_apart, write

        if op.flags.get("out_apart"):
            check_apart(op, inputs, result, out)
        elif op.flags["family"] == "elementwise" and isinstance(out, Tensor):
            read = [x._array for x in inputs if isinstance(x, Tensor)]
            overlap.check_apart(op.name.lstrip("_"), out._array, read)
        return write(op, result, out)
    if m is not None:
        if m.inference:
            from flambeau.core.storage import mark_inference, storage_of

            for tensor in result if isinstance(result, tuple) else (result,):
                if isinstance(tensor, Tensor):
                    mark_inference(storage_of(tensor))
        if m.pack or m.anomaly:
            from flambeau.core.packing import pack_saved

            pack_saved(result, m)
    return result


def pack_results(op: Op, tensors: list[Tensor]) -> Any:
    """Several results as PyTorch returns them: a named tuple, or a plain one."""
    if op.result is None:
        if op.flags.get("plain_tuple") or op.outputs[0].startswith("out"):
            op.result = tuple
        else:
            from flambeau.core.return_types import structseq

            op.result = structseq(op.flags.get("result_name", op.name), op.outputs)
    return op.result(tensors)
