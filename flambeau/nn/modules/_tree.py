"""A module's descendants: walks over modules, parameters and buffers, and lookups by dotted path.

Stands on Module's tables alone; nothing here changes a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.parameter import Parameter

if TYPE_CHECKING:
    from flambeau.nn.modules.module import Module


def module_path(root: Module, module: Module) -> str | None:
    """The dotted path of ``module`` below ``root`` ('' for root itself); None if not there."""
    for name, found in root.named_modules():
        if found is module:
            return name
    return None


class Tree:
    """The part of Module that walks its descendants."""

    def children(self) -> Iterator[Module]:
        """The direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all its descendants, parents first."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self: Any, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all its descendants with dotted paths, parents first.

        Args:
            memo: modules to leave out; those given are added.
            prefix: put in front of every path.
            remove_duplicate: give a module that occurs twice only once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, below, remove_duplicate)

    def _named_members(
        self: Any,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """The (path, member) pairs of one table over the tree, None left out."""
        seen = set()
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = iter([(prefix, self)])
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once; what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with dotted paths.

        Args:
            prefix: put in front of every path.
            recurse: go into submodules.
            remove_duplicate: give a parameter that occurs twice only once.
        """
        yield from self._named_members(
            lambda module: module._parameters.items(),
            prefix=prefix,
            recurse=recurse,
            remove_duplicate=remove_duplicate,
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted paths; arguments as ``named_parameters``."""
        yield from self._named_members(
            lambda module: module._buffers.items(),
            prefix=prefix,
            recurse=recurse,
            remove_duplicate=remove_duplicate,
        )

    def get_submodule(self, target: str) -> Module:
        """The submodule at a dotted path ('' is this module).

        Raises:
            AttributeError: the path ends early, or leads to something that is no module.
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(
                    f"{module._get_name()} has no attribute `{name}` (on the way to {target!r})"
                )
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise AttributeError(f"`{name}` is not an nn.Module (on the way to {target!r})")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at a dotted path whose parent exists.

        Args:
            target: the path, not empty.
            module: the new submodule.
            strict: the path itself must exist too.

        Raises:
            ValueError: an empty path, or ``module`` is no module.
            AttributeError: the path does not exist, or holds something that is no module.
        """
        if target == "":
            raise fail(
                ValueError, "set_submodule", "Cannot set the submodule without a target name!"
            )
        if not isinstance(module, Tree):
            raise fail(
                ValueError, "set_submodule", f"`module` is not an nn.Module, found {type(module)}"
            )
        above, _, name = target.rpartition(".")
        parent = self.get_submodule(above)
        if hasattr(parent, name):
            if not isinstance(getattr(parent, name), Tree):
                raise AttributeError(f"`{name}` is not an nn.Module")
        elif strict:
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Raises:
            AttributeError: the path does not exist, or what is there is no Parameter.
        """
        module, name = self._owner_of(target)
        parameter = getattr(module, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.

        Raises:
            AttributeError: the path does not exist, or what is there is no buffer.
        """
        module, name = self._owner_of(target)
        buffer = getattr(module, name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    def _owner_of(self, target: str) -> tuple[Any, str]:
        """The module that should hold the last name of a path, and that name."""
        above, _, name = target.rpartition(".")
        module = self.get_submodule(above)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name

    def apply(self: Any, fn: Callable[[Module], None]) -> Any:
        """Call ``fn`` on every submodule and then on this module (children first).

        Returns:
            this module.
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self
