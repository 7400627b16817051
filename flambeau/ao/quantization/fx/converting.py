"""An observed graph as a graph of integers: calls between quantised values take the layers and
functions of ao.nn.quantized, numbers become integers and integers numbers where the two meet.

Stands on kinds.
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized import pointwise as layers
from flambeau.ao.nn.quantized.operations import OPERATIONS, Packed
from flambeau.ao.quantization import mappings
from flambeau.ao.quantization.fx.kinds import Kind, kind_of, module_of
from flambeau.ao.quantization.fx.preparing import OBSERVER, weights_of
from flambeau.fx import Graph, GraphModule, Node
from flambeau.fx.node import map_arg

__all__ = ["converted"]

KEPT = frozenset("sigmoid sigmoid_ tanh tanh_ hardsigmoid hardsigmoid_ dropout".split())
"""Functions that take integers as they are: the scale of their results is fixed."""


class _Rewriting:
    """Makes the new graph, call by call; every old node has a quantised form, a plain one, or
    both."""

    def __init__(self, model: GraphModule, remove_qconfig: bool) -> None:
        self.model, self.remove_qconfig = model, remove_qconfig
        self.modules = dict(model.named_modules(remove_duplicate=False))
        self.graph = Graph()
        self.plain: dict[Node, Node] = {}
        self.whole: dict[Node, Node] = {}
        self.folded: set[Node] = set()
        self.static = mappings.get_default_static_quant_module_mappings() | {
            nn.Softmax: layers.Softmax
        }
        self.moving = mappings.get_default_dynamic_quant_module_mappings()

    def run(self) -> GraphModule:
        """The new graph's module."""
        for node in self.model.graph.nodes:
            if node.op == "call_module" and node.target.startswith(OBSERVER):
                self.observer(node)
            elif node.op == "output":
                self.graph.output(map_arg(node.args[0], self.number), node.type)
            elif node in self.folded:
                self.whole[node] = self.whole[node.args[0]]
            elif node.meta.get("dynamic"):
                self.swap(node, self.moving, None)
                self.copy(node)
            elif not (node.meta.get("quantized") and self.quantised(node)):
                self.copy(node)
        self.graph.eliminate_dead_code()  # weights that were packed
        made = GraphModule(self.model, self.graph)
        if self.remove_qconfig:
            for module in made.modules():
                module.__dict__.pop("qconfig", None)
        return made

    def copy(self, node: Node) -> None:
        """The call as it was, on numbers."""
        self.plain[node] = self.graph.node_copy(node, self.number)

    def observer(self, node: Node) -> None:
        """An observer: what it saw is quantised; that of a layer which quantises its input as it
        comes is nothing."""
        source: Any = node.args[0]
        observer = self.modules[str(node.target)]
        if getattr(observer, "is_dynamic", False) or self.is_weight(node):
            self.plain[node] = self.number(source)
        elif source in self.whole:
            self.whole[node] = self.whole[source]

    def is_weight(self, node: Node) -> bool:
        """Whether an observer sees a weight alone."""
        return all(weights_of(user) and user.args[1] is node for user in node.users)

    def index(self, node: Node) -> str:
        number = str(node.target).removeprefix(OBSERVER)
        return "" if number == "0" else f"_{number}"

    def integers(self, node: Node) -> Node:
        """The quantised form of an observed value."""
        if node not in self.whole:
            observer: Any = self.modules[str(node.target)]
            scale, zero = observer.calculate_qparams()
            user = next((u for u in node.users if u.meta.get("quantized")), None)
            path = str(user.target) if user is not None and user.op == "call_module" else ""
            prefix = f"{path.replace('.', '_')}_input"
            if user is None:
                prefix = ""
            value = self.number(node.args[0])  # type: ignore[arg-type]
            self.whole[node] = self.graph.call_function(
                flambeau.quantize_per_tensor,
                (
                    value,
                    self.buffer(f"{prefix}_scale", scale.reshape(())),
                    self.buffer(f"{prefix}_zero_point", zero.reshape(())),
                    observer.dtype,
                ),
                name=f"quantize_per_tensor{self.index(node)}",
            )
        return self.whole[node]

    def number(self, node: Node) -> Node:
        """The plain form of a value."""
        if node not in self.plain:
            observed = node.op == "call_module" and str(node.target).startswith(OBSERVER)
            whole = self.integers(node) if observed else self.whole[node]
            suffix = self.index(node) if observed else ""
            self.plain[node] = self.graph.create_node(
                "call_method", "dequantize", (whole,), {}, f"dequantize{suffix}"
            )
        return self.plain[node]

    def buffer(self, prefix: str, value: Any) -> Node:
        """A number that the graph reads from its module."""
        name = self.fresh(prefix)
        self.model.register_buffer(name, value.detach().clone())
        return self.graph.get_attr(name)

    def fresh(self, prefix: str) -> str:
        """A name that the module does not have yet."""
        count = 0
        while hasattr(self.model, f"{prefix}_{count}"):
            count += 1
        return f"{prefix}_{count}"

    def result_of(self, node: Node) -> Node:
        """The observer of a call's result."""
        last = next(iter(node.users)) if node.meta.get("relu") else node
        return next(user for user in last.users if str(user.target).startswith(OBSERVER))

    def quantised(self, node: Node) -> bool:
        """Put the call on integers in the new graph; False where there is no form for it."""
        kind, layer = kind_of(node, self.modules), module_of(node, self.modules)
        if kind is Kind.OWN and layer is not None:
            if type(layer) not in self.static and type(layer) not in (nn.Sigmoid, nn.Tanh):
                return False
            self.swap(node, self.static, self.result_of(node))
        elif kind is Kind.OWN:
            made = self.function(node)
            if made is None:
                return False
            self.whole[node] = made
            if node.meta.get("relu"):
                self.folded.update(node.users)
            return True
        first = True

        def form(arg: Node) -> Node:
            nonlocal first
            use, first = first or kind is Kind.JOINED, False
            return self.integers(arg) if use else self.number(arg)

        self.whole[node] = self.graph.node_copy(node, form)
        return True

    def function(self, node: Node) -> Node | None:
        """The call of a function on integers, or None."""
        name = str(getattr(node.target, "__name__", node.target))
        if name in KEPT:
            return self.graph.node_copy(node, self.integers)
        name += "_relu" if node.meta.get("relu") else ""
        function = OPERATIONS.get(name)
        if function is None:
            return None
        if weights_of(node):
            return self.weighted(node, name)
        args = [self.integers(a) if isinstance(a, Node) else a for a in node.args]
        numbers = [a for a in args if not isinstance(a, Node)]
        if name.partition("_")[0] in ("add", "mul") and len(args) == 2 and numbers:
            if not isinstance(args[0], Node):
                args.reverse()
            return self.graph.call_function(function, tuple(args), {}, name=name)
        if node.kwargs or numbers:
            return None  # options of a function of its own: on numbers, rounded behind
        return self.graph.call_function(
            function, (*args, *self.scale_of(self.result_of(node))), {}, name=name
        )

    def scale_of(self, node: Node) -> tuple[Node, Node]:
        scale, zero = self.modules[str(node.target)].calculate_qparams()
        return (
            self.buffer("_scale", scale.reshape(())),
            self.buffer("_zero_point", zero.reshape(())),
        )

    def weighted(self, node: Node, name: str) -> Node | None:
        """A linear map or a convolution whose weight is a parameter; None where it is computed."""
        seen: Any = node.args[1]
        source = seen.args[0]
        names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
        given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        bias: Any = given.get("bias")
        parts = [source] + ([bias] if isinstance(bias, Node) else [])
        if any(part.op != "get_attr" for part in parts):
            return None
        weight = affine.observed_weight(self.value(source), self.modules[str(seen.target)])
        packed = Packed(
            weight, None if bias is None else self.value(bias),
            {key: given[key] for key in names[3:] if key in given},
        )  # fmt: skip
        path = self.fresh("_packed_weight")
        setattr(self.model, path, packed)
        args = (self.integers(given["input"]), self.graph.get_attr(path))
        scale = self.scale_of(self.result_of(node))
        return self.graph.call_function(OPERATIONS[name], (*args, *scale), {}, name=name)

    def value(self, node: Node) -> Any:
        """What an attribute of the module is."""
        found: Any = self.model
        for part in str(node.target).split("."):
            found = getattr(found, part)
        return found.detach()

    def swap(self, node: Node, table: dict[Any, Any], result: Node | None) -> None:
        """Put the layer of integers in the place of a node's."""
        path = str(node.target)
        layer = self.modules[path]
        kind = table.get(type(layer))
        if kind is None:
            return
        if result is not None:
            layer.activation_post_process = self.modules[str(result.target)]
        owner, _, last = path.rpartition(".")
        made = kind.from_float(layer)
        setattr(self.model.get_submodule(owner), last, made)
        self.modules[path] = made


def converted(model: GraphModule, remove_qconfig: bool) -> GraphModule:
    """The observed graph as one of integers. Its layers are swapped in the module given."""
    return _Rewriting(model, remove_qconfig).run()
