"""Walking a graph: `Interpreter` runs it node by node, `Transformer` makes another graph of it.

Stands on graph, tracer and graph_module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flambeau.core.errors import fail
from flambeau.fx._symbolic_trace import Tracer
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node, map_aggregate, map_arg
from flambeau.fx.proxy import Proxy
from flambeau.nn import Module

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs a graph node by node; subclasses change what a kind of node does.

    Args:
        module: the module that the graph belongs to.
        garbage_collect_values: drop each value after its last use.
        graph: another graph to run, on the module's attributes.
    """

    def __init__(
        self,
        module: Module,
        garbage_collect_values: bool = True,
        graph: Graph | None = None,
    ) -> None:
        self.module = module
        self.submodules = dict(module.named_modules())
        self.graph: Graph = module.graph if graph is None else graph  # type: ignore[assignment]
        self.env: dict[Node, Any] = {}
        self.extra_traceback = True
        self.garbage_collect_values = garbage_collect_values
        self._last: dict[Node, list[Node]] = {}
        seen: set[Node] = set()
        for node in reversed(list(self.graph.nodes)):
            for read in node.all_input_nodes:
                if read not in seen:
                    seen.add(read)
                    self._last.setdefault(node, []).append(read)
        self.args_iter: Iterator[Any] = iter(())

    def run(
        self,
        *args: Any,
        initial_env: dict[Node, Any] | None = None,
        enable_io_processing: bool = True,
    ) -> Any:
        """The output of the graph for these inputs.

        Args:
            args: the inputs, in the order of the placeholders.
            initial_env: results of nodes that are not to run.
            enable_io_processing: kept for compatibility; inputs and outputs stand as they are.
        """
        self.env = dict(initial_env or {})
        self.args_iter = iter(args)
        for node in self.graph.nodes:
            if node in self.env:
                continue
            self.env[node] = self.run_node(node)
            if self.garbage_collect_values:
                for done in self._last.get(node, ()):
                    self.env.pop(done, None)
            if node.op == "output":
                return self.env[node]
        return None

    def boxed_run(self, args_list: list[Any]) -> Any:
        """`run` with a list, which is emptied: no caller keeps the inputs alive."""
        args, args_list[:] = list(args_list), []
        return self.run(*args)

    def run_node(self, n: Node) -> Any:
        """The result of one node."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def placeholder(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The next input, or its default.

        Raises:
            RuntimeError: there is none.
        """
        if target.startswith("*"):
            return list(self.args_iter)
        for value in self.args_iter:
            return value
        if args:
            return args[0]
        raise fail(
            RuntimeError,
            "fx.Interpreter",
            f"Expected positional argument for parameter {target}, but one was not passed in!",
        )

    def get_attr(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An attribute of the module."""
        return self.fetch_attr(target)

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The function's result."""
        return target(*args, **kwargs)

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The method's result."""
        receiver, *rest = args
        return getattr(receiver, target)(*rest, **kwargs)

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The submodule's result."""
        return self.submodules[target](*args, **kwargs)

    def output(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the graph gives."""
        return args[0]

    def fetch_attr(self, target: str) -> Any:
        """An attribute by its dotted name.

        Raises:
            RuntimeError: it does not exist.
        """
        found: Any = self.module
        parts = target.split(".")
        for k, part in enumerate(parts):
            if not hasattr(found, part):
                raise fail(
                    RuntimeError,
                    "fx.Interpreter",
                    f"Node referenced nonexistent target {'.'.join(parts[: k + 1])}",
                )
            found = getattr(found, part)
        return found

    def fetch_args_kwargs_from_env(self, n: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a node is called with."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args: Any, n: Node) -> Any:
        """The value with the results of nodes for the nodes.

        Raises:
            RuntimeError: a node that has not run.
        """

        def result(node: Node) -> Any:
            if node not in self.env:
                raise fail(
                    RuntimeError,
                    "fx.Interpreter",
                    f"Node {n} referenced nonexistent value {node}! Run Graph.lint() to diagnose "
                    "such issues",
                )
            return self.env[node]

        return map_arg(args, result)


class Transformer(Interpreter):
    """Makes a graph from a graph: what the methods return is recorded anew.

    Args:
        module: the GraphModule to transform.
    """

    def __init__(self, module: GraphModule) -> None:
        super().__init__(module)
        self.new_graph = Graph()
        self.tracer = _Into(self.new_graph, module)

    def placeholder(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An input of the new graph."""
        default = args[0] if args else ...
        return Proxy(self.new_graph.placeholder(target, default_value=default), self.tracer)

    def get_attr(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An attribute, read in the new graph."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call in the new graph."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call in the new graph."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self) -> GraphModule:
        """The new module."""
        old = {node: node for node in self.graph.nodes}
        result = super().run(enable_io_processing=False)
        if result is not None:
            made = map_aggregate(result, lambda x: x.node if isinstance(x, Proxy) else x)
            self.new_graph.output(
                made, next(n for n in reversed(list(old)) if n.op == "output").type
            )
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)


class _Into(Tracer):
    """Records into a graph that exists."""

    def __init__(self, graph: Graph, root: Module) -> None:
        super().__init__()
        self.graph = graph
        self.root = root

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        return True
