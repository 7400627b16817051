"""Models made ready: observers put behind modules (`prepare`), weights rounded in training
(`prepare_qat`), stubs that say where quantised parts begin and end. Stands on mappings."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from flambeau import nn
from flambeau.ao.quantization.mappings import (
    fixed_range_fake_quants,
    get_default_custom_config_dict,
    get_default_qat_module_mappings,
    get_default_qconfig_propagation_list,
    no_observer_set,
)
from flambeau.ao.quantization.observer import (
    MovingAveragePerChannelMinMaxObserver,
    PerChannelMinMaxObserver,
)
from flambeau.ao.quantization.qconfig import QConfig
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = [
    "DeQuantStub",
    "QuantStub",
    "QuantWrapper",
    "add_quant_dequant",
    "default_eval_fn",
    "prepare",
    "prepare_qat",
    "propagate_qconfig_",
    "unobserve",
]


class QuantStub(Module):
    """Where numbers become quantised; an observer is put behind it."""

    def __init__(self, qconfig: QConfig | None = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x


class DeQuantStub(QuantStub):
    """Where quantised numbers become numbers again."""


class QuantWrapper(Module):
    """A module between stubs."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        qconfig = getattr(module, "qconfig", None)
        self.add_module("quant", QuantStub(qconfig))
        self.add_module("dequant", DeQuantStub(qconfig))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X: Tensor) -> Any:
        """The module's output."""
        return self.dequant(self.module(self.quant(X)))


def add_quant_dequant(module: Module) -> Module:
    """Put stubs around every leaf that has a qconfig."""
    if not list(module.children()) and getattr(module, "qconfig", None):
        return QuantWrapper(module)
    for name, child in list(module.named_children()):
        module._modules[name] = add_quant_dequant(child)
    return module


def default_eval_fn(model: Module, calib_data: Any) -> None:
    """Run a model over data, for its observers."""
    for data, _ in calib_data:
        model(data)


def propagate_qconfig_(
    module: Module, qconfig_dict: Any = None, prepare_custom_config_dict: Any = None
) -> None:
    """Give every module the qconfig of its parent, where it has none of its own.

    Args:
        qconfig_dict: name or class of a module -> its qconfig; "" is the whole.

    Raises:
        AssertionError: a transposed convolution would be quantised by channel.
    """
    table = qconfig_dict or {}

    def visit(each: Module, above: Any, path: str) -> None:
        own = getattr(each, "qconfig", above)
        own = table.get(path, table.get(type(each), own))
        _check_transposed(each, own)
        each.qconfig = own
        for name, child in each.named_children():
            visit(child, own, f"{path}.{name}" if path else name)

    visit(module, getattr(module, "qconfig", table.get("")), "")


def _check_transposed(module: Module, qconfig: Any) -> None:
    if qconfig is None or not isinstance(module, nn.modules.conv._ConvTransposeNd):
        return
    weight = qconfig.weight()
    if isinstance(weight, (PerChannelMinMaxObserver, MovingAveragePerChannelMinMaxObserver)):
        raise AssertionError(
            "Per channel weight observer is not supported yet for ConvTranspose{n}d."
        )


def _observe(module: Any, made: Any = None) -> None:
    """Put an observer behind a module that has a qconfig, before the hooks of the user's."""
    if isinstance(module, DeQuantStub) or getattr(module, "qconfig", None) is None:
        return
    made = module.qconfig.activation() if made is None else made()
    module.add_module("activation_post_process", made)
    module.register_forward_hook(_observer_forward_hook, prepend=True)


def _observer_forward_hook(self: Any, inputs: Any, output: Any) -> Any:
    return self.activation_post_process(output)


def unobserve(module: Module) -> None:
    """Take the observer of a module's outputs away, and its hook."""
    module._modules.pop("activation_post_process", None)
    for key, hook in list(module._forward_hooks.items()):
        if hook is _observer_forward_hook:
            del module._forward_hooks[key]


def _observe_all(module: Module, leaves: Any, whole: Any, custom: Any) -> None:
    from flambeau.ao.nn.intrinsic import _FusedModule
    from flambeau.ao.nn.quantized import FloatFunctional

    fixed, apart = fixed_range_fake_quants(), no_observer_set()
    for name, child in list(module.named_children()):
        wanted = getattr(child, "qconfig", None) is not None
        if isinstance(child, nn.Dropout):
            continue
        if isinstance(child, FloatFunctional):
            if wanted:  # it shows its results itself
                child.activation_post_process = child.qconfig.activation()
        elif isinstance(child, _FusedModule) or type(child) in whole:
            _observe(child)
        elif child.training and type(child) in fixed:
            _observe(child, fixed[type(child)])
        elif wanted and type(child) in custom:
            observed = custom[type(child)].from_float(child)
            setattr(module, name, observed)
            if type(observed) not in apart:
                _observe(observed)
        else:
            _observe_all(child, leaves, whole, custom)
    if not module._modules and type(module) in leaves and not isinstance(module, nn.Sequential):
        _observe(module)


def prepare(
    model: Module,
    inplace: bool = False,
    allow_list: Any = None,
    observer_non_leaf_module_list: Any = None,
    prepare_custom_config_dict: Any = None,
) -> Module:
    """A copy whose modules with a qconfig are observed.

    Args:
        inplace: change the model itself. allow_list: the classes of leaves that may be observed.
        observer_non_leaf_module_list: classes that are observed as one, with what they hold.
        prepare_custom_config_dict: under "float_to_observed_custom_module_class", a class of the
            user's -> the class that observes itself, made by its `from_float`; LSTM and attention
            by default.
    """
    model = model if inplace else copy.deepcopy(model)
    propagate_qconfig_(model)
    if not any(getattr(m, "qconfig", None) is not None for m in model.modules()):
        warnings.warn(
            "None of the submodule got qconfig applied: assign .qconfig to the model or to the "
            "modules meant, before prepare.",
            stacklevel=2,
        )
    leaves = get_default_qconfig_propagation_list() if allow_list is None else allow_list
    if prepare_custom_config_dict is None:
        prepare_custom_config_dict = get_default_custom_config_dict()
    custom = prepare_custom_config_dict.get("float_to_observed_custom_module_class", {})
    _observe_all(model, leaves, set(observer_non_leaf_module_list or ()), custom)
    return model


def prepare_qat(model: Module, mapping: Any = None, inplace: bool = False) -> Module:
    """A copy for training with quantisation's error: outputs and weights are rounded.

    Raises:
        AssertionError: the model is not in training mode.
    """
    if not model.training:
        raise AssertionError("prepare_qat only works on models in training mode")
    from flambeau.ao.quantization.convert import convert

    table = get_default_qat_module_mappings() if mapping is None else mapping
    model = model if inplace else copy.deepcopy(model)
    propagate_qconfig_(model)
    convert(model, mapping=table, inplace=True, remove_qconfig=False)
    return prepare(model, inplace=True, observer_non_leaf_module_list=set(table.values()))
