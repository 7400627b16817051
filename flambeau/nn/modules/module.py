"""Module: the base of all layers. Registration, attributes, the call, text and pickling.

Its other parts stand beside: hooks (``_hooks``), state dictionaries (``_state``), walks
(``_tree``), conversions (``_convert``). A module holds three tables, ``_parameters``,
``_buffers`` and ``_modules``; assigning an attribute fills them, reading one looks into them.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import Any, TypeVar

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import MODULE_CALLS
from flambeau.core.tensor import Tensor
from flambeau.nn.modules import _hooks
from flambeau.nn.modules._convert import Conversions
from flambeau.nn.modules._hooks import (
    HookedCall,
    _global_backward_hooks,
    _global_backward_pre_hooks,
    _global_forward_hooks,
    _global_forward_pre_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from flambeau.nn.modules._state import _EXTRA_STATE_KEY_SUFFIX as _EXTRA_STATE_KEY_SUFFIX
from flambeau.nn.modules._state import StateDict
from flambeau.nn.modules._state import _IncompatibleKeys as _IncompatibleKeys
from flambeau.nn.modules._tree import Tree
from flambeau.nn.parameter import Buffer, Parameter

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

T = TypeVar("T", bound="Module")

# Tables that modules pickled by older versions lack.
LIBRARY_ROOMS = ("flambeau.nn.", "torch.nn.")
"""Where the library's own modules are defined, under either name."""
_TABLES = (
    "_backward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class _Member:
    """Reads a registered member through its class: 0.16 us, through ``__getattr__`` 0.73 us.

    No data descriptor: an instance attribute of the name comes first, and a missing member goes
    on to ``__getattr__``, so nothing but the time differs.
    """

    __slots__ = ("name", "table")

    def __init__(self, table: str, name: str) -> None:
        self.table = table
        self.name = name

    def __get__(self, module: Any, owner: Any = None) -> Any:
        if module is None:
            return self
        try:
            return module.__dict__[self.table][self.name]
        except KeyError:
            raise AttributeError(self.name) from None


def _ease_reading(cls: type, table: str, name: str) -> None:
    """Put a ``_Member`` into a user's class, unless the name means something there already.

    The library's own classes read their tables directly, and a class that overrides
    ``__getattr__`` wants to be asked.
    """
    if name in cls.__dict__ or cls.__module__.startswith(LIBRARY_ROOMS):
        return
    if cls.__getattr__ is not Module.__getattr__ or not name.isidentifier():
        return
    if not any(name in base.__dict__ for base in cls.__mro__):
        setattr(cls, name, _Member(table, name))


class Module(HookedCall, StateDict, Tree, Conversions):
    """The base class of layers and models: state and a forward computation.

    Subclasses call ``super().__init__()`` first, assign parameters and submodules as attributes,
    and define ``forward``. Calling the module runs ``forward`` and its hooks.

    Example:
        >>> import flambeau as torch
        >>> class Double(torch.nn.Module):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> Double()(torch.ones(2))
        tensor([2., 2.])
    """

    dump_patches: bool = False
    _version: int = 1
    training: bool
    call_super_init: bool = False
    _compiled_call_impl: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            name = type(self).__name__
            if kwargs:
                first = next(iter(kwargs))
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{first}'")
            raise TypeError(
                f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        # Straight into __dict__: none of these needs the registration rules of __setattr__.
        tables = self.__dict__
        tables["training"] = True
        tables["_parameters"] = {}
        tables["_buffers"] = {}
        tables["_non_persistent_buffers_set"] = set()
        tables["_backward_pre_hooks"] = OrderedDict()
        tables["_backward_hooks"] = OrderedDict()
        tables["_is_full_backward_hook"] = None
        tables["_forward_hooks"] = OrderedDict()
        tables["_forward_hooks_with_kwargs"] = OrderedDict()
        tables["_forward_hooks_always_called"] = OrderedDict()
        tables["_forward_pre_hooks"] = OrderedDict()
        tables["_forward_pre_hooks_with_kwargs"] = OrderedDict()
        tables["_state_dict_hooks"] = OrderedDict()
        tables["_state_dict_pre_hooks"] = OrderedDict()
        tables["_load_state_dict_pre_hooks"] = OrderedDict()
        tables["_load_state_dict_post_hooks"] = OrderedDict()
        tables["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """The computation of a call; every subclass defines it."""
        raise fail(
            NotImplementedError,
            type(self).__name__,
            f'Module [{type(self).__name__}] is missing the required "forward" function. Define '
            "forward(self, ...) in the class (check its spelling and indentation).",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # One attribute read and four look-ups (0.1 us) where nothing is hooked. `__dict__` is
        # read once: any attribute of a class with __getattr__ costs as much as all look-ups.
        tables = self.__dict__
        try:
            hooked = (
                tables["_forward_hooks"]
                or tables["_forward_pre_hooks"]
                or tables["_backward_hooks"]
                or tables["_backward_pre_hooks"]
                or _global_forward_hooks
                or _global_forward_pre_hooks
                or _global_backward_hooks
                or _global_backward_pre_hooks
                or "_compiled_call_impl" in tables
            )
        except KeyError:  # __init__ was not called
            hooked = self._forward_hooks
        if hooked:
            compiled = self._compiled_call_impl
            return (self._call_impl if compiled is None else compiled)(*args, **kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """The call without a compiled form: hooks if there are any, and forward."""
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _hooks._has_any_global_hook()
        ):
            return self._run_hooked(args, kwargs)
        return self.forward(*args, **kwargs)

    def _wrapped_call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return Module.__call__(self, *args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile this module's call with ``flambeau.compile`` (same arguments), in place."""
        self.__dict__["_compiled_call_impl"] = flambeau.compile(self._call_impl, *args, **kwargs)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that is state, no weight.

        Args:
            name: the attribute; no dot, not empty, not yet in use.
            tensor: the values; None reserves the name and is left out of ``state_dict``.
            persistent: whether it is part of ``state_dict``.

        Raises:
            AttributeError: before ``super().__init__()``.
            TypeError, KeyError: see ``name`` and ``tensor``.
        """
        if "_buffers" not in self.__dict__:
            raise _too_early(self, "buffer")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not _tensor_like(tensor):
            raise fail(
                TypeError,
                f"{type(self).__name__}.register_buffer",
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or "
                "None required)",
            )
        for hook in _hooks._global_buffer_registration_hooks.values():
            replaced = hook(self, name, tensor)
            tensor = tensor if replaced is None else replaced
        self._buffers[name] = tensor
        _ease_reading(type(self), "_buffers", name)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a weight.

        Args:
            name: the attribute; no dot, not empty, not yet in use.
            param: a leaf; None reserves the name.

        Raises:
            AttributeError: before ``super().__init__()``.
            TypeError, KeyError: see ``name`` and ``param``.
            ValueError: ``param`` is the result of an operation.
        """
        if "_parameters" not in self.__dict__:
            raise _too_early(self, "parameter")
        self._check_name("parameter", name, self._parameters)
        if param is None:
            self._parameters[name] = None
            return
        operation = f"{type(self).__name__}.register_parameter"
        if not isinstance(param, Parameter):
            raise fail(
                TypeError,
                operation,
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)",
            )
        if param.grad_fn is not None:
            raise fail(
                ValueError,
                operation,
                f"Cannot assign non-leaf Tensor to parameter '{name}'. A parameter is no result "
                f"of another tensor: compute '{name}' in forward() instead.",
            )
        for hook in _hooks._global_parameter_registration_hooks.values():
            replaced = hook(self, name, param)
            param = param if replaced is None else replaced
        self._parameters[name] = param
        _ease_reading(type(self), "_parameters", name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a submodule under a name that need not be known when the code is written.

        Raises:
            TypeError: no Module and not None, or the name is no string.
            KeyError: the name has a dot, is empty or in use.
        """
        if module is not None and not isinstance(module, Module):
            raise fail(
                TypeError,
                f"{type(self).__name__}.add_module",
                f"{_typename(module)} is not a Module subclass",
            )
        self._check_name("module", name, self._modules)
        self._modules[name] = self._module_hooked(name, module)
        _ease_reading(type(self), "_modules", name)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: Any, table: dict[str, Any]) -> None:
        """The rules for a registered name."""
        operation = f"{type(self).__name__}.register_{kind}"
        if not isinstance(name, str):
            message = f"{kind} name should be a string. Got {_typename(name)}"
            raise fail(TypeError, operation, message)
        if "." in name:
            raise fail(KeyError, operation, f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise fail(KeyError, operation, f'{kind} name can\'t be empty string ""')
        if name not in table and self._has(name):
            raise fail(KeyError, operation, f"attribute '{name}' already exists")

    def _has(self, name: str) -> bool:
        """`hasattr`, without the words of an error where nothing can have it."""
        kind, tables = type(self), self.__dict__
        if kind.__getattr__ is Module.__getattr__ and not hasattr(kind, name):
            members = (tables, tables["_parameters"], tables["_buffers"], tables["_modules"])
            return any([name in each for each in members])
        return hasattr(self, name)

    def _module_hooked(self, name: str, module: Any) -> Any:
        for hook in _hooks._global_module_registration_hooks.values():
            replaced = hook(self, name, module)
            module = module if replaced is None else replaced
        return module

    def __getattr__(self, name: str) -> Any:
        tables = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in tables and name in tables[table]:
                return tables[table][name]
        owner = type(self).__name__
        message = f"'{owner}' object has no attribute '{name}'"
        if isinstance(getattr(type(self), name, None), property):
            message += f": its property '{name}' raised an AttributeError of its own"
        elif "_parameters" not in tables:
            message += f". {owner}.__init__ has not called super().__init__() yet"
        raise AttributeError(message, name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        tables = self.__dict__
        parameters = tables.get("_parameters")
        if isinstance(value, Tensor) and isinstance(value, Parameter):
            if parameters is None:
                raise _too_early(self, "parameters")
            self._forget(name, tables, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise _wrong_kind(self, value, "parameter", name, "torch.nn.Parameter or None")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in tables:
                raise _too_early(self, "module")
            self._forget(name, tables, "_parameters", "_buffers")
            tables["_modules"][name] = self._module_hooked(name, value)
            _ease_reading(type(self), "_modules", name)
        elif parameters is not None and name in tables["_modules"]:
            if value is not None:
                raise _wrong_kind(self, value, "child module", name, "torch.nn.Module or None")
            tables["_modules"][name] = self._module_hooked(name, value)
        elif (parameters is not None and name in tables["_buffers"]) or (
            isinstance(value, Tensor) and isinstance(value, Buffer)
        ):
            if value is not None and not _tensor_like(value):
                expected = "torch.nn.Buffer, torch.Tensor or None"
                raise _wrong_kind(self, value, "buffer", name, expected)
            self._assign_buffer(name, value)
        else:
            object.__setattr__(self, name, value)

    def _assign_buffer(self, name: str, value: Any) -> None:
        """Register an assigned buffer, through an overridden ``register_buffer`` too."""
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        method = self.register_buffer
        if getattr(method, "__func__", None) is not Module.register_buffer:
            # A subclass may override it without the argument: then every buffer persists.
            if "persistent" not in inspect.signature(method).parameters:
                if not persistent:
                    raise fail(
                        RuntimeError,
                        f"{type(self).__name__}.register_buffer",
                        "Registering a non-persistent buffer on a Module subclass that "
                        "implements register_buffer() without the persistent argument is not "
                        "allowed.",
                    )
                method(name, value)
                return
        method(name, value, persistent)

    def _forget(self, name: str, tables: dict[str, Any], *others: str) -> None:
        """Remove a name that is about to be another kind of member."""
        tables.pop(name, None)
        for other in others:
            tables[other].pop(name, None)
        tables["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for table in _TABLES:
            if table not in self.__dict__:
                self.__dict__[table] = OrderedDict()
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    def _replicate_for_data_parallel(self: T) -> T:
        """A copy whose parameters are the original's, for a device of its own."""
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica

    def train(self: T, mode: bool = True) -> T:
        """Set training mode (dropout, batch statistics) for this module and its descendants.

        Raises:
            ValueError: ``mode`` is no bool.
        """
        if not isinstance(mode, bool):
            raise fail(
                ValueError,
                f"{type(self).__name__}.train",
                "training mode is expected to be boolean: train(), train(True) or train(False).",
            )
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: T) -> T:
        """Set evaluation mode; the same as ``train(False)``."""
        return self.train(False)

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's text; override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({lines[0]})"
        for name, module in self._modules.items():
            lines.append(f"({name}): {_addindent(repr(module), 2)}")
        if not lines:
            return f"{self._get_name()}()"
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)"

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__]
        names += [*self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())


MODULE_CALLS.add(Module.__call__.__code__)


def _addindent(text: str, spaces: int) -> str:
    """Indent all lines but the first."""
    return text.replace("\n", "\n" + " " * spaces)


def _typename(value: Any) -> str:
    """The qualified name of a value's type, as PyTorch's messages give it."""
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    if kind.__module__ in ("builtins", "__main__", None):
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def _tensor_like(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "__torch_function__")


def _too_early(module: Module, kind: str) -> BaseException:
    name = type(module).__name__
    return fail(
        AttributeError,
        name,
        f"cannot assign {kind} before Module.__init__() call. Begin {name}.__init__ with "
        "super().__init__().",
    )


def _wrong_kind(module: Module, value: Any, kind: str, name: str, expected: str) -> BaseException:
    return fail(
        TypeError,
        type(module).__name__,
        f"cannot assign '{_typename(value)}' as {kind} '{name}' ({expected} expected)",
    )
