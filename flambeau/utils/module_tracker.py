"""`ModuleTracker`: which modules are running, forward and backward. Stands on the global hooks of
modules and on the tensors' hooks."""

from __future__ import annotations

from typing import Any

from flambeau.autograd.graph import backward_is_running, register_multi_grad_hook
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import (
    Module,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from flambeau.utils._pytree import tree_leaves
from flambeau.utils.weak import WeakIdKeyDictionary

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """While it is entered, `parents` holds the names of the modules that are running.

    The name of the outermost module is its class's, those inside are its attributes' below it;
    "Global" is always among them. `is_bw` says whether a backward is running.
    """

    parents: set[str]

    def __init__(self) -> None:
        self.parents = {"Global"}
        self._names: Any = WeakIdKeyDictionary()
        self._handles: list[Any] = []

    @property
    def is_bw(self) -> bool:
        """Whether the modules run backward."""
        return backward_is_running()

    def name_of(self, module: Module) -> str:
        """What `parents` calls a module."""
        if module not in self._names:
            head = type(module).__name__
            for path, child in module.named_modules():
                self._names[child] = f"{head}.{path}" if path else head
        found: str = self._names[module]
        return found

    def _enter(self, module: Module, args: Any) -> None:
        name = self.name_of(module)
        self.parents.add(name)
        waited = _with_gradient(args)
        if waited:
            self._handles.append(
                register_multi_grad_hook(waited, lambda grads: self.parents.discard(name))
            )

    def _leave(self, module: Module, args: Any, output: Any) -> None:
        name = self.name_of(module)
        self.parents.discard(name)
        waited = _with_gradient(output)
        if waited:
            self._handles.append(
                register_multi_grad_hook(waited, lambda grads: self.parents.add(name))
            )

    def __enter__(self) -> ModuleTracker:
        self._handles = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=True),
        ]
        return self

    def __exit__(self, *exc: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self.parents = {"Global"}


def _with_gradient(values: Any) -> list[Tensor]:
    return [t for t in tree_leaves(values) if isinstance(t, Tensor) and t.requires_grad]
