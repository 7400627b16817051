"""The whole text of a tensor: ``tensor(``, the elements, and the suffixes.

Suffixes tell dtype, device, size and history where they are not the usual ones. Asks of a tensor
only `_array`, `dtype`, `shape`, `device`, `layout`, `requires_grad`, `grad_fn`, and of a sparse one
its indices and values. Stands on elements, dtypes, layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.layout import sparse_bsc, sparse_coo, sparse_csc, strided
from flambeau.core.repr.elements import array_text
from flambeau.core.repr.options import current

__all__ = ["format_tensor", "parameter_text", "tensor_text"]

# Classes printed as `tensor(`; any other subclass prints its own name.
PLAIN_NAMES = frozenset({"Buffer", "Parameter", "Tensor"})


def tensor_text(tensor: Any, tangent: Any = None, contents: str | None = None) -> str:
    """``repr(tensor)``, character for character as PyTorch writes it.

    Args:
        tensor: what to print; a dual tensor is given as its primal.
        tangent: the tangent of a dual tensor.
        contents: stands in for the elements (a subclass's own text).
    """
    name = type(tensor).__name__
    prefix = "tensor(" if name in PLAIN_NAMES else f"{name}("
    indent = len(prefix)
    suffixes = [] if tensor.device.type == "cpu" else [f"device='{tensor.device}'"]
    sparse = tensor.layout is not strided
    shown = contents is None
    body, facts = _sparse(tensor, indent) if sparse else _strided(tensor, indent, shown)
    suffixes += facts
    if sparse:
        suffixes.append(f"layout={tensor.layout!r}")
    suffixes += _history(tensor)
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    if contents is not None:
        body = contents
    text = _append(prefix + body, suffixes, indent, tensor.layout is sparse_coo)
    return f"Parameter({text})" if name not in PLAIN_NAMES and _is_parameter(tensor) else text


def parameter_text(tensor: Any) -> str:
    """``repr`` of a Parameter: the tensor's text under a heading."""
    return "Parameter containing:\n" + tensor_text(tensor)


def format_tensor(tensor: Any, spec: str) -> str:
    """``format(tensor, spec)``: a 0-d tensor formats as its number, others only without a spec.

    Raises:
        TypeError: a spec for a tensor that has dimensions, is on meta, or is of a subclass.
    """
    if type(tensor).__name__ == "Tensor" and tensor.device.type != "meta" and not tensor.shape:
        return format(tensor.item(), spec)
    if spec:
        raise TypeError(
            f"unsupported format string passed to {type(tensor).__name__}.__format__: {spec!r} "
            f"formats one number of a plain tensor, this one has shape {list(tensor.shape)}. "
            "Format the .item() of an element."
        )
    return str(tensor)


def _is_parameter(tensor: Any) -> bool:
    """Whether a tensor of a subclass is a parameter: by its mark, or by its class."""
    marked = getattr(tensor, "_is_param", False)
    return marked or any(base.__name__ == "Parameter" for base in type(tensor).__mro__)


def _dtype_suffix(tensor: Any, usual: set[dtypes.dtype]) -> list[str]:
    return [] if tensor.dtype in usual else [f"dtype={tensor.dtype!r}"]


def _usual() -> set[dtypes.dtype]:
    """The dtypes that the elements tell by themselves; of the complex ones only NumPy's two."""
    default = dtypes.default()
    kin = dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
    return {default, kin, dtypes.int64, dtypes.bool}


def _sizes(shape: Any) -> str:
    return str(tuple(shape))


def _history(tensor: Any) -> list[str]:
    """``grad_fn=<...>`` or ``requires_grad=True``."""
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return ["grad_fn=<Invalid>"]
    if node is not None:
        name = node.name() if hasattr(node, "name") else type(node).__name__
        return [f"grad_fn=<{name.rsplit('::')[-1]}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _strided(tensor: Any, indent: int, shown: bool = True) -> tuple[str, list[str]]:
    """The elements, if they are `shown`, and the size and dtype where they do not show them."""
    size = f"size={_sizes(tensor.shape)}"
    alone = {dtypes.default()}
    if tensor.device.type == "meta":
        return "...", [size, *_dtype_suffix(tensor, alone)]
    array = tensor._array
    if array.size == 0:
        return "[]", [size] * (array.ndim != 1) + _dtype_suffix(tensor, alone)
    sized = [] if current().edgeitems else [size]
    return array_text(array, indent) if shown else "", sized + _dtype_suffix(tensor, _usual())


def _sparse(tensor: Any, indent: int) -> tuple[str, list[str]]:
    """The index and value tensors of a sparse tensor one after the other, and its size."""
    meta = tensor.device.type == "meta"
    facts = [f"size={_sizes(tensor.shape)}"]
    if not meta:
        facts.append(f"nnz={tensor._nnz()}")
    facts += _dtype_suffix(tensor, _usual())
    if tensor.layout is sparse_coo:
        parts = {"indices": tensor._indices(), "values": tensor._values()}
    elif tensor.layout in (sparse_csc, sparse_bsc):
        parts = {
            "ccol_indices": tensor.ccol_indices(),
            "row_indices": tensor.row_indices(),
            "values": tensor.values(),
        }
    else:
        parts = {
            "crow_indices": tensor.crow_indices(),
            "col_indices": tensor.col_indices(),
            "values": tensor.values(),
        }
    lines = []
    for name, part in parts.items():
        start = f"{name}=tensor("
        written = "..." if meta else array_text(np.asarray(part._array), indent + len(start))
        if meta or part._array.size == 0:
            written += f", size={_sizes(part.shape)}"
        lines.append(f"{start}{written})")
    return (",\n" + " " * indent).join(lines), facts


def _append(text: str, suffixes: list[str], indent: int, on_new_line: bool) -> str:
    """The text with its suffixes, each on the last line where it fits, and the closing bracket."""
    linewidth = current().linewidth
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if on_new_line or column + len(suffix) + 2 > linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
            on_new_line = False
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
