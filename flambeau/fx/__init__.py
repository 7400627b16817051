"""Programs as graphs: symbolic tracing, graphs that can be changed, and Python code made of them.

`symbolic_trace` records a module or function; `GraphModule` runs the code of its graph;
`Interpreter` and `Transformer` walk it node by node; `replace_pattern` rewrites parts. Reference:
https://docs.pytorch.org/docs/stable/fx.html.
"""

from __future__ import annotations

from flambeau.fx._symbolic_trace import Tracer, symbolic_trace, wrap
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.interpreter import Interpreter, Transformer
from flambeau.fx.node import Node, has_side_effect, map_arg
from flambeau.fx.proxy import PH, Proxy
from flambeau.fx.rewriter import replace_pattern

__all__ = [
    "PH",
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "has_side_effect",
    "map_arg",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]
