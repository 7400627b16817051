"""Choosing by a condition: where, masked_fill, masked_select, masked_scatter, nonzero. Stands on
declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops, primitive
from flambeau.core.dtypes import NUMBER, default
from flambeau.core.entry import record_one, ternary
from flambeau.core.entry.several import Several
from flambeau.core.errors import fail
from flambeau.core.folds import LEAST
from flambeau.core.ir.abstract import broadcast_shapes
from flambeau.core.kernels import late
from flambeau.core.kernels.native.casts import cast_to
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.methods import bind
from flambeau.core.node import labelled
from flambeau.core.numbers import number_for
from flambeau.core.overlap import check_apart, overlaps
from flambeau.core.promotion import result_dtype
from flambeau.core.sampling import each_on_its_own
from flambeau.core.state import mode, ordinary
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

__all__: list[str] = []

nd = np.ndarray
_marked = late.placed("generate.marked", "marked")


@elementwise(
    types=NUMBER,
    kernel=np.where,
    name="_where",
    node="Where",
    method=False,
    function=False,
    promote=("input", "other"),
    inplace=False,
    fits=True,
    vjp={
        "input": lambda g, condition: ops._where(condition, g, 0),
        "other": lambda g, condition: ops._where(condition, 0, g),
    },
)
def _where(condition, input, other):
    """``input`` where the condition holds, else ``other``."""
    return np.where(condition, input, other)


WHERE = ops._where.operation
BOOL, INT64 = np.dtype(bool), np.dtype("i8")
NUMBERS = frozenset((int, float))
LARGE = 1 << 31
"""Whole numbers from here on might not fit."""
_where_arrays = lazily("where", np.where)


def _chosen(condition: Any, input: Any, other: Any) -> Tensor | None:
    """The short way of `where`: plain tensors and numbers. None where the long way must look."""
    if type(condition) not in PLAIN or condition._array.dtype is not BOOL:
        return None
    c, arrays, operands, mask = condition._array, [], [], 0
    edges: list[Any] = [None]
    whole = large = False
    for bit, x in ((2, input), (4, other)):
        if type(x) in PLAIN:
            a = x._array
            if type(a) is not nd or a.dtype.kind not in "fiub" or a.dtype.itemsize == 2:
                return None
            arrays.append(a)
            operands.append((a.dtype, a.ndim))
            edge = edge_of(x)
            edges.append(edge)
            mask |= bit if edge is not None else 0
        elif type(x) in NUMBERS:
            whole = whole or type(x) is int
            large = large or type(x) is int and not -LARGE <= x < LARGE
            arrays.append(x)
            operands.append(x)
            edges.append(None)
        else:
            return None
    if large:
        return None
    a, b = arrays
    if type(a) in NUMBERS and type(b) in NUMBERS:
        kind = INT64 if type(a) is type(b) is int else default().numpy
        a = np.empty(c.shape, kind)
    else:
        kind = result_dtype(operands)
        if whole and kind.itemsize < 4:
            return None
        a, b = (x if type(x) in NUMBERS or x.dtype is kind else cast_to(kind)(x) for x in arrays)
    try:
        if a is not arrays[0] and type(arrays[0]) in NUMBERS:
            a.fill(arrays[0])
        r = _where_arrays(c, a, b)
    except Exception:
        return None
    if r.dtype is not kind:
        return None
    arrays.insert(0, c)
    t = wrap(r)
    if mask and mode() is None:
        record_one(WHERE, (condition, input, other), arrays, edges, mask, t)
    return t


def _where_or_nonzero(
    condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None
) -> Any:
    """Elementwise ``input if condition else other``, broadcast and promoted; alone, the indices of
    true elements.

    Raises:
        RuntimeError: a condition that is not bool. TypeError: only one of `input` and `other`.
    """
    if out is None and ordinary():
        found = _chosen(condition, input, other)
        if found is not None:
            return found
    if not isinstance(condition, Tensor):
        raise fail(
            TypeError,
            "where",
            f"argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}",
        )
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise fail(TypeError, "where", "where() takes (condition) or (condition, input, other)")
    dtype = condition._array.dtype
    if dtype.kind != "b":
        if dtype != np.uint8:
            raise fail(
                RuntimeError,
                "where",
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{condition.dtype}. Compare it: "
                "condition != 0.",
            )
        from flambeau.compat import warn_once

        warn_once(
            "where received a uint8 condition tensor. This behavior is deprecated and will be "
            "removed in a future version of "
            "PyTorch. Use a boolean condition instead.",
            UserWarning,
        )
        condition = ops.ne(condition, 0)
    return ops._where(condition, input, other, out=out)


where = ternary(WHERE, _where_or_nonzero)
where.__name__ = where.__qualname__ = "where"
where.__doc__ = _where_or_nonzero.__doc__
where.__wrapped__ = _where_or_nonzero  # type: ignore[attr-defined]
composite()(where)


def _where_method(input: Tensor, condition: Tensor, other: Any) -> Any:
    """The elements where the condition holds, else `other`'s."""
    return where(condition, input, other)


bind(where=_where_method)


def copyto(target: Any, value: Any, mask: Any) -> None:
    """``target[mask] = value``, the mask broadcast."""
    np.copyto(target, value, where=mask)


def _mask(name: str, mask: Any) -> Any:
    """The mask, of bools; one of bytes, as comparisons gave once, with a `LegacyWarning`."""
    if isinstance(mask, Tensor) and mask._array.dtype == np.uint8:
        from flambeau.compat import bool_mask

        mask = bool_mask(name, mask)
    _of_bools(name, mask)
    return mask


def _of_bools(name: str, mask: Any) -> None:
    if isinstance(mask, Tensor) and mask._array.dtype.kind != "b":
        raise fail(
            RuntimeError,
            name,
            f"{name} only supports boolean masks, but got mask with dtype {mask.dtype}. Compare "
            "it: mask != 0.",
        )


@primitive(
    name="_masked_fill", node="MaskedFill", function=False, method=False,
    seen={"MaskedFillBackward0": (0,)},
    vjp={
        "input": lambda g, mask: ops._masked_fill(g, mask, wrap(np.zeros((), g._array.dtype))),
        "value": lambda g, mask: ops.sum(ops._where(mask, g, 0)),
    },
    infer=lambda input, mask, value: (broadcast_shapes(input.shape, mask.shape), input.dtype),
)  # fmt: skip
def _masked_fill(input, mask, value):
    """``value`` where the mask holds, else ``input``."""
    try:
        found = np.where(mask, value.astype(input.dtype), input)
        return found if found.flags.c_contiguous else np.ascontiguousarray(found)
    except ValueError:
        raise fail(
            RuntimeError,
            "masked_fill",
            f"The size of tensor a must match the size of tensor b: mask {list(mask.shape)} and "
            f"input {list(input.shape)} do "
            "not broadcast.",
        ) from None


def _masked(input: Any, mask: Any, value: Any, out: Any = None) -> Any:
    """The usual case of `_masked_fill`."""
    if mask.dtype.kind != "b" or np.ndim(value) or input.shape != mask.shape or out is not None:
        raise ValueError("the long way words it")
    return _where_arrays(mask, value, input)


MASKED = Several("_masked_fill", "masked_fill_", "masked_fill", _masked, mixed=1, numbers=4)


def _fill_value(name: str, input: Tensor, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        if not isinstance(value, (bool, int, float, complex, np.generic)):
            raise fail(
                TypeError,
                name,
                "argument 'value' (position 3) must be Tensor or Number, not "
                f"{type(value).__name__}",
            )
        return wrap(np.array(number_for(name, value, input._array.dtype), input._array.dtype))
    if value._array.ndim:
        raise fail(
            RuntimeError,
            name,
            f"{name} only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s). Use where.",
        )
    from flambeau.core.dtypes import of
    from flambeau.core.promotion import can_cast

    if not can_cast(of(value._array.dtype), of(input._array.dtype)):
        raise fail(
            RuntimeError,
            name,
            f"value cannot be converted to type {of(input._array.dtype)} without overflow",
        )
    return value


def _small(value: int) -> bool:
    """Whether every dtype of the short way holds the number."""
    return -(1 << 31) <= value < 1 << 31


@composite(method=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` where the mask holds, else the tensor's elements; mask and tensor broadcast.

    Raises:
        RuntimeError: a mask that is not bool, or a value of more than one element.
    """
    found = MASKED.result(input, mask, value) if type(value) is not int or _small(value) else None
    if found is None or not found._array.flags.c_contiguous:  # the long way is row-major
        mask = _mask("masked_fill", mask)
        found = ops._masked_fill(input, mask, _fill_value("masked_fill", input, value))
    return labelled(found, "MaskedFillBackward1") if isinstance(value, Tensor) else found


@composite(method=True, function=False)
def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`masked_fill`, in place; the mask broadcasts to the tensor."""
    label = f"MaskedFillBackward{int(isinstance(value, Tensor))}"
    if input._array.dtype.kind == "b":  # no other can meet its mask
        check_apart("masked_fill_", input._array, (mask._array,))
    found = MASKED.written(input, mask, value) if type(value) is not int or _small(value) else None
    if found is not None:
        return labelled(found, label)
    from flambeau.core.inplace import check_inplace, write_result
    from flambeau.core.tensor import edge_of

    mask = _mask("masked_fill_", mask)
    value = _fill_value("masked_fill_", input, value)
    recording = edge_of(input) is not None or edge_of(value) is not None
    check_inplace("masked_fill_", input, recording, "deprecated")
    if type(input._array) is nd and overlaps(input._array) and not recording:
        np.copyto(
            input._array, value._array, "unsafe", where=mask._array
        )  # wherever one mask holds
        touch(input, "masked_fill_")
        return input
    write_result("masked_fill_", input, labelled(ops._masked_fill(input, mask, value), label))
    return input


@primitive(
    name="_masked_select", node="MaskedSelect", function=False, method=False, out_apart=True,
    vjp={"input": lambda g, mask, shape: ops._masked_select_backward(g, mask, shape)},
)  # fmt: skip
def _masked_select(input, mask):
    """The elements where the mask holds, in order."""
    if input.shape != mask.shape:
        try:
            input, mask = np.broadcast_arrays(input, mask)
        except ValueError:
            raise fail(
                RuntimeError,
                "masked_select",
                f"The size of tensor a must match the size of tensor b: {list(input.shape)} and "
                f"mask {list(mask.shape)} do not "
                "broadcast.",
            ) from None
    return input[mask]


@primitive(
    name="_masked_select_backward",
    node="MaskedSelectBackward",
    function=False,
    method=False,
    vjp={"grad": lambda g, mask: ops._masked_select(g, mask)},
    infer=lambda grad, mask, shape: (shape, grad.dtype),
)
def _masked_select_backward(grad, mask, shape: Any):
    """Zeros with `grad` where the mask holds, of the broadcast shape."""
    full = broadcast_shapes(shape, mask.shape)
    found = np.zeros(full, grad.dtype)
    found[np.broadcast_to(mask, full)] = grad
    return found


@composite(method=True)
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where the mask holds (both broadcast), in order, as a vector. A mask of bytes,
    as comparisons gave once, is understood with a `LegacyWarning`.

    Raises:
        RuntimeError: a mask that is not bool.
    """
    mask = _mask("masked_select", mask)
    return ops._masked_select(input, mask, out=out)


@primitive(
    name="_masked_scatter", node="MaskedScatter", function=False, method=False,
    vjp={
        "input": lambda g, mask: ops.masked_fill(g, mask, 0),
        "source": lambda g, mask, source_shape: ops._masked_rest(g, mask, source_shape),
    },
    infer=lambda input, mask, source: (broadcast_shapes(input.shape, mask.shape), input.dtype),
)  # fmt: skip
def _masked_scatter(input, mask, source):
    """The elements of `source`, one after another, where the mask holds."""
    shape = broadcast_shapes(input.shape, mask.shape)
    mask = np.broadcast_to(mask, shape)
    count = int(mask.sum())
    if count > source.size:
        raise fail(
            RuntimeError,
            "masked_scatter",
            f"Number of elements of source < number of ones in mask: source has {source.size}, "
            f"the mask {count}",
        )
    found = np.array(np.broadcast_to(input, shape), order="C")
    found[mask] = source.reshape(-1)[:count]
    return found


@composite(function=False)
def _masked_rest(g: Tensor, mask: Tensor, shape: Any) -> Tensor:
    """What the elements of a masked_scatter's source got; zeros for those that were not used."""
    taken = ops._masked_select(g, mask)
    size = int(np.prod(shape, dtype=np.int64))
    rest = size - taken.numel()
    return (ops.cat([taken, taken.new_zeros(rest)]) if rest else taken).reshape(shape)


def _check_scatter(input: Tensor, mask: Tensor, source: Tensor) -> None:
    _of_bools("masked_scatter", mask)
    if isinstance(source, Tensor) and source._array.dtype != input._array.dtype:
        raise fail(
            RuntimeError,
            "masked_scatter",
            f"expected self and source to have same dtypes but got {input.dtype} and "
            f"{source.dtype}",
        )


@composite(method=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The tensor with the elements of `source`, one after another, where the mask holds.

    Raises:
        RuntimeError: dtypes differ, the mask is not bool, or source has too few elements.
    """
    _check_scatter(input, mask, source)
    return ops._masked_scatter(input, mask, source)


@composite(method=True, function=False)
def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`masked_scatter`, in place."""
    from flambeau.core.inplace import check_inplace, write_result
    from flambeau.core.tensor import edge_of

    _check_scatter(input, mask, source)
    check_inplace(
        "masked_scatter_", input, edge_of(input) is not None or edge_of(source) is not None
    )
    write_result("masked_scatter_", input, ops._masked_scatter(input, mask, source))
    return input


@primitive(name="_nonzero", function=False, method=False)
def _nonzero(input):
    """The index of each nonzero element, a row each."""
    if not input.ndim:
        return np.zeros((int(bool(input)), 0), np.int64)
    if type(input) is np.ndarray and input.ndim > 1 and input.size >= LEAST:
        truths = input if input.dtype == np.bool_ else np.not_equal(input, 0)
        found = _marked(np.ascontiguousarray(truths))
        if found is not None:
            return found.T
    return np.array(input.nonzero()).T


@composite(method=True)
def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements, a row each; with `as_tuple` a vector for each dimension."""
    if as_tuple:
        if out is not None:
            raise fail(
                RuntimeError,
                "nonzero",
                "does not support the out kwarg when as_tuple is True: give one of the two.",
            )
        if not input._array.ndim:
            return ops.unbind(ops._nonzero(ops.reshape(input, (1,))), 1)
        return ops.unbind(ops._nonzero(input), 1)
    return ops._nonzero(input, out=out)


@composite(method=True)
def argwhere(input: Tensor) -> Tensor:
    """The index of each nonzero element, a row each."""
    return ops._nonzero(input)


@primitive(
    name="nonzero_static",
    infer=lambda input, size, fill_value: ((size, input.ndim), np.dtype("i8")),
)
def nonzero_static(input, *, size: int, fill_value: int = -1):
    """The first `size` rows of `nonzero`, filled up with `fill_value`."""
    if size < 0:
        raise fail(
            RuntimeError,
            "nonzero_static",
            f"nonzero_static: 'size' must be an non-negative integer, got {size}",
        )
    found = np.full((size, input.ndim), fill_value, np.int64)
    rows = (
        np.argwhere(input)[:size]
        if input.ndim
        else np.zeros((min(int(bool(input)), size), 0), np.int64)
    )
    found[: len(rows)] = rows
    return found


each_on_its_own("argwhere")
