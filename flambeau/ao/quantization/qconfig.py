"""`QConfig`: which observers a module's outputs and weights get; the ready-made ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import flambeau
from flambeau.ao.quantization.fake_quantize import (
    FusedMovingAvgObsFakeQuantize,
    default_fake_quant,
    default_fused_act_fake_quant,
    default_fused_per_channel_wt_fake_quant,
    default_fused_wt_fake_quant,
    default_weight_fake_quant,
)
from flambeau.ao.quantization.observer import (
    HistogramObserver,
    NoopObserver,
    PlaceholderObserver,
    default_debug_observer,
    default_dynamic_quant_observer,
    default_float_qparams_observer,
    default_observer,
    default_per_channel_weight_observer,
    default_placeholder_observer,
    default_weight_observer,
)

__all__ = [
    "QConfig",
    "QConfigAny",
    "default_activation_only_qconfig",
    "default_debug_qconfig",
    "default_dynamic_qconfig",
    "default_per_channel_qconfig",
    "default_qat_qconfig",
    "default_qat_qconfig_v2",
    "default_qconfig",
    "default_weight_only_qconfig",
    "float16_dynamic_qconfig",
    "float16_static_qconfig",
    "float_qparams_weight_only_qconfig",
    "get_default_qat_qconfig",
    "get_default_qconfig",
    "per_channel_dynamic_qconfig",
    "qconfig_equals",
]


class QConfig(NamedTuple):
    """What makes the observers of outputs and of weights.

    Args:
        activation, weight: classes, or `with_args` of them.
    """

    activation: Any
    weight: Any


QConfigAny = QConfig | None

default_qconfig = QConfig(activation=default_observer, weight=default_weight_observer)
default_debug_qconfig = QConfig(activation=default_debug_observer, weight=default_weight_observer)
default_per_channel_qconfig = QConfig(
    activation=default_observer, weight=default_per_channel_weight_observer
)
default_dynamic_qconfig = QConfig(
    activation=default_dynamic_quant_observer, weight=default_weight_observer
)
float16_dynamic_qconfig = QConfig(
    activation=PlaceholderObserver.with_args(dtype=flambeau.float16, is_dynamic=True),
    weight=PlaceholderObserver.with_args(dtype=flambeau.float16),
)
float16_static_qconfig = QConfig(
    activation=PlaceholderObserver.with_args(dtype=flambeau.float16),
    weight=PlaceholderObserver.with_args(dtype=flambeau.float16),
)
per_channel_dynamic_qconfig = QConfig(
    activation=default_dynamic_quant_observer, weight=default_per_channel_weight_observer
)
float_qparams_weight_only_qconfig = QConfig(
    activation=default_placeholder_observer, weight=default_float_qparams_observer
)
default_qat_qconfig = QConfig(activation=default_fake_quant, weight=default_weight_fake_quant)
default_weight_only_qconfig = QConfig(
    activation=NoopObserver.with_args(dtype=flambeau.float32), weight=default_weight_fake_quant
)
default_activation_only_qconfig = QConfig(
    activation=default_fake_quant, weight=NoopObserver.with_args(dtype=flambeau.float32)
)
default_qat_qconfig_v2 = QConfig(
    activation=default_fused_act_fake_quant, weight=default_fused_wt_fake_quant
)
REDUCED = ("fbgemm", "x86")


def _known(backend: str) -> None:
    if backend not in ("fbgemm", "x86", "qnnpack", "onednn"):
        raise AssertionError(
            f"backend: {backend} not supported. backend must be one of ['x86', 'fbgemm', "
            "'qnnpack', 'onednn']"
        )


def get_default_qconfig(backend: str = "x86", version: int = 0) -> QConfig:
    """The observers for quantisation after training.

    Raises:
        AssertionError: the backend is unknown.
    """
    _known(backend)
    weight = default_per_channel_weight_observer
    if backend == "qnnpack":
        weight = default_weight_observer
    reduced = backend in REDUCED
    return QConfig(activation=HistogramObserver.with_args(reduce_range=reduced), weight=weight)


def get_default_qat_qconfig(backend: str = "x86", version: int = 1) -> QConfig:
    """The observers for training with quantisation's error.

    Raises:
        AssertionError: the backend is unknown.
    """
    _known(backend)
    from flambeau.ao.quantization.observer import MovingAverageMinMaxObserver

    reduced = backend in REDUCED
    return QConfig(
        activation=FusedMovingAvgObsFakeQuantize.with_args(
            observer=MovingAverageMinMaxObserver,
            quant_min=0,
            quant_max=255,
            reduce_range=reduced,
        ),
        weight=default_fused_wt_fake_quant
        if backend == "qnnpack"
        else default_fused_per_channel_wt_fake_quant,
    )


def qconfig_equals(q1: Any, q2: Any) -> bool:
    """Whether two say the same."""
    if q1 is None or q2 is None:
        return q1 is q2
    return repr(q1) == repr(q2)
