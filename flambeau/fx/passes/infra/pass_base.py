"""`PassBase`: a pass over a graph, as a class. Stands on graph_module."""

from __future__ import annotations

import abc
from typing import NamedTuple

from flambeau.fx.graph_module import GraphModule

__all__ = ["PassBase", "PassResult"]


class PassResult(NamedTuple):
    """What a pass gives: the module, and whether it changed it."""

    graph_module: GraphModule
    modified: bool


class PassBase(abc.ABC):
    """Called with a module: checks what it requires, runs, checks what it ensures."""

    def __call__(self, graph_module: GraphModule) -> PassResult | None:
        self.requires(graph_module)
        result = self.call(graph_module)
        self.ensures(graph_module)
        return result

    @abc.abstractmethod
    def call(self, graph_module: GraphModule) -> PassResult | None:
        """The pass itself."""

    def requires(self, graph_module: GraphModule) -> None:  # noqa: B027
        """Raise where the module is not one for this pass."""

    def ensures(self, graph_module: GraphModule) -> None:  # noqa: B027
        """Raise where the pass did not do what it should."""
