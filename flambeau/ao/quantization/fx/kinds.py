"""What the calls of a graph are to quantisation: `Kind`, and the functions and layers of each."""

from __future__ import annotations

import enum
import operator
from functools import cache
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn import intrinsic, qat
from flambeau.ao.nn.intrinsic import qat as fused_qat
from flambeau.ao.quantization import mappings
from flambeau.fx import Node
from flambeau.nn import functional as F

__all__ = ["Kind", "is_relu", "kind_of", "module_of"]


class Kind(enum.Enum):
    """What becomes of a call."""

    FREE = "computes with numbers"
    OWN = "its result has a scale of its own"
    SHARED = "its result has the scale of its input"
    JOINED = "its inputs and its result have one scale"


SHARED_LAYERS = (
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AvgPool1d AvgPool2d AvgPool3d Hardtanh "
    "Identity MaxPool1d MaxPool2d MaxPool3d PixelShuffle PixelUnshuffle ReLU ReLU6"
).split()
SHARED_METHODS = frozenset(
    """clamp contiguous detach detach_ mean permute repeat repeat_interleave reshape resize_ relu
    relu_ squeeze squeeze_ transpose unsqueeze unsqueeze_ view""".split()
)
OWN_METHODS = frozenset("hardsigmoid hardsigmoid_ sigmoid sigmoid_ tanh tanh_".split())
OWN_LAYERS = (
    "Dropout ELU GroupNorm Hardsigmoid Hardswish InstanceNorm1d InstanceNorm2d InstanceNorm3d "
    "LayerNorm LeakyReLU PReLU Sigmoid Softmax Tanh"
).split()


@cache
def _functions() -> dict[Any, Kind]:
    shared = [
        *(getattr(F, name) for name in """adaptive_avg_pool1d adaptive_avg_pool2d
        adaptive_avg_pool3d hardtanh hardtanh_ interpolate max_pool1d max_pool2d max_pool3d
        pixel_shuffle pixel_unshuffle relu relu6 avg_pool1d avg_pool2d avg_pool3d""".split()),
        *(getattr(flambeau, name) for name in """clamp flatten mean narrow repeat_interleave
        transpose squeeze stack unsqueeze relu max_pool1d max_pool2d max_pool3d avg_pool1d
        adaptive_avg_pool1d""".split()),
        operator.floordiv,
    ]  # fmt: skip
    own = [
        *(getattr(F, name) for name in """conv1d conv2d conv3d conv_transpose1d conv_transpose2d
        conv_transpose3d linear elu hardswish leaky_relu dropout group_norm instance_norm
        hardsigmoid layer_norm""".split()),
        *(getattr(flambeau, name) for name in """conv1d conv2d conv3d add mul matmul sigmoid
        tanh""".split()),
        operator.add, operator.mul,
    ]  # fmt: skip
    found = dict.fromkeys(shared, Kind.SHARED) | dict.fromkeys(own, Kind.OWN)
    return found | {flambeau.cat: Kind.JOINED}


@cache
def _layers() -> dict[type, Kind]:
    weighted = [*mappings.get_default_static_quant_module_mappings()]
    weighted += [*mappings.get_default_dynamic_quant_module_mappings()]
    weighted += [kind for room in (intrinsic, qat, fused_qat) for kind in vars(room).values()]
    weighted += [getattr(nn, name) for name in OWN_LAYERS]
    found = {kind: Kind.OWN for kind in weighted if isinstance(kind, type)}
    return found | {getattr(nn, name): Kind.SHARED for name in SHARED_LAYERS}


def module_of(node: Node, modules: dict[str, Any]) -> Any:
    """The layer that a node calls, or None."""
    return modules.get(node.target) if node.op == "call_module" else None


def kind_of(node: Node, modules: dict[str, Any]) -> Kind:
    """What becomes of a call."""
    if node.op == "call_module":
        return _layers().get(type(modules[node.target]), Kind.FREE)
    if node.op == "call_function":
        return _functions().get(node.target, Kind.FREE)
    if node.op == "call_method":
        if node.target in SHARED_METHODS:
            return Kind.SHARED
        return Kind.OWN if node.target in OWN_METHODS else Kind.FREE
    return Kind.FREE


def is_relu(node: Node, modules: dict[str, Any]) -> bool:
    """Whether a call cuts negative numbers off."""
    if node.op == "call_module":
        return type(modules[node.target]) is nn.ReLU
    if node.op == "call_function":
        return bool(node.target == F.relu or node.target == flambeau.relu)
    return node.op == "call_method" and node.target in ("relu", "relu_")
