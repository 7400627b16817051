"""The printed text of tensors, equal to PyTorch's.

`options` keeps what the user set, `elements` writes arrays of numbers, `text` the whole with its
suffixes. Stands on dtypes, layout, errors.
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
