"""The printed text of tensors, equal to PyTorch's.

`options` keeps what the user set, `elements` writes arrays of numbers, `text` the whole with its
suffixes. Stands on dtypes, layout, errors.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from flambeau.core.repr.options import (
    PrintOptions,
    get_printoptions,
    printoptions,
    set_printoptions,
)

if TYPE_CHECKING:
    from flambeau.core.repr.text import format_tensor, parameter_text, tensor_text

__all__ = [
    "PrintOptions",
    "format_tensor",
    "get_printoptions",
    "parameter_text",
    "printoptions",
    "set_printoptions",
    "tensor_text",
]


def __getattr__(name: str) -> Any:
    """What writes text loads when something is printed."""
    if name in ("format_tensor", "parameter_text", "tensor_text"):
        return getattr(import_module("flambeau.core.repr.text"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
