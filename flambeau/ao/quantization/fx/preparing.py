"""Observers put into a graph: behind every call that will give integers, and before its inputs.

Stands on kinds and tracing.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.intrinsic import _FusedModule
from flambeau.ao.quantization import mappings
from flambeau.ao.quantization.fx.kinds import Kind, is_relu, kind_of, module_of
from flambeau.ao.quantization.qconfig import QConfig, qconfig_equals
from flambeau.ao.quantization.qconfig_mapping import QConfigMapping
from flambeau.fx import Graph, GraphModule, Node
from flambeau.nn import functional as F

__all__ = ["OBSERVER", "observed", "weights_of"]

OBSERVER = "activation_post_process_"
WEIGHTED = (F.linear, F.conv1d, F.conv2d, F.conv3d)
"""Functions whose second argument is a weight."""


SCALED = (operator.add, operator.mul, flambeau.add, flambeau.mul)
"""Functions that keep the integers, and so the observer, where the other operand is a number."""
ONLY_DYNAMIC = (nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell)
"""Layers without a form whose inputs are integers."""


def weights_of(node: Node) -> bool:
    """Whether a call takes a weight as its second argument."""
    return node.op == "call_function" and any(node.target == f for f in WEIGHTED)


def _check_fused(model: GraphModule, mapping: QConfigMapping) -> None:
    """Layers that are one have one configuration.

    Raises:
        LookupError: their types have several.
    """
    table = mapping.object_type_qconfigs
    if not table:
        return
    for node in model.graph.nodes:
        layer = module_of(node, dict(model.named_modules()))
        if not isinstance(layer, _FusedModule):
            continue
        parts = list(layer.children())
        first = table.get(type(parts[0]))
        for part in parts[1:]:
            if not qconfig_equals(table.get(type(part)), first):
                raise LookupError(
                    "During fusion, we need to specify the same qconfigs for all module types in "
                    f"{type(layer)} offending type: {type(part)}"
                )
        if first is not None:
            table[type(layer)] = first


def _configure(model: GraphModule, mapping: QConfigMapping) -> dict[Node, QConfig | None]:
    """Each call's configuration."""
    found: dict[Node, QConfig | None] = {}
    modules = dict(model.named_modules())
    counts: Counter[Any] = Counter()
    for node in model.graph.nodes:
        layer = module_of(node, modules)
        scope = node.meta.get("scope", "")
        kind = type(layer) if layer is not None else node.target
        path = node.target if layer is not None else scope
        found[node] = mapping.find(path, kind, scope, counts[scope, kind])
        counts[scope, kind] += 1
        if layer is not None:
            layer.qconfig = found[node]
    return found


def _is_dynamic(config: QConfig) -> bool:
    return bool(getattr(config.activation(), "is_dynamic", False))


class _Placing:
    """Puts observers into one graph."""

    def __init__(self, model: GraphModule, configs: dict[Node, QConfig | None]) -> None:
        self.model, self.configs = model, configs
        self.graph: Graph = model.graph
        self.modules = dict(model.named_modules(remove_duplicate=False))
        self.observers: dict[Node, Any] = {}
        self.seen: dict[Node, Node] = {}
        self.taken: set[Node] = set()
        self.count = 0

    def observe(self, node: Node, observer: Any) -> Node:
        """An observer behind a call; gives its node."""
        name = f"{OBSERVER}{self.count}"
        self.count += 1
        self.model.add_module(name, observer)
        with self.graph.inserting_after(node):
            made = self.graph.call_module(name, (node,))
        self.observers[made] = observer
        return made

    def input_of(self, node: Node, arg: Node, config: QConfig, weight: bool = False) -> Node:
        """The observed form of an argument."""
        if arg in self.observers and not weight:
            return arg
        return self.seen.get(arg) or self._newly(arg, config, weight)

    def _newly(self, arg: Node, config: QConfig, weight: bool) -> Node:
        self.seen[arg] = self.observe(arg, (config.weight if weight else config.activation)())
        return self.seen[arg]

    def dynamic(self, node: Node, config: QConfig) -> None:
        """A layer that quantises its input as it comes."""
        table = mappings.get_default_dynamic_quant_module_mappings()
        if type(module_of(node, self.modules)) not in table:
            return
        node.meta["dynamic"] = True
        seen = self.observe(node.args[0], config.activation())  # type: ignore[arg-type]
        node.args = (seen, *node.args[1:])

    def place(self, node: Node, kind: Kind, config: QConfig) -> None:
        """The observers of a call's inputs and of its result."""
        inputs: list[Node] = []

        def take(arg: Any, position: int) -> Any:
            if isinstance(arg, (list, tuple)):
                return type(arg)(take(each, position) for each in arg)
            if not isinstance(arg, Node) or (position > 1 and weights_of(node)):
                return arg
            if position and kind is not Kind.OWN:
                return arg
            inputs.append(self.input_of(node, arg, config, position == 1 and weights_of(node)))
            return inputs[-1]

        node.args = tuple(take(arg, k) for k, arg in enumerate(node.args))
        if not inputs:
            return
        if kind is Kind.JOINED:
            first = self.observers[inputs[0]]
            for each in inputs[1:]:
                setattr(self.model, str(each.target), first)
                self.observers[each] = first
        last = node
        follower = next(iter(node.users)) if len(node.users) == 1 else None
        takes_relu = node.op == "call_function" and kind is Kind.OWN
        if takes_relu and follower is not None and is_relu(follower, self.modules):
            last = follower
            node.meta["relu"] = True
            self.taken.add(follower)
        users = list(last.users)
        number = len(inputs) == 1 and any(node.target is f for f in SCALED)
        shared = kind in (Kind.SHARED, Kind.JOINED) or number
        observer = self.observers[inputs[0]] if shared else config.activation()
        made = self.observe(last, observer)
        for user in users:
            user.replace_input_with(last, made)
        node.meta["quantized"] = True


def _trained(model: GraphModule) -> None:
    """Put the layers in that train with rounding."""
    table = mappings.get_default_qat_module_mappings()
    for path, layer in list(model.named_modules()):
        made = table.get(type(layer))
        owner, _, last = path.rpartition(".")
        above = model.get_submodule(owner)
        if (
            made is not None
            and getattr(layer, "qconfig", None)
            and above._modules.get(last) is layer
        ):
            setattr(above, last, made.from_float(layer))


def observed(model: GraphModule, mapping: QConfigMapping, is_qat: bool) -> GraphModule:
    """The graph with observers. Its layers are changed in the module given.

    Args:
        is_qat: weights are rounded too, in layers that train with it.
    """
    _check_fused(model, mapping)
    configs = _configure(model, mapping)
    if is_qat:
        _trained(model)
    placing = _Placing(model, configs)
    for node in list(model.graph.nodes):
        config, kind = configs.get(node), kind_of(node, placing.modules)
        if config is None or kind is Kind.FREE or node in placing.taken:
            continue
        if _is_dynamic(config):
            placing.dynamic(node, config)
        elif type(module_of(node, placing.modules)) not in ONLY_DYNAMIC:
            placing.place(node, kind, config)
    return GraphModule(model, model.graph)
