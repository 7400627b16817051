"""Values inside a model by name: a graph of its calls, cut where they are wanted.

Nodes are called as the submodule that makes them, ``layer1.0.relu``; operations after the submodule
that they are in, ``layer1.0.add``. Stands on ``fx``.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flambeau import fx, nn
from flambeau.fx.graph_module import _copy_attribute

__all__ = ["create_feature_extractor", "get_graph_node_names"]


class NodePathTracer(fx.Tracer):
    """A tracer that notes the name of each node: ``node_to_qualname``.

    Args:
        leaf_modules: further classes whose modules are one node.
    """

    def __init__(self, *args: Any, leaf_modules: list[type] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaf_modules = tuple(leaf_modules or ())
        self.current_module_qualname = ""
        self.node_to_qualname: OrderedDict[Any, str] = OrderedDict()
        self._taken: set[str] = set()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """The library's layers, those of ``ops``, and what the user names."""
        ours = type(m).__module__.startswith(("flambeau.vision.ops", "torchvision.ops"))
        named = bool(self.leaf_modules) and isinstance(m, self.leaf_modules)
        return ours or named or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Note where the call is while it runs."""
        before = self.current_module_qualname
        self.current_module_qualname = self.path_of_module(m)
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self.current_module_qualname = before

    def create_proxy(self, kind: str, target: Any, *args: Any, **kwargs: Any) -> Any:
        """A node, with its name noted."""
        proxy = super().create_proxy(kind, target, *args, **kwargs)
        where = self.current_module_qualname
        if kind == "call_module":
            name = where
        else:
            own = re.sub(r"_\d+$", "", str(proxy.node))
            name = f"{where}.{own}" if where else own
        count, free = 0, name
        while free in self._taken:  # the second use of a layer is relu_1
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        self.node_to_qualname[proxy.node] = free
        return proxy


def _traced(
    model: nn.Module, training: bool, options: dict[str, Any] | None, concrete: Any
) -> tuple[NodePathTracer, Any]:
    """The model's graph in one of its modes; the model stays in its own."""
    was = {module: module.training for module in model.modules()}
    try:
        model.train(training)
        tracer = NodePathTracer(**(options or {}))
        return tracer, tracer.trace(model, concrete_args=concrete)
    finally:
        for module, mode in was.items():
            module.training = mode


def get_graph_node_names(
    model: nn.Module,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """The names of the nodes, in training and in evaluation, in their order."""
    names = []
    for training in (True, False):
        tracer, graph = _traced(model, training, tracer_kwargs, concrete_args)
        kept = [node for node in graph.nodes if node.op != "output"]
        names.append([tracer.node_to_qualname[n] for n in kept if n in tracer.node_to_qualname])
    return names[0], names[1]


class DualGraphModule(fx.GraphModule):
    """A graph for training and one for evaluation; ``train()`` and ``eval()`` choose."""

    def __init__(self, root: nn.Module, train_graph: Any, eval_graph: Any, class_name: str) -> None:
        super().__init__(root, train_graph if root.training else eval_graph, class_name)
        for graph in (train_graph, eval_graph):
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module"):
                    _copy_attribute(root, self, node.target)
        self.train_graph = train_graph
        self.eval_graph = eval_graph

    def train(self, mode: bool = True) -> Any:
        """Run the graph of training, or of evaluation."""
        if mode != self.training:
            self.graph = self.train_graph if mode else self.eval_graph
        return super().train(mode)


def _wanted(nodes: Any) -> dict[str, str] | None:
    if nodes is None:
        return None
    pairs = nodes.items() if isinstance(nodes, dict) else ((name, name) for name in nodes)
    return {str(name): str(key) for name, key in pairs}


def _cut(tracer: NodePathTracer, graph: Any, wanted: dict[str, str]) -> Any:
    """The graph, with a dict of the nodes that are wanted as its output."""
    found = {}
    for name, key in wanted.items():
        for node, path in reversed(tracer.node_to_qualname.items()):
            if path == name or path.startswith(name + "."):
                found[key] = node
                break
        else:
            raise ValueError(
                f"node: '{name}' is not present in model. Hint: use `get_graph_node_names` to make "
                "sure the `return_nodes` you specified are present."
            )
    for node in [node for node in graph.nodes if node.op == "output"]:
        graph.erase_node(node)
    graph.output(found)
    graph.eliminate_dead_code()
    return graph


def create_feature_extractor(
    model: nn.Module,
    return_nodes: list[str] | dict[str, str] | None = None,
    train_return_nodes: list[str] | dict[str, str] | None = None,
    eval_return_nodes: list[str] | dict[str, str] | None = None,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> fx.GraphModule:
    """A module that gives a dict of the values at nodes, and computes no more than they need.

    Args:
        return_nodes: names, or a dict of names and the keys of the result; the name of a submodule
            means its last node.
        train_return_nodes, eval_return_nodes: the same, where the two modes differ.

    Raises:
        ValueError: no such node, or not enough is said.
    """
    if return_nodes is None and train_return_nodes is None and eval_return_nodes is None:
        raise ValueError(
            "Either `return_nodes` or `train_return_nodes` and `eval_return_nodes` together, "
            "should be specified"
        )
    if (train_return_nodes is None) != (eval_return_nodes is None):
        raise ValueError(
            "If any of `train_return_nodes` and `eval_return_nodes` are specified, then both "
            "should be specified"
        )
    if return_nodes is not None and train_return_nodes is not None:
        raise ValueError(
            "If `train_return_nodes` and `eval_return_nodes` are specified, then both should be "
            "specified without `return_nodes`"
        )
    graphs = []
    for training, nodes in ((True, train_return_nodes), (False, eval_return_nodes)):
        wanted = _wanted(return_nodes if nodes is None else nodes)
        assert wanted is not None
        tracer, graph = _traced(model, training, tracer_kwargs, concrete_args)
        graphs.append(_cut(tracer, graph, wanted))
    return DualGraphModule(model, *graphs, class_name=type(model).__name__)
