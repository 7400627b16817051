"""Rewriting: every place of a graph that looks like a pattern is replaced. Stands on tracer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.errors import fail
from flambeau.fx._symbolic_trace import Tracer
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node

__all__ = ["Match", "replace_pattern"]


class Match(NamedTuple):
    """A place that looked like the pattern."""

    anchor: Node
    """The node that gave what the pattern's output gives."""
    nodes_map: dict[Node, Node]
    """The program's node for each node of the pattern."""


def replace_pattern(
    gm: GraphModule,
    pattern: Callable[..., Any] | GraphModule,
    replacement: Callable[..., Any] | GraphModule,
) -> list[Match]:
    """Replace all places, without overlap, that do what `pattern` does; the module recompiles.

    Args:
        gm: the module, changed in place.
        pattern: a function, or a traced one; its parameters match anything.
        replacement: what to do instead, with the same parameters.

    Raises:
        RuntimeError: the parameters differ in number.
    """
    looked_for, instead = _graph(pattern), _graph(replacement)
    inputs = looked_for.find_nodes(op="placeholder")
    inputs_there = instead.find_nodes(op="placeholder")
    if len(inputs) != len(inputs_there):
        raise fail(
            RuntimeError,
            "fx.replace_pattern",
            f"the pattern has {len(inputs)} parameters, the replacement {len(inputs_there)}",
        )
    found = _matches(gm.graph, looked_for)
    changed: dict[Node, Node] = {}
    for match in found:
        places: dict[Node, Node] = {}
        for here, there in zip(inputs, inputs_there, strict=True):
            node = match.nodes_map[here]
            places[there] = changed.get(node, node)
        with gm.graph.inserting_before(match.anchor.next):
            result = gm.graph.graph_copy(instead, places)
        results = result if isinstance(result, tuple) else (result,)
        outputs = looked_for.output_node().args[0]
        old = outputs if isinstance(outputs, tuple) else (outputs,)
        for pattern_node, new in zip(old, results, strict=True):
            match.nodes_map[pattern_node].replace_all_uses_with(new)
            changed[match.nodes_map[pattern_node]] = new
        kept = {match.nodes_map[each] for each in inputs}
        inner = [n for n in match.nodes_map.values() if n not in kept]
        for node in reversed([n for n in gm.graph.nodes if n in inner]):
            if not node.users:
                gm.graph.erase_node(node)
    gm.recompile()
    return found


def _graph(program: Callable[..., Any] | GraphModule) -> Graph:
    return program.graph if isinstance(program, GraphModule) else Tracer().trace(program)


def _matches(graph: Graph, pattern: Graph) -> list[Match]:
    """The places that match, from the first on, none sharing a node with another."""
    outputs = pattern.output_node().args[0]
    anchor = outputs[-1] if isinstance(outputs, (tuple, list)) else outputs
    shown = set(outputs) if isinstance(outputs, (tuple, list)) else {outputs}
    found: list[Match] = []
    taken: set[Node] = set()
    for node in graph.nodes:
        places: dict[Node, Node] = {}
        if not _same(anchor, node, places):
            continue
        if any(each not in places for each in pattern.nodes if each.op != "output"):
            continue
        inner = {here: there for here, there in places.items() if here.op != "placeholder"}
        inside = set(inner.values())
        closed = all(
            user in inside
            for here, there in inner.items()
            if here not in shown
            for user in there.users
        )
        if closed and not inside & taken:
            taken |= inside
            found.append(Match(node, {anchor: node, **places}))
    return found


def _same(pattern: Any, node: Any, places: dict[Node, Node]) -> bool:
    """Whether the program does here what the pattern does; fills `places`."""
    if not isinstance(pattern, Node) or not isinstance(node, Node):
        if isinstance(pattern, (tuple, list)) and isinstance(node, (tuple, list)):
            pairs = zip(pattern, node, strict=False)
            return len(pattern) == len(node) and all(_same(a, b, places) for a, b in pairs)
        if isinstance(pattern, dict) and isinstance(node, dict):
            return pattern.keys() == node.keys() and all(
                _same(pattern[k], node[k], places) for k in pattern
            )
        if isinstance(pattern, Node) and pattern.op == "placeholder":
            return False
        return type(pattern) is type(node) and bool(pattern == node)
    if pattern in places:
        return places[pattern] is node
    if pattern.op == "placeholder":
        places[pattern] = node
        return True
    if pattern.op != node.op or pattern.target != node.target:
        return False
    places[pattern] = node
    return _same(pattern.args, node.args, places) and _same(pattern.kwargs, node.kwargs, places)
