"""Containers: Sequential, ModuleList, ModuleDict. Parameter containers stand in ``holders``."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.nn.modules.holders import ParameterDict, ParameterList
from flambeau.nn.modules.module import Module, _addindent

__all__ = [
    "Container",
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "Sequential",
]


class Container(Module):
    """The old general container; warns. Use Module itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warnings.warn(
            "nn.Container is deprecated. All of it's functionality is now implemented in "
            "nn.Module. Subclass that instead.",
            FutureWarning,
            stacklevel=stack_level(),
        )
        for name, module in kwargs.items():
            self.add_module(name, module)


def _position(container: Module, index: Any) -> int:
    """A valid non-negative position of an index that may be negative."""
    size = len(container)
    index = operator.index(index)
    if not -size <= index < size:
        raise IndexError(
            f"index {index} is out of range: {container._get_name()} has {size} modules"
        )
    return index % size


class Sequential(Module):
    """Modules in a row, each given the previous one's output.

    Args:
        *args: modules, or one OrderedDict of named modules.

    Example:
        >>> import flambeau as torch
        >>> torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
        )
    """

    _modules: dict[str, Module]

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for index, module in enumerate(args):
                self.add_module(str(index), module)

    def _name_at(self, index: Any) -> str:
        return next(islice(self._modules, _position(self, index), None))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            for name in list(self._modules)[index]:
                delattr(self, name)
        else:
            delattr(self, self._name_at(index))
        # Names stay 0, 1, 2, ...
        modules = list(self._modules.values())
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise self._no_sequential("+", other)
        result = Sequential()
        for module in (*self, *other):
            result.append(module)
        return result

    def __iadd__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise self._no_sequential("+=", other)
        return self.extend(list(other))

    def __mul__(self, other: int) -> Sequential:
        self._check_factor("*", other)
        result = Sequential()
        for _ in range(other):
            for module in self:
                result.append(module)
        return result

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Sequential:
        self._check_factor("*=", other)
        modules = list(self)
        for _ in range(other - 1):
            self.extend(modules)
        return self

    def _no_sequential(self, sign: str, other: Any) -> BaseException:
        return fail(
            ValueError,
            f"Sequential {sign}",
            f"expected an instance of Sequential, got {type(other).__name__}. Wrap it: "
            "Sequential(...).",
        )

    def _check_factor(self, sign: str, other: Any) -> None:
        if not isinstance(other, int):
            raise fail(
                TypeError, f"Sequential {sign}", f"expected an int, got {type(other).__name__}."
            )
        if other <= 0:
            raise fail(ValueError, f"Sequential {sign}", f"the factor is {other}, expected > 0.")

    def forward(self, input: Any) -> Any:
        """The last module's output."""
        for module in self._modules.values():
            input = module(input)
        return input

    def append(self, module: Module) -> Sequential:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Module:
        """Remove and return the module at an index."""
        module = self[key]
        del self[key]
        return module

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a module before ``index``."""
        if not isinstance(module, Module):
            raise fail(
                AssertionError,
                "Sequential.insert",
                f"module should be of type: {Module}, got {type(module).__name__}.",
            )
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index}, the Sequential has {size} modules")
        index += size if index < 0 else 0
        modules = list(self)
        modules.insert(index, module)
        self._modules = {}
        for i, each in enumerate(modules):
            self.add_module(str(i), each)
        return self

    def extend(self, sequential: Iterable[Module]) -> Sequential:
        """Add modules at the end."""
        for module in sequential:
            self.append(module)
        return self


class ModuleList(Module):
    """A list of modules, registered (unlike those in a plain list)."""

    _modules: dict[str, Module]

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[str(_position(self, index))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(_position(self, index)), module)

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            for i in range(len(self._modules))[index]:
                delattr(self, str(i))
        else:
            delattr(self, str(_position(self, index)))
        modules = list(self._modules.values())
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        combined = ModuleList()
        for i, module in enumerate((*self, *other)):
            combined.add_module(str(i), module)
        return combined

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def __repr__(self) -> str:
        """Equal neighbours in one line: ``(0-2): 3 x ReLU()``."""
        texts = [repr(module) for module in self]
        if not texts:
            return self._get_name() + "()"
        blocks: list[list[Any]] = []
        for i, text in enumerate(texts):
            if blocks and blocks[-1][2] == text:
                blocks[-1][1] = i
            else:
                blocks.append([i, i, text])
        lines = []
        for first, last, text in blocks:
            one = f"({first}): {text}"
            many = f"({first}-{last}): {last - first + 1} x {text}"
            lines.append(_addindent(one if first == last else many, 2))
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)"

    def insert(self, index: int, module: Module) -> None:
        """Put a module before ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._modules = {str(i): each for i, each in enumerate(modules)}

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Module:
        """Remove and return the module at an index."""
        module = self[key]
        del self[key]
        return module

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end.

        Raises:
            TypeError: not an iterable.
        """
        if not isinstance(modules, Iterable):
            raise fail(
                TypeError,
                "ModuleList.extend",
                "ModuleList.extend should be called with an iterable, but got "
                f"{type(modules).__name__}",
            )
        offset = len(self)
        for i, module in enumerate(modules):
            self.add_module(str(offset + i), module)
        return self


class ModuleDict(Module):
    """A dictionary of modules, registered, in order of insertion."""

    _modules: dict[str, Module]

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove and return a module."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._modules.items()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add named modules from a mapping or an iterable of pairs; later ones replace.

        Raises:
            TypeError: neither; ValueError: an entry is no pair.
        """
        if not isinstance(modules, Iterable):
            raise fail(
                TypeError,
                "ModuleDict.update",
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                f"{type(modules).__name__}",
            )
        if isinstance(modules, (Mapping, ModuleDict)):
            for key, value in modules.items():
                self[key] = value
            return
        pairs: Iterable[Any] = modules
        for i, pair in enumerate(pairs):
            if not isinstance(pair, Iterable):
                raise fail(
                    TypeError,
                    "ModuleDict.update",
                    f"ModuleDict update sequence element #{i} should be Iterable; is "
                    f"{type(pair).__name__}",
                )
            two: Any = pair
            if len(two) != 2:
                raise fail(
                    ValueError,
                    "ModuleDict.update",
                    f"ModuleDict update sequence element #{i} has length {len(two)}; 2 is required",
                )
            self[two[0]] = two[1]
