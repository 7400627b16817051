"""What `script` and `trace` give: the program's own Python under TorchScript's classes, so that it
can be told apart, printed and saved as there. Stands on nn."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from flambeau.nn import Module

__all__ = [
    "RecursiveScriptModule",
    "ScriptFunction",
    "ScriptModule",
    "TopLevelTracedModule",
    "TracedModule",
    "scripted",
]


def _text(function: Any) -> str:
    return textwrap.dedent(inspect.getsource(function))


class ScriptModule(Module):
    """A module as TorchScript's users derive it: an ordinary one that can be saved whole."""

    def save(self, f: Any, _extra_files: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """`jit.save` of this module."""
        from flambeau.jit.saving import save

        save(self, f, _extra_files)

    def save_to_buffer(self, _extra_files: dict[str, Any] | None = None, **kwargs: Any) -> bytes:
        """The file's bytes."""
        import io

        buffer = io.BytesIO()
        self.save(buffer, _extra_files)
        return buffer.getvalue()

    def __reduce_ex__(self, protocol: Any) -> Any:
        kind, base = type(self).__bases__[0], original_class(type(self))
        if base is type(self):
            return super().__reduce_ex__(protocol)
        return _bare, (kind, base), self.__getstate__()

    @property
    def original_name(self) -> str:
        """The name of the class that was scripted."""
        return original_class(type(self)).__name__

    @property
    def code(self) -> str:
        """The source of `forward`: plain Python, where PyTorch prints TorchScript."""
        return _text(original_class(type(self)).forward)


class RecursiveScriptModule(ScriptModule):
    """What `script` gives of a module: it shares its parameters and buffers."""

    def _get_name(self) -> str:
        return "RecursiveScriptModule"

    def extra_repr(self) -> str:
        """The class that was scripted."""
        return f"original_name={self.original_name}"


class TracedModule(ScriptModule):
    """A submodule of what `trace` gives."""

    def _get_name(self) -> str:
        return self.original_name

    def extra_repr(self) -> str:
        """The class that was traced."""
        return f"original_name={self.original_name}"


class TopLevelTracedModule(TracedModule):
    """What `trace` gives of a module: it shares its parameters and buffers."""


KINDS = (RecursiveScriptModule, TopLevelTracedModule, TracedModule)


def original_class(cls: type) -> type:
    """The user's class behind a scripted one."""
    return cls.__bases__[1] if cls.__bases__[0] in KINDS else cls


@functools.cache
def _class_of(kind: type, base: type) -> type:
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__})


def _bare(kind: type, base: type) -> Any:
    """An instance without attributes: pickles and copies fill it."""
    return object.__new__(_class_of(kind, base))


def scripted(module: Module, kind: type, below: type, seen: dict[int, Any] | None = None) -> Any:
    """A copy of a module under TorchScript's classes, with the same parameters and buffers.

    Args:
        kind: the class above its own; `below`: that of its submodules.
    """
    seen = {} if seen is None else seen
    if id(module) in seen:
        return seen[id(module)]
    base = original_class(type(module))
    made = _bare(kind, base)
    seen[id(module)] = made
    own = {k: v.copy() if isinstance(v, dict) else v for k, v in vars(module).items()}
    for name, child in own["_modules"].items():
        if child is not None:
            own["_modules"][name] = scripted(child, below, below, seen)
    vars(made).update(own)
    return made


class ScriptFunction:
    """What `script` and `trace` give of a function: it runs as it is, and can be saved."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._torchscript_function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._torchscript_function(*args, **kwargs)

    @property
    def name(self) -> str:
        """The function's name."""
        return self._torchscript_function.__name__

    @property
    def qualified_name(self) -> str:
        """The name TorchScript gives it."""
        return f"__torch__.{self.name}"

    @property
    def code(self) -> str:
        """The function's source."""
        return _text(self._torchscript_function)

    save = ScriptModule.save
    save_to_buffer = ScriptModule.save_to_buffer
