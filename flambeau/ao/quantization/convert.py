"""Models of integers: observed layers swapped for those of ao.nn.quantized, and the functions that
do the whole way (`quantize`, `quantize_qat`, `quantize_dynamic`)."""

from __future__ import annotations

import copy
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.quantization import mappings
from flambeau.ao.quantization.fake_quantize import FakeQuantizeBase
from flambeau.ao.quantization.observer import ObserverBase
from flambeau.ao.quantization.prepare import (
    _observer_forward_hook,
    prepare,
    prepare_qat,
    propagate_qconfig_,
    unobserve,
)
from flambeau.ao.quantization.qconfig import (
    default_dynamic_qconfig,
    float16_dynamic_qconfig,
)
from flambeau.core.errors import fail
from flambeau.nn.modules.module import Module

__all__ = ["convert", "quantize", "quantize_dynamic", "quantize_qat", "swap_module"]


def convert(
    module: Module,
    mapping: Any = None,
    inplace: bool = False,
    remove_qconfig: bool = True,
    is_reference: bool = False,
    convert_custom_config_dict: Any = None,
    use_precomputed_fake_quant: bool = False,
) -> Any:
    """A copy of an observed model whose layers compute with integers.

    Args:
        mapping: float class -> the class put in; `get_default_static_quant_module_mappings()`.
        inplace: change the model itself.
        convert_custom_config_dict: under "observed_to_quantized_custom_module_class", the class of
            `prepare`'s -> the class of integers, made by its `from_observed`.

    Raises:
        NotImplementedError: reference modules are asked for.
    """
    if is_reference:
        raise fail(NotImplementedError, "convert", "reference modules are not built.")
    model = module if inplace else copy.deepcopy(module)
    table = mappings.get_default_static_quant_module_mappings() if mapping is None else mapping
    if convert_custom_config_dict is None:
        convert_custom_config_dict = mappings.get_default_custom_config_dict()
    custom = convert_custom_config_dict.get("observed_to_quantized_custom_module_class", {})
    _swap_all(model, table, custom)
    if remove_qconfig:
        for each in model.modules():
            each.__dict__.pop("qconfig", None)
            if _observed(each):
                unobserve(each)
    return model


def _observed(module: Module) -> bool:
    seen = module._modules.get("activation_post_process")
    return isinstance(seen, (ObserverBase, FakeQuantizeBase))


def _swap_all(module: Module, table: Any, custom: Any) -> None:
    from flambeau.ao.nn.intrinsic import _FusedModule

    for name, child in module.named_children():
        if not isinstance(child, _FusedModule) and type(child) not in (*table, *custom):
            _swap_all(child, table, custom)
        module._modules[name] = swap_module(child, table, custom)


def swap_module(
    mod: Module,
    mapping: Any,
    custom_module_class_mapping: Any = None,
    use_precomputed_fake_quant: bool = False,
) -> Any:
    """What stands for a module with a qconfig, if a mapping has its class; else the module. Hooks
    of the user's go with it.

    Args:
        custom_module_class_mapping: classes of the user's -> those made by `from_observed`.
    """
    own = (custom_module_class_mapping or {}).get(type(mod))
    kind = mapping.get(type(mod))
    if getattr(mod, "qconfig", None) is None or (own is None and kind is None):
        return mod
    made = kind.from_float(mod) if own is None else own.from_observed(mod)
    for hook in mod._forward_pre_hooks.values():
        made.register_forward_pre_hook(hook)
    for hook in mod._forward_hooks.values():
        if hook is not _observer_forward_hook:
            made.register_forward_hook(hook)
    return made


def quantize(
    model: Module, run_fn: Any, run_args: Any, mapping: Any = None, inplace: bool = False
) -> Any:
    """A model of integers: prepared, observed while `run_fn(model, *run_args)` runs, converted."""
    model = model if inplace else copy.deepcopy(model)
    model.eval()
    prepare(model, inplace=True)
    run_fn(model, *run_args)
    return convert(model, mapping, inplace=True)


def quantize_qat(model: Module, run_fn: Any, run_args: Any, inplace: bool = False) -> Any:
    """A model of integers that trained with their rounding in `run_fn(model, *run_args)`."""
    model = model if inplace else copy.deepcopy(model)
    model.train()
    prepare_qat(model, inplace=True)
    run_fn(model, *run_args)
    return convert(model, inplace=True)


_RECURRENT = (nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)


def quantize_dynamic(
    model: Module,
    qconfig_spec: Any = None,
    dtype: Any = flambeau.qint8,
    mapping: Any = None,
    inplace: bool = False,
) -> Any:
    """A copy whose linear and recurrent layers have weights of integers, and quantise their inputs
    as they come.

    Args:
        qconfig_spec: the classes or names meant, or their qconfigs; linear and recurrent layers by
            default.
        dtype: torch.qint8, or torch.float16 for weights rounded to it.

    Raises:
        ValueError, RuntimeError: another dtype.
    """
    if qconfig_spec is None:
        configs = {
            flambeau.qint8: default_dynamic_qconfig, flambeau.float16: float16_dynamic_qconfig,
        }  # fmt: skip
        if dtype not in configs:
            raise fail(
                ValueError,
                "quantize_dynamic",
                f"Don't know how to quantize with default settings for {dtype}. Provide full qconfig please",  # noqa: E501
            )
        qconfig_spec = dict.fromkeys((nn.Linear, *_RECURRENT), configs[dtype])
    elif isinstance(qconfig_spec, set):
        chosen = {
            flambeau.qint8: default_dynamic_qconfig, flambeau.float16: float16_dynamic_qconfig,
        }.get(dtype)  # fmt: skip
        if chosen is None:
            raise fail(
                RuntimeError,
                "quantize_dynamic",
                f"Unknown dtype specified for quantize_dynamic: {dtype}",
            )
        qconfig_spec = dict.fromkeys(qconfig_spec, chosen)
    if mapping is None:
        mapping = mappings.get_default_dynamic_quant_module_mappings()
    model = model if inplace else copy.deepcopy(model)
    model.eval()
    propagate_qconfig_(model, qconfig_spec)
    convert(model, mapping, inplace=True)
    return model
