"""``torch.fx``: programs as graphs of calls that can be read, changed and run again.

`_symbolic_trace` runs a module on proxies (`proxy`) and notes what they are asked; `graph` and
`node` hold the calls, `codegen` writes them as Python, `graph_module` makes a module of that text,
`interpreter` runs a graph call by call, `subgraph_rewriter` replaces patterns.
"""

from __future__ import annotations

from flambeau.fx._symbolic_trace import Tracer, symbolic_trace, wrap
from flambeau.fx.graph import CodeGen, Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.interpreter import Interpreter, Transformer
from flambeau.fx.node import Node, has_side_effect, map_arg
from flambeau.fx.proxy import Proxy
from flambeau.fx.subgraph_rewriter import replace_pattern

__all__ = [
    "CodeGen",
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
