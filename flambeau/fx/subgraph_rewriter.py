"""`replace_pattern`: where a graph does what a pattern does, let it do what another one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.fx._symbolic_trace import symbolic_trace
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node, map_arg

__all__ = ["Match", "replace_pattern"]


class Match(NamedTuple):
    """A place where the pattern was found.

    Attributes:
        anchor: the node that gives what the pattern gives.
        nodes_map: node of the pattern -> node of the graph.
    """

    anchor: Node
    nodes_map: dict[Node, Node]


def _graph(pattern: Any) -> Graph:
    if isinstance(pattern, GraphModule):
        return pattern.graph
    if isinstance(pattern, Graph):
        return pattern
    return symbolic_trace(pattern).graph


def _fits(wanted: Any, found: Any, pairs: dict[Node, Any]) -> bool:
    """Whether `found` is what the pattern's `wanted` asks for; `pairs` learns which is which."""
    if isinstance(wanted, Node):
        if wanted in pairs:
            return bool(pairs[wanted] is found)
        if isinstance(found, Node) and found in pairs.values():
            return False  # two nodes of the pattern are two of the graph
        if wanted.op == "placeholder":
            pairs[wanted] = found
            return True
        if not isinstance(found, Node) or (wanted.op, wanted.target) != (found.op, found.target):
            return False
        pairs[wanted] = found
        return _fits((wanted.args, wanted.kwargs), (found.args, found.kwargs), pairs)
    if isinstance(wanted, (tuple, list)):
        return (
            isinstance(found, (tuple, list))
            and len(wanted) == len(found)
            and all(_fits(a, b, pairs) for a, b in zip(wanted, found, strict=True))
        )
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and wanted.keys() == found.keys()
            and all(_fits(wanted[k], found[k], pairs) for k in wanted)
        )
    return type(wanted) is type(found) and bool(wanted == found)


def _stays_inside(pairs: dict[Node, Any], anchors: list[Node]) -> bool:
    """Whether nothing outside the match uses what is inside it, but for its results."""
    inside = {n for p, n in pairs.items() if p.op != "placeholder" and isinstance(n, Node)}
    return all(
        node in anchors or node.op == "get_attr" or set(node.users) <= inside for node in inside
    )


def _returned(graph: Graph) -> list[Node]:
    found: list[Node] = []

    def note(node: Node) -> Node:
        found.append(node)
        return node

    map_arg(graph.output_node().args, note)
    return found


def replace_pattern(
    gm: GraphModule,
    pattern: Callable[..., Any] | GraphModule,
    replacement: Callable[..., Any] | GraphModule,
) -> list[Match]:
    """Replace every place that does what `pattern` does; places do not overlap.

    Args:
        gm: changed in place.
        pattern, replacement: functions, or GraphModules, of the same inputs.

    Returns:
        The places.
    """
    wanted, other = _graph(pattern), _graph(replacement)
    results = _returned(wanted)
    inputs = [n for n in wanted.nodes if n.op == "placeholder"]
    used: set[Node] = set()
    matches: list[Match] = []
    renamed: dict[Node, Node] = {}
    for node in list(gm.graph.nodes):
        pairs: dict[Node, Any] = {}
        if not results or not _fits(results[0], node, pairs):
            continue
        if any(r not in pairs for r in results) or any(i not in pairs for i in inputs):
            continue
        anchors = [pairs[r] for r in results]
        inside = {n for p, n in pairs.items() if p.op != "placeholder"}
        if inside & used or not _stays_inside(pairs, anchors):
            continue
        used |= inside
        fresh = [n for n in other.nodes if n.op == "placeholder"]
        values = {
            new: renamed.get(pairs[old], pairs[old]) for new, old in zip(fresh, inputs, strict=True)
        }
        users = [user for anchor in anchors for user in anchor.users]
        with gm.graph.inserting_before(min(users) if users else node):
            made = gm.graph.graph_copy(other, dict(values))
        outputs = list(made) if isinstance(made, (tuple, list)) else [made]
        for old, new in zip(anchors, outputs, strict=True):
            old.replace_all_uses_with(new)
            renamed[old] = new
        for each in sorted(inside, reverse=True):
            if not each.users:
                gm.graph.erase_node(each)
        matches.append(Match(node, {p: n for p, n in pairs.items() if isinstance(n, Node)}))
    if isinstance(replacement, GraphModule):
        for name, child in replacement.named_children():
            if not hasattr(gm, name):
                gm.add_submodule(name, child)
    gm.recompile()
    return matches
