"""`split_module`: a graph cut into parts, each a module of its own that the whole one calls.

Stands on graph and graph_module.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node, map_aggregate
from flambeau.nn import Module

__all__ = ["Partition", "split_module"]


class Partition:
    """A part: its nodes, and what goes in and out, in the order of first use."""

    def __init__(self, name: str, submod_name: str) -> None:
        self.name, self.submod_name = name, submod_name
        self.node_names: list[str] = []
        self.inputs: dict[str, None] = {}
        self.outputs: dict[str, None] = {}
        self.dependencies: dict[str, None] = {}
        self.dependents: dict[str, None] = {}
        self.graph = Graph()
        self.environment: dict[Node, Node] = {}
        self.targets: dict[str, Any] = {}

    def add_node(self, node: Node) -> None:
        """Count a node among its own."""
        self.node_names.append(node.name)


def split_module(
    m: GraphModule,
    root_m: Module,
    split_callback: Callable[[Node], Any],
    qualname_map: dict[str, str] | None = None,
    keep_original_order: bool | None = False,
    keep_original_node_name: bool | None = False,
    keep_original_input_name: bool = True,
    *,
    partition_affix: str | None = None,
    tuple_return: bool = False,
) -> GraphModule:
    """A module that calls `submod_0`, `submod_1` and so on, one for each part.

    Args:
        m: the graph. root_m: unused, as in PyTorch. split_callback: node -> the part it belongs to;
            inputs and attributes stay with the whole.
        qualname_map: filled with the new path of each called module and its old one.
        keep_original_order: parts run in the order of their first nodes, as far as they can.
        keep_original_node_name: nodes keep their names; keep_original_input_name: so do the parts'
            inputs.
        partition_affix: between ``submod_`` and the part's name. tuple_return: a part with one
            result gives a tuple, too.

    Raises:
        RuntimeError: parts need each other's results in a circle.
    """
    part_of: dict[Node, Partition | None] = {}
    parts: dict[str, Partition] = {}
    affix = f"submod_{partition_affix}_" if partition_affix else "submod_"
    for node in m.graph.nodes:
        part_of[node] = None
        if node.op not in ("placeholder", "get_attr", "output"):
            name = str(split_callback(node))
            part = part_of[node] = parts.setdefault(name, Partition(name, affix + name))
            part.add_node(node)
        for source in node.all_input_nodes:
            _connect(part_of[source], source, part_of[node])
    by_name = {node.name: node for node in part_of}
    for part in parts.values():
        for name in part.inputs:
            inner = part.graph.placeholder(
                name if keep_original_input_name else f"arg_{len(part.environment)}"
            )
            inner.meta = by_name[name].meta.copy()
            part.environment[by_name[name]] = inner
    order = _sorted(parts, by_name if keep_original_order else None)
    base = Graph()
    found: dict[Node, Node] = {}
    attributes: dict[str, Any] = {}
    read: list[Node] = []
    for node, where in part_of.items():
        if where is not None:
            _copy(m, node, where, bool(keep_original_node_name), qualname_map)
        elif node.op == "placeholder":
            found[node] = _kept(base, node)
        elif node.op == "get_attr":
            read.append(node)
            attributes[node.target] = operator.attrgetter(node.target)(m)
    place = {name: k for k, name in enumerate(by_name)}
    for part in order:
        end = place[part.node_names[-1]] if keep_original_order else len(place)
        while read and place[read[0].name] < end:
            node = read.pop(0)
            found[node] = _kept(base, node)
        results = tuple(part.environment[by_name[name]] for name in part.outputs)
        alone = len(results) == 1 and not tuple_return
        if results:
            part.graph.output(results[0] if alone else results)
        attributes[part.submod_name] = GraphModule(part.targets, part.graph)
        called = base.call_module(
            part.submod_name, tuple(found[by_name[name]] for name in part.inputs)
        )
        for k, name in enumerate(part.outputs):
            found[by_name[name]] = (
                called if alone else base.call_function(operator.getitem, (called, k))
            )
    for node in read:
        found[node] = _kept(base, node)
    for node in m.graph.nodes:
        if node.op == "output":
            base.output(_mapped(node.args[0], found))
    return GraphModule(attributes, base)


def _connect(source: Partition | None, node: Node, user: Partition | None) -> None:
    """Note that one part uses a node of another (None: the whole)."""
    if source is user:
        return
    if user is not None:
        user.inputs.setdefault(node.name)
    if source is not None:
        source.outputs.setdefault(node.name)
    if source is not None and user is not None:
        user.dependencies.setdefault(source.name)
        source.dependents.setdefault(user.name)


def _sorted(parts: dict[str, Partition], nodes: dict[str, Node] | None) -> list[Partition]:
    """The parts, each after those it depends on; with `nodes`, of those free the first written."""
    waiting = {name: set(part.dependencies) for name, part in parts.items()}
    free = [name for name, needs in waiting.items() if not needs]
    written = list(parts)
    order: list[Partition] = []
    while free:
        name = min(free, key=written.index) if nodes is not None else free[0]
        free.remove(name)
        order.append(parts[name])
        for dependent in parts[name].dependents:
            waiting[dependent].discard(name)
            if not waiting[dependent]:
                free.append(dependent)
    if len(order) != len(parts):
        raise RuntimeError("cycle exists between partitions!")
    return order


def _copy(
    m: GraphModule, node: Node, part: Partition, named: bool, paths: dict[str, str] | None
) -> None:
    """Write a node into its part; a called module moves along."""
    target = node.target
    if node.op == "call_module":
        target = "_".join(str(node.target).split("."))
        part.targets[target] = m.get_submodule(str(node.target))
        if paths is not None:
            paths[f"{part.submod_name}.{target}"] = str(node.target)
    inner = part.graph.create_node(
        node.op,
        target,
        _mapped(node.args, part.environment),
        _mapped(node.kwargs, part.environment),
        node.name if named else None,
        node.type,
    )
    inner.meta = node.meta.copy()
    part.environment[node] = inner


def _kept(base: Graph, node: Node) -> Node:
    """An input or attribute in the whole."""
    made = base.create_node(node.op, node.target, node.args, node.kwargs, node.name, node.type)
    made.meta = node.meta.copy()
    return made


def _mapped(values: Any, environment: dict[Node, Node]) -> Any:
    return map_aggregate(values, lambda x: environment[x] if isinstance(x, Node) else x)
