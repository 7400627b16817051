"""``torch.ao.nn.quantized``: layers that compute with integers. Their inputs are quantised tensors;
those of `dynamic` take numbers."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

from flambeau.ao.nn.quantized.combining import FloatFunctional, FXFloatFunctional, QFunctional
from flambeau.ao.nn.quantized.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from flambeau.ao.nn.quantized.linear import DeQuantize, Linear, Quantize
from flambeau.ao.nn.quantized.pointwise import (
    ELU,
    BatchNorm2d,
    BatchNorm3d,
    Dropout,
    GroupNorm,
    Hardswish,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    LayerNorm,
    LeakyReLU,
    PReLU,
    ReLU6,
    Sigmoid,
    Softmax,
)
from flambeau.nn import MaxPool2d

__all__ = [
    "ELU",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "DeQuantize",
    "Dropout",
    "FXFloatFunctional",
    "FloatFunctional",
    "GroupNorm",
    "Hardswish",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LSTM",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "MultiheadAttention",
    "PReLU",
    "QFunctional",
    "Quantize",
    "ReLU6",
    "Sigmoid",
    "Softmax",
]


OBSERVED = ("LSTM", "MultiheadAttention")
"""Those that stand on layers which stand on this room."""


def __getattr__(name: str) -> _Any:
    if name in OBSERVED:
        return getattr(_import_module("flambeau.ao.nn.quantized.observed"), name)
    if name == "dynamic":
        return _import_module("flambeau.ao.nn.quantized.dynamic")
    from flambeau.shim.suggest import missing

    raise missing("torch.ao.nn.quantized", name, globals())
