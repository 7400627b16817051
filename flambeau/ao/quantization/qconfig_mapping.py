"""`QConfigMapping`: which parts of a traced model get which `QConfig`, and the ready-made ones.

Functions and methods are named as the graph names them. Stands on qconfig.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.quantization.fake_quantize import (
    default_fixed_qparams_range_0to1_fake_quant,
    default_fixed_qparams_range_neg1to1_fake_quant,
    default_weight_fake_quant,
)
from flambeau.ao.quantization.observer import (
    HistogramObserver,
    MinMaxObserver,
    NoopObserver,
    PlaceholderObserver,
    default_fixed_qparams_range_0to1_observer,
    default_fixed_qparams_range_neg1to1_observer,
    default_reuse_input_observer,
    default_weight_observer,
)
from flambeau.ao.quantization.qconfig import (
    QConfig,
    QConfigAny,
    get_default_qat_qconfig,
    get_default_qconfig,
)
from flambeau.nn import functional as F

__all__ = ["QConfigMapping", "get_default_qat_qconfig_mapping", "get_default_qconfig_mapping"]

KINDS = {
    "": "global_qconfig",
    "object_type": "object_type_qconfigs",
    "module_name_regex": "module_name_regex_qconfigs",
    "module_name": "module_name_qconfigs",
    "module_name_object_type_order": "module_name_object_type_order_qconfigs",
}
"""The parts of a mapping, by their key in a dictionary of it."""


class QConfigMapping:
    """Which `QConfig` each call of a graph gets: the most particular entry that fits it.

    By precedence: the n-th call of a type in a module, a module's name, a pattern of names, a type,
    the global one. None leaves a call as it is.
    """

    def __init__(self) -> None:
        self.global_qconfig: QConfigAny = None
        self.object_type_qconfigs: OrderedDict[Any, QConfigAny] = OrderedDict()
        self.module_name_regex_qconfigs: OrderedDict[str, QConfigAny] = OrderedDict()
        self.module_name_qconfigs: OrderedDict[str, QConfigAny] = OrderedDict()
        self.module_name_object_type_order_qconfigs: OrderedDict[
            tuple[str, Any, int], QConfigAny
        ] = OrderedDict()

    def set_global(self, global_qconfig: QConfigAny) -> QConfigMapping:
        """For all that nothing else says something of."""
        self.global_qconfig = global_qconfig
        return self

    def set_object_type(self, object_type: Any, qconfig: QConfigAny) -> QConfigMapping:
        """For a module class, a function, or the name of a method."""
        self.object_type_qconfigs[object_type] = qconfig
        return self

    def set_module_name_regex(self, module_name_regex: str, qconfig: QConfigAny) -> QConfigMapping:
        """For modules whose path the pattern matches; the first that does counts."""
        self.module_name_regex_qconfigs[module_name_regex] = qconfig
        return self

    def set_module_name(self, module_name: str, qconfig: QConfigAny) -> QConfigMapping:
        """For the module of that path, and what is in it."""
        self.module_name_qconfigs[module_name] = qconfig
        return self

    def set_module_name_object_type_order(
        self, module_name: str, object_type: Any, index: int, qconfig: QConfigAny
    ) -> QConfigMapping:
        """For the call number `index` of a type in a module."""
        self.module_name_object_type_order_qconfigs[module_name, object_type, index] = qconfig
        return self

    def to_dict(self) -> dict[str, Any]:
        """As a dictionary, entries as lists of tuples."""
        found: dict[str, Any] = {"": self.global_qconfig}
        for key, attribute in list(KINDS.items())[1:]:
            entries = getattr(self, attribute).items()
            found[key] = [(*(k if isinstance(k, tuple) else (k,)), v) for k, v in entries]
        return found

    @classmethod
    def from_dict(cls, qconfig_dict: dict[str, Any]) -> QConfigMapping:
        """Of such a dictionary."""
        made = cls()
        made.global_qconfig = qconfig_dict.get("")
        for key, attribute in list(KINDS.items())[1:]:
            for *name, config in qconfig_dict.get(key, ()):
                getattr(made, attribute)[tuple(name) if len(name) > 1 else name[0]] = config
        return made

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for attribute in KINDS.values():
            lines.append(f" {attribute}")
            value = getattr(self, attribute)
            if not isinstance(value, OrderedDict):
                lines.append(f"  {value}")
            elif not value:
                lines.append("  OrderedDict()")
            else:
                lines += [f"  {key}: {config}" for key, config in value.items()]
        return "\n".join([*lines, ")"])

    def of_type(self, kind: Any) -> QConfigAny:
        """What a type gets."""
        return self.object_type_qconfigs.get(kind, self.global_qconfig)

    def find(self, path: str, kind: Any, scope: str, count: int) -> QConfigAny:
        """What a call gets.

        Args:
            path: the module that is called, or in which the function is. kind: its type.
            scope: the module in which it is called. count: how many calls of this type in the scope
                came before.
        """
        order = self.module_name_object_type_order_qconfigs
        if (scope, kind, count) in order:
            return order[scope, kind, count]
        names = path.split(".")
        for k in range(len(names), 0, -1):
            above = ".".join(names[:k])
            if above in self.module_name_qconfigs:
                return self.module_name_qconfigs[above]
        for pattern, config in self.module_name_regex_qconfigs.items():
            if re.match(pattern, path):
                return config
        return self.of_type(kind)


def _ready_made(is_qat: bool, base: QConfig, whole_weight: Any) -> QConfigMapping:
    """The mapping of one `QConfig`, with what functions of a fixed range and layers whose weight
    has one scale get instead."""
    weight = default_weight_fake_quant if is_qat else default_weight_observer
    fixed = (
        (
            default_fixed_qparams_range_0to1_fake_quant,
            default_fixed_qparams_range_neg1to1_fake_quant,
        )
        if is_qat
        else (
            default_fixed_qparams_range_0to1_observer,
            default_fixed_qparams_range_neg1to1_observer,
        )
    )
    made = QConfigMapping().set_global(base)
    made.set_object_type("reshape", QConfig(default_reuse_input_observer, NoopObserver))
    transposed = QConfig(base.activation, whole_weight)
    for kind in (
        nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
        F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d,
    ):  # fmt: skip
        made.set_object_type(kind, transposed)
    for kind in (F.layer_norm, nn.LayerNorm):
        made.set_object_type(kind, QConfig(base.activation, PlaceholderObserver))
    made.set_object_type(nn.PReLU, QConfig(HistogramObserver, MinMaxObserver))
    unit: list[Any] = [nn.Hardsigmoid, F.hardsigmoid, "hardsigmoid", "hardsigmoid_", nn.Sigmoid]
    unit += [flambeau.sigmoid, "sigmoid", "sigmoid_", nn.Softmax]
    around_zero: list[Any] = [nn.Tanh, flambeau.tanh, "tanh", "tanh_"]
    for kinds, activation in zip((unit, around_zero), fixed, strict=True):
        for each in kinds:
            made.set_object_type(each, QConfig(activation, weight))
    return made


def get_default_qconfig_mapping(backend: str = "x86", version: int = 0) -> QConfigMapping:
    """What `prepare_fx` takes for quantisation after training.

    Raises:
        AssertionError: the backend is unknown.
    """
    base = get_default_qconfig(backend, version)
    return _ready_made(False, base, default_weight_observer)


def get_default_qat_qconfig_mapping(backend: str = "x86", version: int = 1) -> QConfigMapping:
    """What `prepare_qat_fx` takes for training with quantisation's error.

    Raises:
        AssertionError: the backend is unknown.
    """
    base = get_default_qat_qconfig(backend, version)
    return _ready_made(True, base, default_weight_fake_quant)
