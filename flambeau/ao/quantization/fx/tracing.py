"""The graph of a model that is to be quantised, and layers in it that follow each other made one.

Stands on fx and fuse.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.ao.quantization.fuse import fuse_known_modules
from flambeau.ao.quantization.fx.kinds import is_relu, module_of
from flambeau.fx import GraphModule, Node, Tracer

__all__ = ["QuantizationTracer", "fused", "traced"]

NORMS = {
    nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d,
    nn.ConvTranspose1d: nn.BatchNorm1d, nn.ConvTranspose2d: nn.BatchNorm2d,
    nn.ConvTranspose3d: nn.BatchNorm3d, nn.Linear: nn.BatchNorm1d,
}  # fmt: skip
"""Layer -> the batch norm it takes in."""
CUT = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.BatchNorm2d, nn.BatchNorm3d)
"""Layers that take a ReLU in."""


class QuantizationTracer(Tracer):
    """A tracer that notes in which module each call is made.

    Args:
        skipped_module_names, skipped_module_classes: modules that stay one call.
    """

    def __init__(
        self,
        skipped_module_names: list[str] | None = None,
        skipped_module_classes: list[type] | None = None,
    ) -> None:
        super().__init__()
        self.skipped = set(skipped_module_names or ()), tuple(skipped_module_classes or ())
        self.scope = [""]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one call: the library's layers, and the skipped ones."""
        names, kinds = self.skipped
        return (
            module_qualified_name in names
            or type(m) in kinds
            or type(m).__module__.startswith("flambeau.ao.nn")
            or super().is_leaf_module(m, module_qualified_name)
        )

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """What a call of a submodule gives."""
        self.scope.append(self.path_of_module(m))
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self.scope.pop()

    def create_node(self, kind: str, *args: Any, **kwargs: Any) -> Node:
        """A node of the graph; its scope is where the call stands."""
        node = super().create_node(kind, *args, **kwargs)
        node.meta["scope"] = self.scope[-2 if kind == "call_module" else -1]
        return node


def traced(model: nn.Module, skipped: tuple[Any, Any], kept: Any) -> GraphModule:
    """A copy of a model as a graph.

    Args:
        skipped: names and classes of modules that stay one call. kept: names of attributes that the
            graph's module has too.
    """
    if isinstance(model, GraphModule):
        return copy.deepcopy(model)
    tracer = QuantizationTracer(*skipped)
    graph = tracer.trace(copy.deepcopy(model))
    made = GraphModule(tracer.root, graph)
    for name in kept:
        setattr(made, name, getattr(model, name))
    made.train(model.training)
    return made


def _only_user(node: Node) -> Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _run(node: Node, modules: dict[str, Any]) -> list[Node]:
    """The calls that become one with this one, itself the first."""
    layer = module_of(node, modules)
    run = [node]
    following = _only_user(node)
    norm = NORMS.get(type(layer))
    if norm is not None and following is not None:
        if type(module_of(following, modules)) is norm:
            run.append(following)
            following = _only_user(following)
    takes_relu = isinstance(layer, CUT) and not (isinstance(layer, nn.Linear) and len(run) > 1)
    if takes_relu and following is not None and is_relu(following, modules):
        run.append(following)
    return run


def fused(model: GraphModule, is_qat: bool) -> GraphModule:
    """The graph with layers that follow each other made one, in place.

    Args:
        is_qat: for training: batch norm stays a layer of its own in the one.
    """
    modules = dict(model.named_modules())
    graph = model.graph
    kinds = (*NORMS, nn.BatchNorm2d, nn.BatchNorm3d)
    for node in list(graph.nodes):
        if node._erased or type(module_of(node, modules)) not in kinds:
            continue
        run = _run(node, modules)
        if len(run) == 1:
            continue
        parts = [module_of(n, modules) or nn.ReLU() for n in run]
        for part in parts:
            part.train(model.training)
        made = fuse_known_modules(parts, is_qat)[0]
        owner, _, last = node.target.rpartition(".")
        setattr(model.get_submodule(owner), last, made)
        modules[node.target] = made
        run[-1].replace_all_uses_with(node)
        for each in reversed(run[1:]):
            graph.erase_node(each)
    model.delete_all_unused_submodules()
    model.recompile()
    return model
