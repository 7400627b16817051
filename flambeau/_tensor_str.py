"""``torch._tensor_str``: the parts that a tensor's text is made of, which libraries ask for when
their own classes print. The text itself is made in core.repr.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.repr import get_printoptions, printoptions, set_printoptions, tensor_text
from flambeau.core.repr.elements import array_text
from flambeau.core.repr.options import current
from flambeau.core.repr.text import _append
from flambeau.core.tensor import Tensor

__all__ = ["PRINT_OPTS", "get_printoptions", "printoptions", "set_printoptions"]


class _Options:
    """The options in force, read and written as attributes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(current(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(current(), name, value)


PRINT_OPTS = _Options()


def _tensor_str(self: Tensor, indent: int) -> str:
    """The elements' text."""
    return array_text(self.detach().resolve_conj().resolve_neg().numpy(), indent)


def _add_suffixes(tensor_str: str, suffixes: list[str], indent: int, force_newline: bool) -> str:
    """The text with what stands behind the elements, and its bracket."""
    return _append(tensor_str, suffixes, indent, force_newline)


def _str(self: Tensor, *, tensor_contents: str | None = None) -> str:
    """What `repr` gives; with `tensor_contents` in place of the elements."""
    return tensor_text(self, contents=tensor_contents)


_str_intern = _str
