"""`Tracer`: runs a module or function on proxies and notes its calls. `wrap` names functions that
are noted as a whole."""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import math
import sys
import typing
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

from flambeau.core import overrides
from flambeau.core.tensor import Tensor
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node
from flambeau.fx.proxy import Proxy, TracerBase
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter
from flambeau.symbolic import _assert

__all__ = ["Tracer", "symbolic_trace", "wrap"]

STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
WRAPPED: dict[tuple[int, str], dict[str, Any]] = {}
"""(id of the module's names, name) -> those names."""


def wrap(fn_or_name: Any) -> Any:
    """Note calls of a function as a whole, instead of looking inside. At a module's top level only.

    Args:
        fn_or_name: the function (so `wrap` is a decorator), or its name in the calling module.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    name = fn_or_name.__name__ if callable(fn_or_name) else fn_or_name
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    WRAPPED[id(frame.f_globals), name] = frame.f_globals
    return fn_or_name


def _find_proxy(*values: Any) -> Proxy | None:
    for value in values:
        if isinstance(value, Proxy):
            return value
        if isinstance(value, (list, tuple)):
            found = _find_proxy(*value)
        elif isinstance(value, dict):
            found = _find_proxy(*value.values())
        else:
            continue
        if found is not None:
            return found
    return None


def _noting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which becomes one node where an argument is a proxy."""

    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        proxy = _find_proxy(args, kwargs)
        if proxy is None:
            return function(*args, **kwargs)
        made = proxy.tracer.create_proxy("call_function", function, args, kwargs)
        made.node.meta["is_wrapped"] = True
        return made

    return noted


class Tracer(TracerBase):
    """Makes a graph of a program. Subclasses say which modules are looked into.

    Args:
        autowrap_modules: Python modules whose functions are noted as a whole.
        autowrap_functions: functions that are.
        param_shapes_constant: shapes of parameters are plain numbers; they are here in any case.
    """

    def __init__(
        self,
        autowrap_modules: tuple[ModuleType, ...] = (math,),
        autowrap_functions: tuple[Callable[..., Any], ...] = (),
        param_shapes_constant: bool = False,
    ) -> None:
        self._modules_to_wrap = autowrap_modules
        self._functions_to_wrap = autowrap_functions
        self.param_shapes_constant = param_shapes_constant
        self.root: Any = None
        self._constants: dict[int, str] = {}

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether a module is one node: the library's own are, but containers are not."""
        from flambeau.nn import Sequential

        home = type(m).__module__
        return home.startswith(("flambeau.nn", "torch.nn")) and not isinstance(m, Sequential)

    def path_of_module(self, mod: Module) -> str:
        """The name of a submodule.

        Raises:
            NameError: it is none.
        """
        for name, module in self.root.named_modules():
            if module is mod:
                return str(name)
        raise NameError("module is not installed as a submodule")

    def call_module(
        self, m: Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What a call of a submodule gives: a node, or what its own calls give."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """What reading an attribute gives: parameters become nodes when they are used."""
        if isinstance(attr_val, Parameter) or (
            self.proxy_buffer_attributes and isinstance(attr_val, Tensor)
        ):
            for name, value in self.root.named_parameters(remove_duplicate=False):
                if value is attr_val:
                    if name not in parameter_proxy_cache:
                        parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
                    return parameter_proxy_cache[name]
        return attr_val

    def get_fresh_qualname(self, prefix: str) -> str:
        """A name that no attribute of the module has."""
        k = 0
        while hasattr(self.root, f"{prefix}{k}"):
            k += 1
        return f"{prefix}{k}"

    def create_arg(self, a: Any) -> Any:
        """A value as an argument of a node: tensors become attributes of the module."""
        if isinstance(a, Tensor):
            return self._attribute_of(a)
        if isinstance(a, Module):
            with contextlib.suppress(NameError):
                return self.create_node("get_attr", self.path_of_module(a), (), {})
        if isinstance(a, tuple) and not hasattr(a, "_fields"):
            return tuple(self.create_arg(x) for x in a)
        if isinstance(a, list):
            return [self.create_arg(x) for x in a]
        if isinstance(a, dict):
            return {k: self.create_arg(v) for k, v in a.items()}
        return super().create_arg(a)

    def _attribute_of(self, tensor: Tensor) -> Node:
        path = self._constants.get(id(tensor))
        if path is None:
            named = (
                *self.root.named_parameters(remove_duplicate=False),
                *self.root.named_buffers(remove_duplicate=False),
                *(
                    (f"{m}.{k}" if m else k, v)
                    for m, module in self.root.named_modules()
                    for k, v in vars(module).items()
                    if isinstance(v, Tensor)
                ),
            )
            path = next((name for name, value in named if value is tensor), None)
        if path is None:
            path = self.get_fresh_qualname("_tensor_constant")
            setattr(self.root, path, tensor)
            self._kept.append(tensor)
        self._constants[id(tensor)] = path
        return self.create_node("get_attr", path, (), {})

    def create_args_for_root(
        self, root_fn: Any, is_module: bool, concrete_args: dict[str, Any] | None = None
    ) -> tuple[Any, list[Any], dict[str, Any]]:
        """The function, and what it is called with: a proxy for each parameter."""
        signature = inspect.signature(root_fn)
        args: list[Any] = [self.root] if is_module else []
        named: dict[str, Any] = {}
        hints = _hints(root_fn)
        for k, (name, parameter) in enumerate(signature.parameters.items()):
            if is_module and k == 0:
                continue
            star = STARS.get(parameter.kind, "")
            if concrete_args is not None and name in concrete_args and not star:
                value: Any = self._specialised(name, parameter, concrete_args[name])
            else:
                default = () if parameter.default is parameter.empty else (parameter.default,)
                value = self.create_proxy(
                    "placeholder", f"{star}{name}", default, {}, type_expr=hints.get(name)
                )
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = value
            elif star == "*":
                args.append(_Starred(value))
            elif star == "**":
                named["**"] = value
            else:
                args.append(value)
        return root_fn, args, named

    def _specialised(self, name: str, parameter: inspect.Parameter, value: Any) -> Any:
        """The value a parameter is traced with; the program checks that it gets no other."""
        if not isinstance(value, (int, float, bool, str)) and value is not None:
            return value
        default = () if parameter.default is parameter.empty else (parameter.default,)
        given = self.create_proxy("placeholder", f"{name}_1", default, {})
        message = f"{name} has been specialized to have value {value} but got another value"
        if value is None:
            self.create_proxy("call_function", _assert_is_none, (given, message), {})
        elif not isinstance(value, str):
            same = given == value
            self.create_proxy("call_function", _assert, (same, message), {})
        return value

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> Graph:
        """The graph of a module's `forward`, or of a function."""
        overrides.cover()
        is_module = isinstance(root, Module)
        self.root = root if is_module else Module()
        function = getattr(type(root), self.traced_func_name) if is_module else root
        self.graph = Graph(tracer_cls=type(self))
        self._kept: list[Tensor] = []
        cache: dict[str, Any] = {}
        call, read = Module.__call__, Module.__getattr__

        def called(mod: Module, *args: Any, **kwargs: Any) -> Any:
            return self.call_module(mod, functools.partial(call, mod), args, kwargs)

        def looked_up(mod: Module, name: str) -> Any:
            return self.getattr(name, read(mod, name), cache)

        function, args, named = self.create_args_for_root(function, is_module, concrete_args)
        with (
            mock.patch.object(Module, "__call__", called),
            mock.patch.object(Module, "__getattr__", looked_up),
            self._wrapped(function),
        ):
            result = _call(function, args, named)
            hint = _hints(function).get("return")
            self.create_node("output", "output", (self.create_arg(result),), {}, type_expr=hint)
        return self.graph

    @contextlib.contextmanager
    def _wrapped(self, function: Any) -> Iterator[None]:
        """The block in which the functions to be noted as a whole are."""
        with contextlib.ExitStack() as stack:

            def patch(names: dict[str, Any], name: str, value: Any) -> None:
                stack.enter_context(mock.patch.dict(names, {name: _noting(value)}))

            for (_, name), names in WRAPPED.items():
                whole = names.get(name, getattr(builtins, name, None))
                if whole is not None:
                    patch(names, name, whole)
            for module in self._modules_to_wrap:
                for name, value in list(vars(module).items()):
                    if not name.startswith("_") and callable(value):
                        patch(vars(module), name, value)
            names = getattr(function, "__globals__", {})
            for each in self._functions_to_wrap:
                for name, value in list(names.items()):
                    if value is each:
                        patch(names, name, value)
            yield


def _hints(function: Any) -> dict[str, Any]:
    """The annotations that say something."""
    try:
        found = typing.get_type_hints(function)
    except (NameError, TypeError):
        found = dict(getattr(function, "__annotations__", {}))
    return {name: hint for name, hint in found.items() if hint is not Any}


class _Starred:
    """The proxy of ``*args``, spread when the function is called."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy


def _call(function: Any, args: list[Any], named: dict[str, Any]) -> Any:
    """Call, with the tuple and the dictionary of ``*args`` and ``**kwargs`` proxies themselves."""
    star = next((a.proxy for a in args if isinstance(a, _Starred)), None)
    double = named.pop("**", None)
    if star is None and double is None:
        return function(*args, **named)
    plain = [a for a in args if not isinstance(a, _Starred)]
    flags = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    code = function.__code__
    extra = [*named.values(), *(x for x in (star, double) if x is not None)]
    bare = FunctionType(
        code.replace(
            co_flags=code.co_flags & ~flags,
            co_argcount=code.co_argcount
            + code.co_kwonlyargcount
            + bool(code.co_flags & inspect.CO_VARARGS)
            + bool(code.co_flags & inspect.CO_VARKEYWORDS),
            co_kwonlyargcount=0,
        ),
        function.__globals__,
        function.__name__,
        None,
        function.__closure__,
    )
    return bare(*plain, *extra)


def _assert_is_none(value: Any, msg: str) -> None:
    """Refuse anything but None.

    Raises:
        AssertionError: it is something.
    """
    assert value is None, msg


def symbolic_trace(root: Any, concrete_args: dict[str, Any] | None = None) -> GraphModule:
    """A module or function as a GraphModule.

    Args:
        root: what is traced.
        concrete_args: parameter -> value, for those the program decides by.

    Raises:
        TraceError: the program decides by a value that is not known while it is traced.
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
