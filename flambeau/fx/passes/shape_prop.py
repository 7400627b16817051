"""Shapes: a graph is run once, and each node remembers what its result looked like.

Stands on interpreter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import flambeau
from flambeau.fx.interpreter import Interpreter
from flambeau.fx.node import Node, map_aggregate

__all__ = ["ShapeProp", "TensorMetadata"]


class TensorMetadata(NamedTuple):
    """What a tensor looked like."""

    shape: Any
    dtype: Any
    requires_grad: bool
    stride: tuple[int, ...]
    memory_format: Any
    is_quantized: bool
    qparams: dict[str, Any]


def _extract_tensor_metadata(result: flambeau.Tensor) -> TensorMetadata:
    """The metadata of one tensor."""
    formats = [flambeau.contiguous_format]
    formats += [flambeau.channels_last] if result.dim() == 4 else []
    formats += [flambeau.channels_last_3d] if result.dim() == 5 else []
    held = next((f for f in formats if result.is_contiguous(memory_format=f)), None)
    return TensorMetadata(
        result.shape, result.dtype, result.requires_grad, result.stride(), held, False, {}
    )


class ShapeProp(Interpreter):
    """Runs a graph and notes ``meta["tensor_meta"]`` and ``meta["type"]`` on its nodes."""

    def run_node(self, n: Node) -> Any:
        """The node's result, whose looks are noted."""
        result = super().run_node(n)
        found: list[TensorMetadata] = []

        def look(value: Any) -> Any:
            if not isinstance(value, flambeau.Tensor):
                return value
            found.append(_extract_tensor_metadata(value))
            return found[-1]

        looks = map_aggregate(result, look)
        if found:
            n.meta["tensor_meta"] = looks
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args: Any) -> Any:
        """Run the graph on these inputs."""
        return super().run(*args)
