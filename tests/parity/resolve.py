"""From a torch callable to the same callable of another engine.

A public torch object is found again by its dotted name. A Python wrapper of the databases (a
lambda around torch calls) is rebuilt with globals and closure in which `torch` means the engine.
What calls private torch code cannot be rebuilt and raises `Private`.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import torch
import torch.masked
import torch.signal
from torch._library.custom_ops import OPDEFS, CustomOpDef
from torch.testing._internal.opinfo.core import OpInfo

from .engine import Engine

# Public rooms of torch, in the order in which a name is preferred.
ROOMS = (
    "", "nn.functional", "linalg", "special", "fft", "masked", "signal.windows", "sparse", "nn",
    "nn.init", "nn.utils", "nn.utils.rnn", "nn.attention", "optim", "optim.lr_scheduler",
    "autograd", "autograd.function", "autograd.functional", "func", "distributions", "nested", "Tensor", "amp", "_higher_order_ops",
    "nn.attention.flex_attention",
)  # fmt: skip


class Private(Exception):
    """The callable leans on torch code that has no public name."""


def _lookup(path: str) -> Any:
    found: Any = torch
    for part in path.split(".") if path else ():
        found = getattr(found, part)
    return found


@functools.cache
def public_names() -> dict[int, str]:
    """`id` of every public torch callable and class -> its dotted path below torch."""
    names: dict[int, str] = {}
    for room in ROOMS:
        owner = _lookup(room)
        for name in dir(owner):
            dunder = name.startswith("__") and name.endswith("__")
            spread = name.startswith("_foreach_") and not room  # what averages of weights call
            if name.startswith("_") and not (dunder and room == "Tensor") and not spread:
                continue
            try:
                value = getattr(owner, name)
            except Exception:  # properties that refuse access on the class
                continue
            if callable(value) and not isinstance(value, types.ModuleType):
                names.setdefault(id(value), f"{room}.{name}" if room else name)
    return names


def path_of(value: Any) -> str | None:
    """The public dotted path of a torch object, or None."""
    path = public_names().get(id(value))
    return path if path is not None and _lookup(path) is value else None


def _names_in(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names_in(constant)
    return names


class _Absent:
    """Stands for a torch module that the engine lacks; only its use is an error."""

    def __init__(self, engine: Engine, path: str) -> None:
        self._where = (engine, path)

    def __getattr__(self, name: str) -> Any:
        engine, path = self._where
        return engine.get(f"{path}.{name}")


def _module(engine: Engine, module: types.ModuleType) -> Any:
    path = module.__name__.partition(".")[2]
    try:
        return engine.get(path)
    except Exception:
        return _Absent(engine, path)


class Translator:
    """Translates callables to one engine; `value` translates what they close over."""

    def __init__(self, engine: Engine, value: Callable[[Any], Any]) -> None:
        self.engine = engine
        self.value = value
        self.memo: dict[int, Any] = {}
        self.alive: list[Any] = []  # ids in the memo stay valid

    def __call__(self, function: Any) -> Any:
        if id(function) in self.memo:
            return self.memo[id(function)]
        made = self._translate(function)
        self.memo[id(function)] = made
        self.alive.append(function)
        return made

    def _translate(self, function: Any) -> Any:
        path = path_of(function)
        if path is not None:
            return self.engine.get(path)
        if isinstance(function, functools.partial):
            keywords = {key: self.value(item) for key, item in function.keywords.items()}
            return functools.partial(
                self(function.func), *map(self.value, function.args), **keywords
            )
        if isinstance(function, type) and issubclass(function, torch.autograd.Function):
            return self._function_class(function)
        if isinstance(function, types.MethodType) and isinstance(function.__self__, type):
            if issubclass(function.__self__, torch.autograd.Function):
                return getattr(self(function.__self__), function.__name__)
        if isinstance(function, (torch._ops.OpOverload, torch._ops.OpOverloadPacket)):
            if (
                known := OPDEFS.get(str(function).removesuffix(".default").replace(".", "::"))
            ) is None:
                raise Private(str(function))
            return self(known)
        if isinstance(function, CustomOpDef):
            return self._custom_op(function)
        module = getattr(function, "__module__", None) or ""
        if isinstance(function, types.FunctionType):
            if module.startswith("torch.") and not module.startswith("torch.testing."):
                raise Private(f"{module}.{function.__qualname__}")
            return self._rebuild(function)
        if module.startswith("torch.") or isinstance(function, types.MethodType):
            raise Private(f"{module}.{getattr(function, '__qualname__', function)}")
        return function

    def _rebuild(self, function: types.FunctionType) -> Any:
        if function.__name__ == "wrapper_set_seed":
            return self._seeded
        names = _names_in(function.__code__)
        private = {"aten", "_C", "_refs", "_VF"} & names
        if private:
            raise Private(f"{function.__qualname__} uses torch.{private.pop()}")
        scope: dict[str, Any] = {"__builtins__": __builtins__}
        for name in names:
            if name in function.__globals__:
                scope[name] = self._global(function.__globals__[name])
        cells = tuple(
            types.CellType(self._global(cell.cell_contents)) for cell in function.__closure__ or ()
        )
        made = types.FunctionType(
            function.__code__,
            scope,
            function.__name__,
            tuple(map(self._global, function.__defaults__ or ())) or None,
            cells,
        )
        if function.__kwdefaults__:
            made.__kwdefaults__ = {k: self._global(v) for k, v in function.__kwdefaults__.items()}
        return made

    def _function_class(self, source: type) -> Any:
        """A class of forward and backward, of the engine's `Function`."""
        parent = self.engine.get("autograd.Function")
        made = type(source.__name__, (parent,), {"__module__": source.__module__})
        self.memo[id(source)] = made  # its methods call `apply` of it
        for name, value in vars(source).items():
            if isinstance(value, staticmethod):
                function, wrapped = value.__func__, getattr(value.__func__, "__wrapped__", None)
                rebuilt = self._rebuild(wrapped or function)
                if wrapped is not None:  # torch's own decorator, the only one
                    rebuilt = self.engine.get("autograd.function.once_differentiable")(rebuilt)
                setattr(made, name, staticmethod(rebuilt))
            elif not name.startswith("__"):
                setattr(made, name, value)
        return made

    def _custom_op(self, source: CustomOpDef) -> Any:
        """A custom operation with its gradient, its shapes and its batching."""
        if self.engine.module is torch:
            return source
        schema = str(source._opoverload._schema)
        made = self.engine.get("library.custom_op")(
            source._qualname, self(source._init_fn), mutates_args=(),
            schema=schema[schema.index("(") :],
        )  # fmt: skip
        self.memo[id(source)] = made
        if source._abstract_fn is not None:
            made.register_fake(self(source._abstract_fn))
        if source._backward_fn is not None:
            setup = source._setup_context_fn
            made.register_autograd(
                self(source._backward_fn), setup_context=setup if setup is None else self(setup)
            )
        if source._vmap_fn is not None:
            made.register_vmap(self(source._vmap_fn))
        return made

    def _global(self, value: Any) -> Any:
        if isinstance(value, OpInfo):
            return value
        if isinstance(value, types.ModuleType):
            own = value.__name__.split(".")
            return _module(self.engine, value) if own[0] == "torch" else value
        if isinstance(value, type) and not value.__module__.startswith("torch"):
            return value
        if callable(value) and not isinstance(value, torch.nn.Module):
            return self(value)
        return self.value(value)

    def _seeded(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The databases' way to call a random operation: one fixed seed before it."""
        self.engine.seed(42)
        return op(*args, **kwargs)
