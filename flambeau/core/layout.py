"""Memory layouts: PyTorch's `layout` and `memory_format` names, and the arithmetic of strides.

Every function takes shapes and strides counted in elements and returns tuples. Nothing here touches
an array; NumPy's byte strides are the caller's to scale. Stands on errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flambeau.core.errors import fail

__all__ = [
    "broadcast_shapes",
    "channels_last",
    "channels_last_3d",
    "channels_last_strides",
    "contiguous_format",
    "contiguous_strides",
    "expand",
    "infer_size",
    "is_contiguous",
    "is_non_overlapping_and_dense",
    "iterated_strides",
    "layout",
    "memory_format",
    "memory_format_strides",
    "preserve_format",
    "preserve_strides",
    "sparse_bsc",
    "sparse_bsr",
    "sparse_coo",
    "sparse_csc",
    "sparse_csr",
    "strided",
    "suggest_memory_format",
    "view_strides",
]

Ints = tuple[int, ...]


class _Named:
    """A constant known by its name: one object, printed ``torch.<name>``, pickled by name."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, *args: object) -> Any:
        raise TypeError(f"cannot create 'torch.{cls.__name__}' instances")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def __copy__(self) -> _Named:
        return self

    def __deepcopy__(self, memo: object) -> _Named:
        return self


class layout(_Named):
    """How a tensor keeps its elements: strided, or one of the sparse forms."""

    __slots__ = ()


class memory_format(_Named):
    """The order in which a strided tensor's dimensions lie in memory."""

    __slots__ = ()


def _layout(name: str) -> layout:
    self: layout = object.__new__(layout)
    self.name = name
    return self


def _memory_format(name: str) -> memory_format:
    self: memory_format = object.__new__(memory_format)
    self.name = name
    return self


strided = _layout("strided")
sparse_coo = _layout("sparse_coo")
sparse_csr = _layout("sparse_csr")
sparse_csc = _layout("sparse_csc")
sparse_bsr = _layout("sparse_bsr")
sparse_bsc = _layout("sparse_bsc")

contiguous_format = _memory_format("contiguous_format")
preserve_format = _memory_format("preserve_format")
channels_last = _memory_format("channels_last")
channels_last_3d = _memory_format("channels_last_3d")

# Dimensions from the fastest to the slowest; the key is the rank the format needs.
_CHANNELS_LAST_ORDER = {4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}
_CHANNELS_LAST_RANK = {channels_last: 4, channels_last_3d: 5}


def contiguous_strides(shape: Sequence[int]) -> Ints:
    """Strides of a fresh row-major tensor; a dimension of size 0 counts as 1."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        if size > 1:
            step *= size
    return tuple(strides[::-1])


def channels_last_strides(shape: Sequence[int]) -> Ints:
    """Strides with the channels fastest: NHWC in memory for a 4-d shape, NDHWC for a 5-d one.

    Raises:
        RuntimeError: neither 4 nor 5 dimensions.
    """
    if len(shape) not in _CHANNELS_LAST_ORDER:
        raise fail(
            RuntimeError,
            "channels_last",
            "required rank 4 tensor to use channels_last format (rank 5 for channels_last_3d), got "
            f"shape {list(shape)}",
        )
    strides = [0] * len(shape)
    step = 1
    for k in _CHANNELS_LAST_ORDER[len(shape)]:
        strides[k] = step
        step *= shape[k]
    return tuple(strides)


def memory_format_strides(shape: Sequence[int], format: memory_format, op: str = "empty") -> Ints:
    """Strides of a fresh tensor of the given memory format.

    Raises:
        RuntimeError: the format does not fit the rank, or is `preserve_format`.
    """
    if format is contiguous_format:
        return contiguous_strides(shape)
    rank = _CHANNELS_LAST_RANK.get(format)
    if rank is None:
        raise fail(
            RuntimeError,
            op,
            f"unsupported memory format {format!r}: there is no tensor to preserve",
        )
    if len(shape) != rank:
        raise fail(
            RuntimeError,
            op,
            f"required rank {rank} tensor to use {format.name} format, got shape {list(shape)}",
        )
    return channels_last_strides(shape)


def is_contiguous(
    shape: Sequence[int], strides: Sequence[int], format: memory_format = contiguous_format
) -> bool:
    """Whether elements follow each other without a gap in the format's order.

    Dimensions of size 1 may have any stride; a tensor without elements is contiguous row-major, and
    channels-last only if its strides say so.
    """
    order: Sequence[int]
    if format is contiguous_format or format is preserve_format:
        if 0 in shape:
            return True
        order = range(len(shape) - 1, -1, -1)
    elif format not in _CHANNELS_LAST_RANK:
        raise fail(
            TypeError,
            "is_contiguous",
            f"argument 'memory_format' must be torch.memory_format, not {type(format).__name__}",
        )
    elif len(shape) != _CHANNELS_LAST_RANK[format]:
        return False
    else:
        order = _CHANNELS_LAST_ORDER[len(shape)]
    step = 1
    for k in order:
        if shape[k] != 1:
            if strides[k] != step:
                return False
            step *= shape[k]
    return True


def suggest_memory_format(shape: Sequence[int], strides: Sequence[int]) -> memory_format:
    """The format a result should take after this input: channels-last if its strides grow that way.

    Where both orders fit (one channel, or a 1x1 image), the strides of the size-1 dimensions
    decide, and row-major wins a tie.
    """
    order = _CHANNELS_LAST_ORDER.get(len(shape))
    if order is None or strides[1] == 0 or 0 in shape:
        return contiguous_format
    least = 0
    for k in order:
        if strides[k] < least or (k == 0 and least == strides[1]):
            return contiguous_format
        least = strides[k] * shape[k]
    return channels_last if len(shape) == 4 else channels_last_3d


def is_non_overlapping_and_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the elements fill one block of memory, each place once, in some order."""
    if 0 in shape:
        return True
    step = 1
    for stride, size in sorted((s, n) for n, s in zip(shape, strides, strict=True) if n != 1):
        if stride != step:
            return False
        step *= size
    return True


def preserve_strides(shape: Sequence[int], strides: Sequence[int]) -> Ints:
    """Strides of `empty_like(x)`: x's own if x is dense, else dense ones in the same order."""
    if is_non_overlapping_and_dense(shape, strides):
        return tuple(strides)
    return _dense(shape, _fastest_first(shape, [strides]))


def iterated_strides(
    shape: Sequence[int], operands: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> Ints:
    """Strides of an elementwise result of that shape: dense, in the order of the operands' memory,
    the first that tells two dimensions apart decides.

    Args:
        shape: the common one.
        operands: shape and strides of each, aligned with the last dimensions.
    """
    whole = [strides for own, strides in operands if len(own) == len(shape) and own == shape]
    if len(whole) == len(operands):
        if all(is_contiguous(shape, strides) for strides in whole):
            return contiguous_strides(shape)
        same = all(strides == whole[0] for strides in whole)
        if same and is_non_overlapping_and_dense(shape, whole[0]):
            return tuple(whole[0])
    spread = []
    for own, strides in operands:
        lead = len(shape) - len(own)
        steps = [
            0 if size == 1 != shape[lead + k] else step
            for k, (size, step) in enumerate(zip(own, strides, strict=True))
        ]
        spread.append([0] * lead + steps)
    return _dense(shape, _fastest_first(shape, spread))


def _dense(shape: Sequence[int], order: Sequence[int]) -> Ints:
    """Strides without gaps, the dimensions from the fastest to the slowest."""
    found = [0] * len(shape)
    step = 1
    for k in order:
        found[k] = step
        if shape[k] > 1:
            step *= shape[k]
    return tuple(found)


def _fastest_first(shape: Sequence[int], operands: Sequence[Sequence[int]]) -> list[int]:
    """Dimensions by growing stride; stride 0 (expanded) compares with nothing and holds its place,
    unless a later operand tells.

    An insertion sort, since that order is partial: a general sort would give another answer.
    """
    order = list(range(len(shape) - 1, -1, -1))
    for start in range(1, len(order)):
        at = start
        for k in range(start - 1, -1, -1):
            verdict = _compared(shape, operands, order[k], order[at])
            if verdict < 0:
                break
            if verdict > 0:
                order[k], order[at] = order[at], order[k]
                at = k
    return order


def _compared(
    shape: Sequence[int], operands: Sequence[Sequence[int]], before: int, here: int
) -> int:
    """Whether one dimension is faster (-1) than another or slower (1); 0 where nothing tells."""
    for strides in operands:
        a, b = strides[before], strides[here]
        if a == 0 or b == 0:
            continue
        if a != b:
            return -1 if a < b else 1
        if shape[before] > shape[here]:
            return 1
    return 0


def view_strides(
    old_shape: Sequence[int], old_strides: Sequence[int], new_shape: Sequence[int]
) -> Ints | None:
    """Strides that show the same memory in another shape, or None where only a copy can.

    The old dimensions fall into runs inside which memory is evenly spaced (``stride[k] ==
    size[k+1] * stride[k+1]``); each run must be covered exactly by neighbouring new dimensions.
    """
    if 0 in old_shape:
        if tuple(old_shape) == tuple(new_shape):
            return tuple(old_strides)
        return contiguous_strides(new_shape)
    found = [1] * len(new_shape)
    k = len(new_shape) - 1
    last = len(old_shape) - 1
    run = 1  # elements in the current run of old dimensions
    base = old_strides[last] if old_shape else 1
    for d in range(last, -1, -1):
        run *= old_shape[d]
        if d and (old_shape[d - 1] == 1 or old_strides[d - 1] == run * base):
            continue
        covered = 1
        while k >= 0 and (covered < run or new_shape[k] == 1):
            found[k] = covered * base
            covered *= new_shape[k]
            k -= 1
        if covered != run:
            return None
        if d:
            base, run = old_strides[d - 1], 1
    if old_shape and k >= 0:
        return None
    return tuple(found)


def infer_size(shape: Sequence[int], numel: int, op: str = "reshape") -> Ints:
    """The shape with its -1 resolved so that it holds `numel` elements.

    Raises:
        RuntimeError: two -1, another negative size, a wrong count, or -1 beside a size 0.
    """
    product = 1
    unknown = None
    for k, size in enumerate(shape):
        if size >= 0:
            product *= size
        elif size != -1:
            raise fail(
                RuntimeError,
                op,
                f"invalid shape dimension {size} at index {k} of shape {list(shape)}",
            )
        elif unknown is not None:
            raise fail(
                RuntimeError,
                op,
                f"only one dimension can be inferred, shape {list(shape)} has several -1",
            )
        else:
            unknown = k
    if unknown is None:
        if product == numel:
            return tuple(shape)
    elif product and numel % product == 0:
        return (*shape[:unknown], numel // product, *shape[unknown + 1 :])
    elif not product and not numel:
        raise fail(
            RuntimeError,
            op,
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous. Write it out.",
        )
    raise fail(
        RuntimeError,
        op,
        f"shape '{list(shape)}' is invalid for input of size {numel}: the sizes multiply to "
        f"{product}{'' if unknown is None else ' without the -1, which does not divide it'}.",
    )


def broadcast_shapes(*shapes: Sequence[int], op: str = "broadcast_shapes") -> Ints:
    """The shape that all given shapes expand to.

    Raises:
        RuntimeError: two of them differ in a dimension where neither is 1.
    """
    if not shapes:
        return ()
    ndim = max(map(len, shapes))
    found = [1] * ndim
    by: list[Sequence[int]] = [()] * ndim
    for shape in shapes:
        for k, size in enumerate(shape, ndim - len(shape)):
            if size == 1:
                continue
            if found[k] == 1:
                found[k], by[k] = size, shape
            elif found[k] != size:
                raise fail(
                    RuntimeError,
                    op,
                    f"The size of tensor a ({found[k]}) must match the size of tensor b ({size}) "
                    f"at non-singleton dimension {k}: shapes {list(by[k])} and {list(shape)} do "
                    "not broadcast. Dimensions are aligned at the right and must be equal or 1.",
                )
    return tuple(found)


def expand(
    shape: Sequence[int], strides: Sequence[int], sizes: Sequence[int], op: str = "expand"
) -> tuple[Ints, Ints]:
    """(shape, strides) of `x.expand(sizes)`: stride 0 where a dimension grows; -1 keeps a size.

    Raises:
        RuntimeError: fewer sizes than dimensions, or a dimension neither 1 nor the size asked.
    """
    lead = len(sizes) - len(shape)
    if lead < 0:
        raise fail(
            RuntimeError,
            op,
            f"the number of sizes provided ({len(sizes)}) must be greater or equal to the number "
            f"of dimensions in the tensor ({len(shape)}): sizes {list(sizes)}, "
            f"tensor {list(shape)}",
        )
    new_shape: list[int] = []
    new_strides = [0] * len(sizes)
    for k in range(len(sizes) - 1, -1, -1):
        size = sizes[k]
        if k < lead:
            if size < 0:
                raise fail(
                    RuntimeError,
                    op,
                    f"The expanded size of the tensor ({size}) isn't allowed in a leading, "
                    f"non-existing dimension {k}",
                )
            # As a fresh row-major dimension would have it; only a size that grows gets 0.
            if size == 1 and shape:
                new_strides[k] = new_shape[-1] * new_strides[k + 1]
            new_shape.append(size)
            continue
        have = shape[k - lead]
        if size == -1:
            size = have
        if size == have:
            new_strides[k] = strides[k - lead]
        elif have != 1 or size < 0:
            raise fail(
                RuntimeError,
                op,
                f"The expanded size of the tensor ({size}) must match the existing size ({have}) "
                f"at non-singleton dimension {k}.  Target sizes: {list(sizes)}.  "
                f"Tensor sizes: {list(shape)}",
            )
        new_shape.append(size)
    return tuple(new_shape[::-1]), tuple(new_strides)
