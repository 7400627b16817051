"""The printed text of tensors, equal to PyTorch's: `options` (what the user set), `elements` (arrays of
numbers as text), `text` (the whole, with its suffixes). Stands on dtypes, device, layout, errors.
"""

from flambeau.core.repr.options import (
    PrintOptions,
    get_printoptions,
    printoptions,
    set_printoptions,
)
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
