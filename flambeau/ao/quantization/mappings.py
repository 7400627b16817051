"""Which layer of integers stands for which float layer, and which layers are observed."""

from __future__ import annotations

import copy
from typing import Any

from flambeau import nn
from flambeau.core.errors import fail

__all__ = [
    "fixed_range_fake_quants",
    "get_default_compare_output_module_list",
    "get_default_custom_config_dict",
    "get_default_dynamic_quant_module_mappings",
    "get_default_qat_module_mappings",
    "get_default_qconfig_propagation_list",
    "get_default_static_quant_module_mappings",
    "get_dynamic_quant_module_class",
    "get_static_quant_module_class",
    "no_observer_set",
]

_PLAIN = (
    "BatchNorm2d BatchNorm3d Dropout Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d "
    "ConvTranspose3d ELU GroupNorm Hardswish InstanceNorm1d InstanceNorm2d InstanceNorm3d "
    "LayerNorm LeakyReLU Linear ReLU6 PReLU"
).split()
_FUSED = "BNReLU2d BNReLU3d ConvReLU1d ConvReLU2d ConvReLU3d LinearReLU".split()
_TRAINED = (
    "ConvBn1d ConvBn2d ConvBn3d ConvBnReLU1d ConvBnReLU2d ConvBnReLU3d ConvReLU2d ConvReLU3d "
    "LinearReLU LinearBn1d"
).split()
_BECOMES = {
    "ConvBn1d": "Conv1d", "ConvBn2d": "Conv2d", "ConvBn3d": "Conv3d", "ConvBnReLU1d": "ConvReLU1d",
    "ConvBnReLU2d": "ConvReLU2d", "ConvBnReLU3d": "ConvReLU3d", "LinearBn1d": "Linear",
    "ConvReLU1d": "ConvReLU1d", "ConvReLU2d": "ConvReLU2d", "ConvReLU3d": "ConvReLU3d",
    "LinearReLU": "LinearReLU",
}  # fmt: skip
"""What trained with rounding -> the layer of integers."""


def get_default_static_quant_module_mappings() -> dict[Any, Any]:
    """The layers of integers that `convert` puts in after observation."""
    from flambeau.ao.nn import intrinsic, qat
    from flambeau.ao.nn import quantized as whole
    from flambeau.ao.nn.intrinsic import qat as fused_qat
    from flambeau.ao.nn.intrinsic import quantized as fused
    from flambeau.ao.quantization.prepare import DeQuantStub, QuantStub

    found: dict[Any, Any] = {QuantStub: whole.Quantize, DeQuantStub: whole.DeQuantize}
    found |= {getattr(nn, name): getattr(whole, name) for name in _PLAIN}
    found[nn.modules.linear.NonDynamicallyQuantizableLinear] = whole.Linear
    found[whole.FloatFunctional] = whole.QFunctional
    found |= {getattr(intrinsic, name): getattr(fused, name) for name in _FUSED}
    found |= {intrinsic.__dict__[f"ConvBn{n}d"]: getattr(whole, f"Conv{n}d") for n in (1, 2, 3)}
    found |= {
        getattr(fused_qat, name): getattr(whole, made, None) or getattr(fused, made)
        for name, made in _BECOMES.items()
    }
    for name in ("Conv1d", "Conv2d", "Conv3d", "Linear"):
        found[getattr(qat, name)] = getattr(whole, name)
    return found


def get_default_dynamic_quant_module_mappings() -> dict[Any, Any]:
    """The layers that `quantize_dynamic` puts in."""
    from flambeau.ao.nn import intrinsic
    from flambeau.ao.nn.quantized import dynamic

    names = ("GRUCell", "Linear", "LSTM", "GRU", "LSTMCell", "RNNCell")
    found = {getattr(nn, name): getattr(dynamic, name) for name in names}
    found[nn.modules.linear.NonDynamicallyQuantizableLinear] = dynamic.Linear
    return found | {intrinsic.LinearReLU: dynamic.LinearReLU}


def get_default_qat_module_mappings() -> dict[Any, Any]:
    """The layers that `prepare_qat` puts in."""
    from flambeau.ao.nn import intrinsic, qat
    from flambeau.ao.nn.intrinsic import qat as fused

    found = {getattr(nn, name): getattr(qat, name) for name in ("Conv2d", "Conv3d", "Linear")}
    found[nn.modules.linear.NonDynamicallyQuantizableLinear] = qat.Linear
    return found | {getattr(intrinsic, name): getattr(fused, name) for name in _TRAINED}


def fixed_range_fake_quants() -> dict[Any, Any]:
    """What rounds the outputs of layers whose range is known, in training."""
    from flambeau.ao.quantization.fake_quantize import (
        default_fixed_qparams_range_0to1_fake_quant,
        default_fixed_qparams_range_neg1to1_fake_quant,
    )

    found = dict.fromkeys(
        (nn.Hardsigmoid, nn.Sigmoid, nn.Softmax), default_fixed_qparams_range_0to1_fake_quant
    )
    return found | {nn.Tanh: default_fixed_qparams_range_neg1to1_fake_quant}


def get_default_qconfig_propagation_list() -> set[Any]:
    """The classes that get an observer where they have a qconfig."""
    qat = get_default_qat_module_mappings()
    return {
        *get_default_static_quant_module_mappings(), *qat, *qat.values(),
        *get_default_dynamic_quant_module_mappings(), nn.Sequential,
    }  # fmt: skip


def get_default_compare_output_module_list() -> set[Any]:
    """The classes whose outputs are worth comparing before and after."""
    static = get_default_static_quant_module_mappings()
    dynamic = get_default_dynamic_quant_module_mappings()
    qat = get_default_qat_module_mappings()
    return {
        *static, *static.values(), *dynamic, *dynamic.values(), *qat, *qat.values(), nn.Sequential,
    }  # fmt: skip


def no_observer_set() -> set[Any]:
    """The classes that are never observed: their parts are."""
    from flambeau.ao.nn import quantizable

    return {quantizable.LSTM, quantizable.MultiheadAttention}


def get_default_custom_config_dict() -> dict[str, Any]:
    """The layers that `prepare` takes apart, and what `convert` makes of them."""
    from flambeau.ao.nn import quantizable
    from flambeau.ao.nn import quantized as whole

    return {
        "float_to_observed_custom_module_class": {
            nn.LSTM: quantizable.LSTM,
            nn.MultiheadAttention: quantizable.MultiheadAttention,
        },
        "observed_to_quantized_custom_module_class": {
            quantizable.LSTM: whole.LSTM,
            quantizable.MultiheadAttention: whole.MultiheadAttention,
        },
    }


def _class_of(name: str, table: dict[Any, Any], wanted: Any, more: Any) -> Any:
    found = (table | (more or {})).get(wanted)
    if found is None:
        raise AssertionError(
            f"Floating point module class {wanted} does not have a corresponding {name} quantized "
            "module class."
        )
    return copy.deepcopy(found)


def get_static_quant_module_class(
    float_module_class: Any, additional_static_quant_mapping: Any = None, is_reference: bool = False
) -> Any:
    """The layer of integers for a float class.

    Raises:
        AssertionError: there is none. NotImplementedError: a reference module is asked for.
    """
    if is_reference:
        raise fail(
            NotImplementedError, "get_static_quant_module_class", "reference modules are not built."
        )
    table = get_default_static_quant_module_mappings()
    return _class_of("static", table, float_module_class, additional_static_quant_mapping)


def get_dynamic_quant_module_class(
    float_module_class: Any, additional_dynamic_quant_mapping: Any = None
) -> Any:
    """The layer with integer weights for a float class.

    Raises:
        AssertionError: there is none.
    """
    table = get_default_dynamic_quant_module_mappings()
    return _class_of("dynamic", table, float_module_class, additional_dynamic_quant_mapping)
