"""Sequences of different lengths: padded batches, packed sequences, and the ways between.

A packed sequence holds the steps of all sequences, time first: the first step of every
sequence, then the second of those that have one, and so on; ``batch_sizes`` counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    """The fields of a packed sequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


def bind(optional: Any, fn: Callable[[Any], Any]) -> Any:
    """``fn(optional)``, or None for None."""
    return None if optional is None else fn(optional)


class PackedSequence(PackedSequence_):
    """Sequences packed for a recurrent layer; made by ``pack_padded_sequence`` and kin.

    Fields:
        data: (sum of lengths, *), the steps.
        batch_sizes: how many sequences have each step; on the CPU.
        sorted_indices, unsorted_indices: the order of lengths and its inverse, or None.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            # The old form: one pair of data and batch sizes.
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise fail(
                ValueError,
                "PackedSequence",
                "batch_sizes should always be on CPU. Make packed sequences with pack_sequence "
                "or pack_padded_sequence.",
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def pin_memory(self) -> PackedSequence:
        """The same in pinned memory."""
        return type(self)(
            self.data.pin_memory(),
            self.batch_sizes,
            bind(self.sorted_indices, lambda t: t.pin_memory()),
            bind(self.unsorted_indices, lambda t: t.pin_memory()),
        )

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move or cast the data as ``Tensor.to`` does; indices move along."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(
            data,
            self.batch_sizes,
            bind(self.sorted_indices, lambda t: t.to(data.device)),
            bind(self.unsorted_indices, lambda t: t.to(data.device)),
        )

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to a CUDA device; there is none."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to the CPU."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def double(self) -> PackedSequence:
        """Cast to float64."""
        return self.to(dtype=flambeau.double)

    def float(self) -> PackedSequence:
        """Cast to float32."""
        return self.to(dtype=flambeau.float)

    def half(self) -> PackedSequence:
        """Cast to float16."""
        return self.to(dtype=flambeau.half)

    def long(self) -> PackedSequence:
        """Cast to int64."""
        return self.to(dtype=flambeau.long)

    def int(self) -> PackedSequence:
        """Cast to int32."""
        return self.to(dtype=flambeau.int)

    def short(self) -> PackedSequence:
        """Cast to int16."""
        return self.to(dtype=flambeau.short)

    def char(self) -> PackedSequence:
        """Cast to int8."""
        return self.to(dtype=flambeau.int8)

    def byte(self) -> PackedSequence:
        """Cast to uint8."""
        return self.to(dtype=flambeau.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one."""
    if permutation is None:
        return None
    positions = flambeau.arange(permutation.numel(), device=permutation.device)
    return flambeau.empty_like(permutation).scatter_(0, permutation, positions)


def _step_rows(batch_sizes: list[int], width: int) -> Tensor:
    """Row of each packed step in a (time, width) batch laid out flat."""
    rows = [t * width + i for t, size in enumerate(batch_sizes) for i in range(size)]
    return flambeau.tensor(rows, dtype=flambeau.int64)


def pack_padded_sequence(
    input: Tensor,
    lengths: Any,
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack a padded batch.

    Args:
        input: (T, B, *), or (B, T, *) if ``batch_first``.
        lengths: the length of each sequence, at least 1.
        batch_first: see input.
        enforce_sorted: lengths fall; if False they are sorted here.

    Raises:
        RuntimeError: lengths that are not one a sequence, not positive, rising, or too long.
    """
    if not isinstance(lengths, Tensor):
        lengths = flambeau.as_tensor(lengths, dtype=flambeau.int64)
    else:
        lengths = lengths.to(dtype=flambeau.int64)
    order = None
    if not enforce_sorted:
        lengths, order = flambeau.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    if batch_first:
        input = input.transpose(0, 1)
    if lengths.dim() != 1:
        raise fail(
            RuntimeError,
            "pack_padded_sequence",
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D.",
        )
    steps, width = input.size(0), input.size(1)
    counts = lengths.tolist()
    _check_lengths(counts, steps, width, input.numel())
    batch_sizes = [sum(count > t for count in counts) for t in range(counts[0])]
    flat = input.reshape(steps * width, *input.shape[2:])
    data = flat.index_select(0, _step_rows(batch_sizes, width))
    return PackedSequence(data, flambeau.tensor(batch_sizes, dtype=flambeau.int64), order, None)


def _check_lengths(counts: list[int], steps: int, width: int, elements: int) -> None:
    name = "pack_padded_sequence"
    if elements == 0:
        raise fail(RuntimeError, name, "Cannot pack empty tensors.")
    if len(counts) != width:
        raise fail(
            RuntimeError,
            name,
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} "
            f"(batch_size={width}). Check batch_first.",
        )
    if any(count <= 0 for count in counts):
        raise fail(
            RuntimeError,
            name,
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0",
        )
    if any(count < later for count, later in zip(counts, counts[1:], strict=False)):
        raise fail(
            RuntimeError,
            name,
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability.",
        )
    if counts[0] > steps:
        raise fail(
            RuntimeError, name, f"a length is {counts[0]}, the input has {steps} steps only."
        )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch of a packed sequence, and the lengths.

    Args:
        sequence: the packed sequence.
        batch_first: give (B, T, *) instead of (T, B, *).
        padding_value: what fills the rest.
        total_length: T, if longer than the longest sequence.

    Raises:
        ValueError: ``total_length`` is shorter than the longest sequence.
    """
    sizes = sequence.batch_sizes.tolist()
    steps, width = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < steps:
            raise fail(
                ValueError,
                "pad_packed_sequence",
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being {steps}",
            )
        steps = total_length
    data = sequence.data
    shape = (steps * width, *data.shape[1:])
    flat = flambeau.full(shape, padding_value, dtype=data.dtype, device=data.device)
    flat = flat.index_copy(0, _step_rows(sizes, width), data)
    padded = flat.view(steps, width, *data.shape[1:])
    counts = [sum(size > i for size in sizes) for i in range(width)]
    lengths = flambeau.tensor(counts, dtype=flambeau.int64)
    if batch_first:
        padded = padded.transpose(0, 1)
    back = sequence.unsorted_indices
    if back is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, back), lengths[back.cpu()]


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Tensors (L_i, *) as one padded batch (T, B, *), T the longest.

    Args:
        sequences: the tensors; trailing sizes agree.
        batch_first: give (B, T, *).
        padding_value: what fills the rest.
        padding_side: 'right' or 'left'.

    Raises:
        RuntimeError: no iterable, an empty one, another side, or sizes that disagree.
    """
    name = "pad_sequence"
    if not isinstance(sequences, Iterable):
        raise fail(
            RuntimeError,
            name,
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}",
        )
    tensors = tuple(sequences)
    if not tensors:
        raise fail(RuntimeError, name, "received an empty list of sequences")
    if padding_side not in ("left", "right"):
        message = f'Expected padding_side to be one of left or right, but got "{padding_side}".'
        raise fail(RuntimeError, name, message)
    first = tensors[0]
    lengths = [tensor.size(0) for tensor in tensors]
    longest = max(lengths)
    count = len(tensors)
    # The result is contiguous in either order, so steps are laid where they end up.
    across, along = (longest, 1) if batch_first else (1, count)
    rows: list[Any] = []
    for i, length in enumerate(lengths):
        start = longest - length if padding_side == "left" else 0
        rows.extend(i * across + t * along for t in range(start, start + length))
    shape = (count * longest, *first.shape[1:])
    flat = flambeau.full(shape, padding_value, dtype=first.dtype, device=first.device)
    index = flambeau.tensor(rows, dtype=flambeau.int64)
    flat = flat.index_copy(0, index, flambeau.cat(tensors).to(first.dtype))
    lead = (count, longest) if batch_first else (longest, count)
    return flat.view(*lead, *first.shape[1:])


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The tensors of a padded batch, cut to their lengths."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    steps = flambeau.arange(rows.shape[1], device=lengths.device)
    return [row[steps < length] for row, length in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack tensors (L_i, *); longest first unless ``enforce_sorted`` is False."""
    lengths = flambeau.as_tensor([sequence.size(0) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The tensors of a packed sequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
