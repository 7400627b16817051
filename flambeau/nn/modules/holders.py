"""ParameterList and ParameterDict: parameters in a list or dictionary, registered."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module, _typename
from flambeau.nn.parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _as_parameter(value: Any) -> Any:
    """Tensors become parameters; anything else is kept as it is."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _describe(name: Any, value: Any, kind: Any) -> str:
    """One entry's line of text."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    label = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(length) for length in value.size())
    return f"  ({name}): {label} containing: [{kind} of size {size}]"


class ParameterList(Module):
    """A list of parameters. Tensors are made Parameters; other values are kept as they are."""

    __module__ = "flambeau.nn.modules.container"

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def _name_at(self, index: Any) -> str:
        index = operator.index(index)
        if not -self._size <= index < self._size:
            raise IndexError(
                f"index {index} is out of range: the ParameterList has {self._size} entries"
            )
        return str(index % self._size)

    def __getitem__(self, index: int | slice) -> Any:
        if not isinstance(index, slice):
            return getattr(self, self._name_at(index))
        part = type(self)()
        for i in range(*index.indices(len(self))):
            part.append(self[i])
        return part

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name_at(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> ParameterList:
        """Add an entry at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add entries at the end.

        Raises:
            TypeError: no iterable, or a tensor (which is one entry, not several).
        """
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise fail(
                TypeError,
                "ParameterList.extend",
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}",
            )
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """One line an entry."""
        return "\n".join(
            _describe(i, value, getattr(value, "dtype", None)) for i, value in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise fail(RuntimeError, "ParameterList", "ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary of parameters. Tensors are made Parameters; other values are kept."""

    __module__ = "flambeau.nn.modules.container"

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    @staticmethod
    def _attribute(key: Any) -> str:
        if not isinstance(key, str):
            raise fail(
                TypeError,
                "ParameterDict",
                f"a key must be a string, got {type(key).__name__}.",
            )
        return key

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        name = self._attribute(key)
        self._keys[key] = None
        setattr(self, name, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """A new dictionary of the same entries."""
        return ParameterDict(OrderedDict((key, self[key]) for key in self._keys))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The entry; ``default`` is put in first where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all entries."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove and return an entry."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the last (key, entry)."""
        if not self._keys:
            raise KeyError("popitem(): the ParameterDict is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The entry, or ``default``."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dictionary of ``default`` under each key."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """The keys, in order of insertion."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The (key, entry) pairs."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """The entries."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add entries from a mapping (a plain one in sorted order) or an iterable of pairs.

        Raises:
            TypeError: neither; ValueError: an element is no pair.
        """
        if not isinstance(parameters, Iterable):
            raise fail(
                TypeError,
                "ParameterDict.update",
                "ParametersDict.update should be called with an iterable of key/value pairs, but "
                f"got {type(parameters).__name__}",
            )
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            pairs: Iterable[Any] = parameters.items()
        elif isinstance(parameters, Mapping):
            pairs = sorted(parameters.items())
        else:
            pairs = parameters
        for i, pair in enumerate(pairs):
            if not isinstance(pair, Iterable):
                raise fail(
                    TypeError,
                    "ParameterDict.update",
                    f"ParameterDict update sequence element #{i} should be Iterable; is "
                    f"{type(pair).__name__}",
                )
            two: Any = pair
            if len(two) != 2:
                raise fail(
                    ValueError,
                    "ParameterDict.update",
                    f"ParameterDict update sequence element #{i} has length {len(two)}; 2 is "
                    "required",
                )
            self[two[0]] = two[1]

    def extra_repr(self) -> str:
        """One line an entry."""
        return "\n".join(_describe(key, value, _typename(value)) for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise fail(RuntimeError, "ParameterDict", "ParameterDict should not be called.")

    def __or__(self, other: ParameterDict) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        result = other.copy()
        result.update(self)
        return result

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self
