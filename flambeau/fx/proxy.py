"""`Proxy`: stands for a value while a program is traced; what it is asked becomes nodes."""

from __future__ import annotations

import dis
import inspect
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

from flambeau.core import overrides
from flambeau.core.device import device
from flambeau.core.dtypes import dtype
from flambeau.core.layout import layout, memory_format
from flambeau.core.tensor import Tensor
from flambeau.fx.graph import Graph
from flambeau.fx.node import Node, map_aggregate, qualified_name

__all__ = ["Attribute", "Proxy", "TraceError", "TracerBase"]

CONSTANTS = (str, int, float, bool, complex, dtype, Tensor, device, memory_format, layout, range)
# Functions of torch.nn.functional that PyTorch compiles: their arguments are noted as they come.
COMPILED = frozenset(
    """adaptive_avg_pool1d avg_pool1d avg_pool2d avg_pool3d bilinear celu_ channel_shuffle conv1d
    conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity
    elu_ gelu hardshrink hardtanh_ leaky_relu_ linear logsigmoid native_channel_shuffle one_hot
    pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu relu_ rrelu_
    scaled_dot_product_attention selu_ softplus softshrink threshold_""".split()
)


class TraceError(ValueError):
    """The program decides by a value that is not known while it is traced."""


class TracerBase:
    """What a tracer has to do for proxies: make nodes of what they are asked."""

    graph: Graph
    record_stack_traces = False
    check_mutable_operations = False
    trace_asserts = False
    proxy_buffer_attributes = False
    traced_func_name = "forward"

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
        """The value that stands for a node."""
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
    ) -> Proxy:
        """A node, and the value that stands for it."""
        node = self.create_node(
            kind, target, self.create_arg(tuple(args)), self.create_arg(dict(kwargs)), name,
            type_expr,
        )  # fmt: skip
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a: Any) -> Any:
        """A value as an argument of a node.

        Raises:
            NotImplementedError: values of this type cannot stand in a graph.
        """

        def leaf(x: Any) -> Any:
            if isinstance(x, Proxy):
                return x.node
            if isinstance(x, (Node, *CONSTANTS)) or x is None or x is ...:
                return x
            if isinstance(x, type) or (callable(x) and inspect.isfunction(x)):
                return x
            raise NotImplementedError(f"argument of type: {type(x)}")

        return map_aggregate(a, leaf)

    def to_bool(self, obj: Proxy) -> bool:
        """Whether the value is true.

        Raises:
            TraceError: always; it is not known.
        """
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def keys(self, obj: Proxy) -> Any:
        """The keys for ``**value``: another value to be found when the program runs."""
        return Attribute(obj, "keys")()

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """The members, where the program says how many it takes.

        Raises:
            TraceError: it does not.
        """
        frame = sys._getframe(2)
        code = list(dis.get_instructions(frame.f_code))
        at = next((k for k, i in enumerate(code) if i.offset == frame.f_lasti), None)
        for step in (0, 1, 2):  # the interpreter may stand at the call or before the unpacking
            if at is not None and at + step < len(code):
                if code[at + step].opname == "UNPACK_SEQUENCE":
                    count = int(code[at + step].argval)
                    return iter([operator.getitem(obj, k) for k in range(count)])  # type: ignore[call-overload]
        raise TraceError(
            "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a "
            "loop or as a *args or **kwargs function argument: write the length out, or wrap the "
            "function with torch.fx.wrap."
        )


class GraphAppendingTracer(TracerBase):
    """Appends to a graph that is there already."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph


class Proxy:
    """Stands for the result of a node.

    Args:
        node: the node. tracer: what makes new ones; by default they go to the node's graph.
    """

    def __init__(self, node: Node, tracer: TracerBase | None = None) -> None:
        overrides.cover()  # also where somebody builds a graph without tracing a function
        self.node = node
        self.tracer: TracerBase = tracer or GraphAppendingTracer(node.graph)

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Attribute(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        return self.tracer.iter(self)

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)

    def __abs__(self) -> Proxy:
        return self.tracer.create_proxy("call_function", abs, (self,), {})

    def __len__(self) -> int:
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be "
            "recorded, please call torch.fx.wrap('len') at module scope"
        )

    def keys(self) -> Any:
        """The keys for ``**value``."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(
        cls, orig_method: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        found: list[Proxy] = []
        map_aggregate(
            (tuple(args), dict(kwargs)), lambda x: found.append(x) if isinstance(x, Proxy) else None
        )
        tracer = found[0].tracer
        name = _method_name(orig_method, args)
        if name is not None:
            return tracer.create_proxy("call_method", name, tuple(args), kwargs)
        function, args, kwargs = _public_call(orig_method, tuple(args), kwargs)
        return tracer.create_proxy("call_function", function, args, kwargs)


def _method_name(function: Any, args: Any) -> str | None:
    """The method's name, where a tensor was asked and not a function called."""
    name = getattr(getattr(function, "operation", None), "name", "") or getattr(
        function, "__name__", ""
    )
    if args and isinstance(args[0], Tensor) and hasattr(Tensor, name):
        return name
    return None


def _public_call(function: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
    """The public function and its arguments as PyTorch notes them: of functions written in Python,
    those with defaults by name."""
    name = qualified_name(function)
    room, _, short = name.rpartition(".")
    if room == "torch.functional" or (room == "torch.nn.functional" and short not in COMPILED):
        try:
            bound = inspect.signature(function).bind(*args, **kwargs)
        except (TypeError, ValueError):
            return function, args, kwargs
        bound.apply_defaults()
        position: list[Any] = []
        named: dict[str, Any] = {}
        for key, parameter in bound.signature.parameters.items():
            value = bound.arguments[key]
            if parameter.kind is parameter.VAR_POSITIONAL:
                position.extend(value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                named.update(value)
            elif parameter.default is parameter.empty or key == "split_size_or_sections":
                position.append(value)
            elif not key.startswith("_") and key != "split_size":
                named[key] = value
        return function, tuple(position), named
    return function, _without_defaults(function, args), kwargs


def _without_defaults(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments less those at the end that are what they are by default anyway."""
    operation = getattr(function, "operation", None)
    if operation is None:
        return args
    count = len(args)
    while 1 < count <= len(operation.names):
        name = operation.names[count - 1]
        if name not in operation.defaults or args[count - 1] is not operation.defaults[name]:
            break
        count -= 1
    return args[:count]


class Attribute(Proxy):
    """An attribute of a value: read when it is used, a method when it is called."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node that reads the attribute, made now if there is none."""
        if self._node is None:
            made = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {})
            self._node = made.node
        return self._node

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def _operator(name: str, reflected: bool) -> Callable[..., Any]:
    function = getattr(operator, name)

    def forward(self: Proxy, *args: Any) -> Proxy:
        return self.tracer.create_proxy("call_function", function, (self, *args), {})

    def backward(self: Proxy, other: Any) -> Proxy:
        return self.tracer.create_proxy("call_function", function, (other, self), {})

    return backward if reflected else forward


for _name in (
    "add sub mul floordiv truediv mod pow lshift rshift and_ or_ xor getitem matmul eq ne lt gt le "
    "ge pos neg invert"
).split():
    setattr(Proxy, f"__{_name.strip('_')}__", _operator(_name, False))
for _name in "add sub mul floordiv truediv mod pow lshift rshift and_ or_ xor matmul".split():
    setattr(Proxy, f"__r{_name.strip('_')}__", _operator(_name, True))
Proxy.__hash__ = object.__hash__  # type: ignore[method-assign]
