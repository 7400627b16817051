"""Symbolic tracing: a module or function is called with proxies, and what it does is recorded.

For the time of a trace, functions of the public rooms and of `math`, modules' calls and their
attributes are watched. Stands on graph, proxy and nn.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.names import rooms
from flambeau.fx.node import Node, map_aggregate
from flambeau.fx.proxy import PH, Proxy, TraceError, proxies_in
from flambeau.nn import Module, Parameter, Sequential

__all__ = ["Tracer", "symbolic_trace", "wrap"]

_WRAPPED: dict[tuple[int, str], dict[str, Any]] = {}
"""Names that `wrap` keeps whole, with the globals in which they are looked up."""
PLAIN = (
    str,
    int,
    float,
    bool,
    complex,
    type(None),
    type(...),
    flambeau.dtype,
    flambeau.device,
    flambeau.layout,
    flambeau.memory_format,
    range,
    slice,
    flambeau.Size,
)


def wrap(fn_or_name: str | Callable[..., Any]) -> Any:
    """Record calls of a function of the calling module as they are, instead of tracing into it.

    Args:
        fn_or_name: the function (as a decorator), or a global name, built-in ones too.

    Raises:
        RuntimeError: neither a function nor a name.
        NotImplementedError: called inside a function.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise fail(
            RuntimeError,
            "fx.wrap",
            "Unsupported type for global function! Must be either a callable or string name",
        )
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise fail(
            NotImplementedError, "fx.wrap", "wrap must be called at the top level of a module"
        )
    _WRAPPED[id(frame.f_globals), name] = frame.f_globals
    return fn_or_name


class _Patches:
    """Names that are bound to something else for the time of a trace."""

    def __init__(self) -> None:
        self.kept: list[tuple[Any, str, Any]] = []

    def put(self, names: dict[str, Any], name: str, value: Any) -> None:
        """Bind a name in a dictionary."""
        self.kept.append((names, name, names.get(name, _Patches)))
        names[name] = value

    def set(self, owner: type, name: str, value: Any) -> None:
        """Bind a class's attribute."""
        self.kept.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Bind everything as it was, the last first."""
        for owner, name, value in reversed(self.kept):
            if isinstance(owner, type):
                setattr(owner, name, value)
            elif value is _Patches:
                del owner[name]
            else:
                owner[name] = value


def _recorded(function: Callable[..., Any], whole: bool) -> Callable[..., Any]:
    """The function; a call with proxies becomes a node. `whole`: it is so because of `wrap`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = proxies_in((args, kwargs))
        if found:
            made = found[0].tracer.create_proxy("call_function", function, args, kwargs)
            if whole:
                made.node.meta["is_wrapped"] = True
            return made
        return function(*args, **kwargs)

    return call


class Tracer:
    """Records programs; subclasses say what is a leaf (`is_leaf_module`) and how nodes are made.

    Args:
        autowrap_modules: Python modules whose functions are recorded as calls.
        autowrap_functions: functions to record as calls.
        param_shapes_constant: kept for compatibility; shapes of parameters are recorded.
    """

    proxy_buffer_attributes = False

    def __init__(
        self,
        autowrap_modules: tuple[ModuleType, ...] = (math,),
        autowrap_functions: tuple[Callable[..., Any], ...] = (),
        param_shapes_constant: bool = False,
    ) -> None:
        self.autowrap_modules = autowrap_modules
        self.autowrap_functions = autowrap_functions
        self.param_shapes_constant = param_shapes_constant
        self.root: Module = Module()
        self.graph = Graph()
        self.module_stack: dict[str, Any] = {}

    # what subclasses change

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether calls of the module are recorded whole: PyTorch's own modules but Sequential."""
        home = type(m).__module__
        return home.startswith(("torch.nn", "flambeau.nn")) and not isinstance(m, Sequential)

    def call_module(
        self, m: Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """A call of a submodule: a node for a leaf, else what its `forward` does."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """An attribute of a module: a parameter becomes a node."""
        named: Iterator[tuple[str, flambeau.Tensor]]
        if isinstance(attr_val, Parameter):
            named = self.root.named_parameters()
        elif self.proxy_buffer_attributes and isinstance(attr_val, flambeau.Tensor):
            named = self.root.named_buffers()
        else:
            return attr_val
        for name, each in named:
            if each is attr_val:
                if name not in parameter_proxy_cache:
                    parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
                return parameter_proxy_cache[name]
        return attr_val

    def create_node(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A node of the graph."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node: Node) -> Proxy:
        """The proxy of a node."""
        return Proxy(node, self)

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str | None = None,
        type_expr: Any = None,
        proxy_factory_fn: Callable[[Node], Proxy] | None = None,
    ) -> Any:
        """A node of these arguments, and its proxy."""
        node = self.create_node(
            kind, target, self.create_arg(args), self.create_arg(kwargs), name, type_expr
        )
        return (proxy_factory_fn or self.proxy)(node)

    def to_bool(self, obj: Proxy) -> bool:
        """The truth of a value.

        Raises:
            TraceError: it is not known.
        """
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """A loop over a value.

        Raises:
            TraceError: its length is not known.
        """
        raise TraceError(
            "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a "
            "loop or as a *args or **kwargs function argument. See the torch.fx docs on "
            "pytorch.org for a more detailed explanation of what types of control flow can be "
            "traced, and check out the Proxy docstring for help troubleshooting Proxy iteration "
            "errors"
        )

    def keys(self, obj: Proxy) -> Any:
        """What ``**value`` asks for: recorded as an attribute."""
        return getattr(obj, "keys")()  # noqa: B009  (the proxy's own `keys` calls this)

    # arguments

    def path_of_module(self, mod: Module) -> str:
        """The dotted name of a submodule.

        Raises:
            NameError: it is not in the root.
        """
        for name, each in self.root.named_modules():
            if each is mod:
                return name
        raise fail(NameError, "fx.Tracer", "module is not installed as a submodule")

    def create_arg(self, a: Any) -> Any:
        """An argument as a node keeps it: proxies as their nodes, tensors as attributes.

        Raises:
            NotImplementedError: a value that code cannot write.
        """
        return map_aggregate(a, self._leaf)

    def _leaf(self, a: Any) -> Any:
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, (Node, *PLAIN)):
            return a
        if isinstance(a, Parameter):
            for name, each in self.root.named_parameters():
                if each is a:
                    return self.create_node("get_attr", name, (), {})
            raise fail(NameError, "fx.Tracer", "parameter is not a member of this module")
        if isinstance(a, flambeau.Tensor):
            for name, buffer in self.root.named_buffers():
                if buffer is a:
                    return self.create_node("get_attr", name, (), {})
            return self._constant("_tensor_constant", a)
        if isinstance(a, Module):
            return self._constant("_module_constant", a)
        if isinstance(a, (type, FunctionType)) or callable(a):
            return a
        if hasattr(type(a), "_member_map_"):  # an enum
            return a
        raise fail(NotImplementedError, "fx.Tracer", f"argument of type: {type(a)}")

    def _constant(self, prefix: str, value: Any) -> Node:
        for name, each in vars(self.root).items():
            if name.startswith(prefix) and each is value:
                return self.create_node("get_attr", name, (), {})
        number = 0
        while hasattr(self.root, f"{prefix}{number}"):
            number += 1
        setattr(self.root, f"{prefix}{number}", value)
        return self.create_node("get_attr", f"{prefix}{number}", (), {})

    # the trace

    def trace(
        self, root: Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None
    ) -> Graph:
        """The graph of a module's `forward`, or of a function.

        Args:
            root: what is traced.
            concrete_args: values of parameters, by name; they are put into the graph.
        """
        if isinstance(root, Module):
            self.root, function = root, type(root).forward
        else:
            self.root, function = Module(), root
        self.graph = Graph(tracer_cls=type(self))
        plain = inspect.unwrap(function)
        called, args = self._inputs(plain, isinstance(root, Module), concrete_args or {})
        patches = _Patches()
        self._patch(patches, self._homes(plain))
        try:
            result = called(*args)
            self.create_node("output", "output", (self.create_arg(result),), {})
        finally:
            patches.undo()
        return self.graph

    def _inputs(
        self, function: Any, is_module: bool, concrete: dict[str, Any]
    ) -> tuple[Any, list[Any]]:
        """The function with all its parameters positional, and a placeholder for each.

        ``*args`` and ``**kwargs`` become one value each, which the graph passes on whole.
        """
        code = function.__code__
        count = code.co_argcount + code.co_kwonlyargcount
        stars = [""] * count + ["*"] * bool(code.co_flags & inspect.CO_VARARGS)
        stars += ["**"] * bool(code.co_flags & inspect.CO_VARKEYWORDS)
        rest = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
        flat = code.replace(
            co_argcount=len(stars), co_kwonlyargcount=0, co_flags=code.co_flags & ~rest
        )
        called = FunctionType(flat, function.__globals__, closure=function.__closure__)
        defaults = {
            name: value.default
            for name, value in inspect.signature(function).parameters.items()
            if value.default is not value.empty
        }
        args: list[Any] = [self.root] if is_module else []
        names = list(zip(stars, code.co_varnames, strict=False))
        for star, name in names[len(args) :]:
            default = (self.create_arg(defaults[name]),) if name in defaults else ()
            if name in concrete and concrete[name] is not PH:
                made = self.create_proxy("placeholder", f"{name}_1", default, {})
                args.append(self._fixed(made, name, concrete[name]))
            else:
                args.append(self.create_proxy("placeholder", star + name, default, {}))
        return called, args

    def _fixed(self, proxy: Proxy, name: str, value: Any) -> Any:
        """A parameter's concrete value; the graph asserts that it is called with it."""
        message = f"{name} has been specialized to have value {value} but got another value"
        if value is None:
            self.create_proxy("call_function", _assert_is_none, (proxy, message), {})
        elif isinstance(value, (bool, int, float, str)):
            same = proxy == value
            self.create_proxy("call_function", flambeau._assert, (same, message), {})
        return value

    def _homes(self, function: Any) -> list[dict[str, Any]]:
        """The globals of what is traced: names there may be bound to public functions."""
        forwards = [function, *(type(module).forward for module in self.root.modules())]
        homes = [getattr(inspect.unwrap(each), "__globals__", {}) for each in forwards]
        library = tuple(vars(sys.modules[n]) for n in sys.modules if n.startswith("flambeau."))
        return [h for h in {id(h): h for h in homes}.values() if not any(h is x for x in library)]

    def _patch(self, patches: _Patches, homes: list[dict[str, Any]]) -> None:
        """Watch modules' attributes and calls, and every function that is recorded."""
        tracer = self
        reads: dict[str, Any] = {}
        read, call = Module.__getattr__, Module.__call__

        @functools.wraps(read)
        def getattribute(module: Module, attr: str) -> Any:
            return tracer.getattr(attr, read(module, attr), reads)

        @functools.wraps(call)
        def called(module: Module, *args: Any, **kwargs: Any) -> Any:
            def forward(*args: Any, **kwargs: Any) -> Any:
                return call(module, *args, **kwargs)

            return tracer.call_module(module, forward, args, kwargs)

        patches.set(Module, "__getattr__", getattribute)
        patches.set(Module, "__call__", called)
        public = {
            id(value): _recorded(value, False)
            for room in rooms().values()
            for name, value in vars(room).items()
            if isinstance(value, FunctionType) and not name.startswith("__")
        }
        automatic = [vars(module) for module in self.autowrap_modules]
        for value in (*self.autowrap_functions, *(f for home in automatic for f in home.values())):
            if callable(value) and not isinstance(value, type):
                public[id(value)] = _recorded(value, True)
        for room in (*map(vars, rooms().values()), *automatic, *homes):
            for name, value in list(room.items()):
                if id(value) in public and not name.startswith("__"):
                    patches.put(room, name, public[id(value)])
        for (_, name), home in _WRAPPED.items():
            original = home.get(name, getattr(builtins, name, None))
            if original is not None:
                patches.put(home, name, _recorded(original, True))


def _assert_is_none(value: Any, msg: str) -> None:
    """What graphs call where an argument was None while they were traced.

    Raises:
        AssertionError: it is something now.
    """
    if value is not None:
        raise AssertionError(msg)


def symbolic_trace(
    root: Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None
) -> GraphModule:
    """The graph of a module or function, as a module that runs it.

    Args:
        root: what is traced.
        concrete_args: values of parameters, by name; they are put into the graph.
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
