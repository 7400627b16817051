"""``torch.nested``: several tensors of different lengths as one.

Two layouts: `strided`, whose parts may differ in every size, and `jagged`, whose parts differ along
one dimension. Stands on their classes.
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nested.base import NestedTensor
from flambeau.nested.jagged_tensor import around, jagged
from flambeau.nested.jagged_tensor import joined as jagged_of
from flambeau.nested.strided_tensor import joined as strided_of

__all__ = [
    "as_nested_tensor",
    "jagged",
    "masked_select",
    "narrow",
    "nested_tensor",
    "nested_tensor_from_jagged",
    "to_padded_tensor",
]


def _checked(name: str, tensor_list: Any, dtype: Any) -> list[Tensor]:
    if not isinstance(tensor_list, (list, tuple)):
        raise fail(
            TypeError,
            name,
            "Only lists (List[Tensor] and List[List...[Scalar]]) are accepted in nested_tensor.",
        )
    parts = [flambeau.as_tensor(each, dtype=dtype) for each in tensor_list]
    if len({part.dim() for part in parts}) > 1:
        raise fail(
            RuntimeError,
            name,
            "When constructing a nested tensor, all tensors in list must have the same dim: got "
            f"{[part.dim() for part in parts]}.",
        )
    return parts


def _made(name: str, parts: list[Tensor], layout: Any) -> NestedTensor:
    """A nested tensor of the layout; the uneven dimension of a jagged one is where parts differ."""
    if layout is None or layout is flambeau.strided:
        return strided_of(parts)
    if layout is not jagged:
        message = f"layout must be torch.strided or torch.jagged, got {layout}."
        raise fail(RuntimeError, name, message)
    if not parts or not parts[0].dim():
        raise fail(
            RuntimeError,
            name,
            "Cannot construct a jagged tensor from an empty list or from zero-dim tensors.",
        )
    uneven = [k for k, sizes in enumerate(zip(*(p.shape for p in parts))) if len(set(sizes)) > 1]
    if len(uneven) > 1:
        raise fail(
            RuntimeError,
            name,
            "parts of a jagged tensor differ along one dimension, these along "
            f"{len(uneven)}: {[list(part.shape) for part in parts]}.",
        )
    return jagged_of(parts, uneven[0] + 1 if uneven else 1, None)


def as_nested_tensor(
    ts: Any, dtype: Any = None, device: Any = None, layout: Any = None
) -> NestedTensor:
    """A nested tensor through which gradients reach the parts.

    Args:
        ts: the parts, or a tensor whose rows they are.
        layout: torch.strided, or torch.jagged.

    Raises:
        RuntimeError: the parts have different numbers of dimensions.
    """
    if isinstance(ts, NestedTensor):
        return ts
    if isinstance(ts, Tensor):
        ts = list(ts.unbind())
    return _made("as_nested_tensor", _checked("as_nested_tensor", ts, dtype), layout)


def nested_tensor(
    tensor_list: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> NestedTensor:
    """A nested tensor of copies: a leaf.

    Args:
        tensor_list: the parts, as tensors or lists of numbers.
        layout: torch.strided, or torch.jagged.

    Raises:
        RuntimeError: the parts have different numbers of dimensions, or jagged ones differ along
            several.
        TypeError: no list.
    """
    parts = _checked("nested_tensor", tensor_list, dtype)
    made = _made("nested_tensor", [part.detach() for part in parts], layout)
    if requires_grad:
        made.requires_grad_(True)
    return made


def nested_tensor_from_jagged(
    values: Tensor,
    offsets: Tensor | None = None,
    lengths: Tensor | None = None,
    jagged_dim: int | None = None,
    min_seqlen: int | None = None,
    max_seqlen: int | None = None,
) -> NestedTensor:
    """A jagged tensor around `values`, whose parts begin at `offsets`.

    Args:
        lengths: the parts' lengths where they do not reach to the next; or instead of offsets.
        jagged_dim: the uneven dimension, 1 without.

    Raises:
        RuntimeError: neither offsets nor lengths are given.
    """
    ragged = 1 if jagged_dim is None else jagged_dim
    if offsets is None:
        if lengths is None:
            raise fail(
                RuntimeError,
                "nested_tensor_from_jagged",
                "At least one of offsets or lengths is required.",
            )
        starts = flambeau.nn.functional.pad(lengths.cumsum(0), (1, 0))
        return around(values, starts, None, ragged, None)
    return around(values, offsets, lengths, ragged, None)


def narrow(tensor: Tensor, dim: int, start: Any, length: Any, layout: Any = None) -> NestedTensor:
    """A part of each row of a tensor, from its own start and of its own length: jagged ones share
    the tensor's memory.

    Raises:
        RuntimeError: strided, with starts or lengths that are no integers; jagged, along another
            dimension than 1.
    """
    both = [x if isinstance(x, Tensor) else [int(x)] * tensor.shape[0] for x in (start, length)]
    if layout is not jagged:
        if any(isinstance(x, Tensor) for x in both):
            raise fail(
                RuntimeError,
                "narrow",
                "start and length must be integers for the strided layout NT impl: ask for "
                "layout=torch.jagged.",
            )
        rows = zip(tensor, *both, strict=True)
        return strided_of([row.narrow(dim - 1, a, n) for row, a, n in rows])
    if dim != 1:
        message = f"jagged tensors are narrowed along dim=1 alone, got {dim}."
        raise fail(RuntimeError, "narrow", message)
    starts, lengths = (flambeau.as_tensor(x) for x in both)
    width = tensor.shape[1]
    begins = starts + flambeau.arange(tensor.shape[0]) * width
    offsets = flambeau.cat((begins, begins[-1:] + lengths[-1:]))
    return around(tensor.flatten(0, 1), offsets, lengths, 1, None)


def masked_select(tensor: Tensor, mask: Tensor) -> NestedTensor:
    """The elements of each row where the mask is True, as a jagged tensor."""
    rows = zip(tensor, mask.expand(tensor.shape), strict=True)
    return jagged_of([row[keep] for row, keep in rows], 1, None)


def to_padded_tensor(input: NestedTensor, padding: float, output_size: Any = None) -> Tensor:
    """All parts in one dense tensor, filled up with `padding`."""
    return input.to_padded_tensor(padding, output_size)
