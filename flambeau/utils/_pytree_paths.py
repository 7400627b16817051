"""Where a leaf stands in a tree: the keys on the way to it.

Public through `flambeau.utils._pytree`. Stands on nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

__all__ = ["GetAttrKey", "KeyPath", "MappingKey", "SequenceKey", "keys_of", "keystr"]


class SequenceKey(NamedTuple):
    """A place in a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """What stands there."""
        return sequence[self.idx]


class MappingKey(NamedTuple):
    """A key of a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """What stands there."""
        return mapping[self.key]


class GetAttrKey(NamedTuple):
    """An attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """What stands there."""
        return getattr(obj, self.name)


KeyPath = tuple[Any, ...]


def keystr(kp: Iterable[Any]) -> str:
    """A path as Python writes it: ``['x'][0].a``."""
    return "".join(map(str, kp))


def keys_of(tree: Any, count: int, given: Callable[[Any], Any] | None) -> list[Any]:
    """The key of each of a container's children; `given` is what was registered for its class.

    Raises:
        ValueError: a class of containers registered without keys.
    """
    if given is not None:
        return [key for key, _ in given(tree)[0]]
    if isinstance(tree, dict):
        return [MappingKey(key) for key in tree]
    if hasattr(tree, "_fields"):
        return [GetAttrKey(name) for name in tree._fields]
    if isinstance(tree, Iterable):
        return [SequenceKey(k) for k in range(count)]
    raise ValueError(
        f"Did not find a flatten_with_keys_fn for type: {type(tree)}. Please pass a "
        "flatten_with_keys_fn argument to register_pytree_node."
    )
