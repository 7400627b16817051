"""Quantised elements where they are made without numbers, moved and written: which scale belongs to
what a view shows, and what is kept of a number that is put in.

What a quantised tensor is, and what it computes, is in tensor. Stands on schemes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import flambeau
from flambeau.ao.quantization import schemes
from flambeau.ao.quantization.schemes import BOUNDS, STORED
from flambeau.core.errors import fail
from flambeau.core.overrides import without_subclasses
from flambeau.core.tensor import Tensor, wrap

__all__ = ["check_apart", "check_dtype", "facts_of_view", "numbers_for", "of_dtype", "write"]

STILL = frozenset("clone contiguous detach view reshape flatten reshape_copy".split())
"""What leaves the channels where they are; view and its kin as PyTorch says it."""
STEPPING = frozenset("select narrow slice split chunk unbind".split())


def check_dtype(dtype: Any) -> None:
    """Whether a dtype is one of quantised elements.

    Raises:
        RuntimeError: it is not.
    """
    if dtype not in BOUNDS:
        raise fail(
            RuntimeError,
            "empty_quantized",
            "Creation of quantized tensor requires quantized dtype like torch.quint8, got "
            f"{dtype}.",
        )


def of_dtype(integers: Tensor) -> Any:
    """The quantised dtype that integers are the elements of.

    Raises:
        RuntimeError: there is none.
    """
    for quantised, stored in STORED.items():
        if integers.dtype is getattr(flambeau, stored):
            return quantised
    raise fail(
        RuntimeError,
        "make_quantized_tensor",
        "Creation of quantized tensor requires quantized dtype like torch.quint8: give integers "
        f"of uint8, int8 or int32, not {integers.dtype}.",
    )


def facts_of_view(
    facts: dict[str, Any], name: str, func: Callable[..., Any], shape: Any, args: Any, kwargs: Any
) -> Any:
    """What holds of the results of a view of a tensor with a scale for each channel: a list where
    there are several, otherwise one.

    Raises:
        RuntimeError: the view moves the channels themselves.
    """
    axis = facts["axis"]
    if axis is None or name in STILL:
        return facts
    if name == "unsqueeze":
        dim = args[0] if args else kwargs["dim"]
        return facts | {"axis": axis + (dim % (len(shape) + 1) <= axis)}
    if name == "squeeze":
        return _squeezed(facts, shape, args, kwargs)
    channels = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    table = np.broadcast_to(channels, shape)
    if name == "__getitem__":
        index = args[0] if isinstance(args[0], tuple) else (args[0],)
        if not all(i is None or i is Ellipsis or isinstance(i, (int, slice)) for i in index):
            raise fail(RuntimeError, name, "a tensor quantised by channel takes no tensor as index")
        return _narrowed(facts, shape[axis], table[index])
    if name in STEPPING:
        found = func(wrap(table), *args, **kwargs)
        if isinstance(found, Tensor):
            return _narrowed(facts, shape[axis], found._array)
        return [_narrowed(facts, shape[axis], each._array) for each in found]
    raise fail(
        RuntimeError,
        name,
        "Setting strides is possible only on uniformly quantized tensor: this one is quantised by "
        "channel; .dequantize() first.",
    )


def _squeezed(facts: dict[str, Any], shape: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    axis = facts["axis"]
    dims = args[0] if args else kwargs.get("dim")
    dims = tuple(range(len(shape))) if dims is None else dims
    dims = [d % len(shape) for d in (dims if isinstance(dims, (tuple, list)) else (dims,))]
    gone = [d for d in dims if shape[d] == 1]
    if axis in gone:
        raise fail(
            RuntimeError,
            "squeeze",
            "Squeeze is only possible on non-axis dimension for Per-Channel Quantized Tensors.",
        )
    return facts | {"axis": axis - sum(d < axis for d in gone)}


def _narrowed(facts: dict[str, Any], count: int, table: Any) -> dict[str, Any]:
    """Of a view that steps through the channels: `table` says which channel each element is of, and
    has a stride along the dimension of channels alone."""
    along = [k for k, stride in enumerate(table.strides) if stride]
    if along and (table.shape[along[0]] > 1 or count == 1):
        axis = along[0]
        left = wrap(np.moveaxis(table, axis, 0).reshape(table.shape[axis], -1)[:, 0].copy())
        return facts | {
            "axis": axis, "scale": facts["scale"][left], "zero_point": facts["zero_point"][left],
        }  # fmt: skip
    if not table.size:
        return facts | {"axis": along[0] if along else None}
    only = int(table.flat[0])
    return facts | {
        "scheme": schemes.per_tensor_affine,
        "scale": float(np.float32(float(facts["scale"][only]))),
        "zero_point": int(facts["zero_point"][only]),
        "axis": None,
    }


def numbers_for(name: str, value: Any) -> Tensor:
    """A number, or a tensor of them, as float32.

    Raises:
        RuntimeError: a tensor of another dtype.
    """
    if not isinstance(value, Tensor):
        return flambeau.tensor(float(value), dtype=flambeau.float32)
    if value.dim() and value.dtype is not flambeau.float32:
        raise fail(
            RuntimeError, name, f"Quantized copy only works with kFloat as source Tensor, got "
            f"{value.dtype}: call .float()."
        )  # fmt: skip
    return value.detach().to(flambeau.float32)


def check_apart(view: Tensor) -> None:
    """Whether the elements of a view lie side by side: only such are written, as in PyTorch.

    Raises:
        RuntimeError: they do not.
    """
    with without_subclasses():
        plain: Any = view.as_subclass(Tensor)
        apart = plain.dim() != 4 or not plain.is_contiguous(memory_format=flambeau.channels_last)
        if apart and not plain.is_contiguous():
            raise fail(
                RuntimeError,
                "__setitem__",
                "Quantized copy only works with contiguous and NHWC Tensors: write whole rows.",
            )


def write(target: Tensor, integers: Tensor, index: Any) -> None:
    """Put integers where `index` says into those of `target`."""
    with without_subclasses():
        target.as_subclass(Tensor)[index] = integers.as_subclass(Tensor)
