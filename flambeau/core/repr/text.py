"""The whole text of a tensor: ``tensor(``, the elements, and the suffixes.

Suffixes tell dtype, device, size and history where they are not the usual ones. Asks of a tensor only
`_array`, `dtype`, `shape`, `device`, `layout`, `requires_grad`, `grad_fn`, and of a sparse one its
indices and values. Stands on elements, dtypes, layout.
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


def tensor_text(tensor: Any, tangent: Any = None) -> str:
    """``repr(tensor)``, character for character as PyTorch writes it.

    Args:
        tensor: what to print; a dual tensor is given as its primal.
        tangent: the tangent of a dual tensor.
    """
    name = type(tensor).__name__
    prefix = "tensor(" if name in PLAIN_NAMES else f"{name}("
    suffixes = []
    usual = {dtypes.default(), _complex_of_default(), dtypes.int64, dtypes.bool}
    suffix_dtype = f"dtype={tensor.dtype!r}"
    device = tensor.device
    meta = device.type == "meta"
    if device.type != "cpu":
        suffixes.append(f"device='{device}'")
    if tensor.layout is not strided:
        suffixes.append(f"size={_sizes(tensor.shape)}")
        if not meta:
            suffixes.append(f"nnz={tensor._nnz()}")
        if tensor.dtype not in usual:
            suffixes.append(suffix_dtype)
        body = _sparse_body(tensor, len(prefix), meta)
    elif meta:
        suffixes.append(f"size={_sizes(tensor.shape)}")
        if tensor.dtype is not dtypes.default():
            suffixes.append(suffix_dtype)
        body = "..."
    else:
        array = tensor._array
        if array.size == 0:
            if array.ndim != 1:
                suffixes.append(f"size={_sizes(tensor.shape)}")
            if tensor.dtype is not dtypes.default():
                suffixes.append(suffix_dtype)
        else:
            if not current().edgeitems:
                suffixes.append(f"size={_sizes(tensor.shape)}")
            if tensor.dtype not in usual:
                suffixes.append(suffix_dtype)
        body = array_text(array, len(prefix))
    if tensor.layout is not strided:
        suffixes.append(f"layout={tensor.layout!r}")
    suffixes += _history(tensor)
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    text = _append(prefix + body, suffixes, len(prefix), tensor.layout is sparse_coo)
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


def _complex_of_default() -> dtypes.dtype:
    """The complex dtype that needs no suffix: PyTorch knows only the two of NumPy here."""
    return dtypes.complex128 if dtypes.default() is dtypes.float64 else dtypes.complex64


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


def _sparse_body(tensor: Any, indent: int, meta: bool) -> str:
    """The index and value tensors of a sparse tensor, one after the other."""
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
    return (",\n" + " " * indent).join(lines)


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
