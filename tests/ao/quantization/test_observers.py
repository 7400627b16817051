"""Observers find PyTorch's scales, and their state is kept and loaded."""

from __future__ import annotations

import warnings
from importlib import import_module

import pytest

import flambeau
import flambeau.ao.quantization.observer

TENSOR = ["per_tensor_affine", "per_tensor_symmetric"]
CHANNEL = ["per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams"]
KINDS = [
    (name, scheme)
    for name, schemes in [
        ("MinMaxObserver", TENSOR),
        ("MovingAverageMinMaxObserver", TENSOR),
        ("PerChannelMinMaxObserver", CHANNEL),
        ("MovingAveragePerChannelMinMaxObserver", CHANNEL),
    ]
    for scheme in schemes
]


def observed(of, name, scheme, dtype, reduce_range):
    kind = getattr(import_module(f"{of.__name__}.ao.quantization.observer"), name)
    settings = {"qscheme": getattr(of, scheme), "dtype": getattr(of, dtype)}
    x = of.tensor([[[-4.0, -3.0], [-2.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]])
    try:
        seeing = kind(reduce_range=reduce_range, **settings)
    except NotImplementedError:
        return None
    held = seeing.min_val
    for values in (x, x * 1.5 - 0.3):
        seeing(values)
    assert seeing.min_val is held
    again = kind(reduce_range=reduce_range, **settings)
    again.load_state_dict(seeing.state_dict())
    found = [value.tolist() for value in seeing.calculate_qparams()]
    assert [value.tolist() for value in again.calculate_qparams()] == found
    return (
        found,
        [str(value.dtype) for value in seeing.calculate_qparams()],
        sorted(seeing.state_dict()),
    )


@pytest.mark.parametrize("reduce_range", [False, True])
@pytest.mark.parametrize("dtype", ["quint8", "qint8", "qint32"])
@pytest.mark.parametrize(("name", "scheme"), KINDS)
def test_scales_and_state(oracle, name, scheme, dtype, reduce_range):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says each time that halving will go away
        theirs = observed(oracle, name, scheme, dtype, reduce_range)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please use quant_min and quant_max")
        ours = observed(flambeau, name, scheme, dtype, reduce_range)
    assert ours == theirs


@pytest.mark.parametrize("bias", [None, True])
def test_layers_with_batch_norm_take_pytorchs_order_of_arguments(oracle, bias):
    def run(of):
        room = import_module(f"{of.__name__}.ao.nn.intrinsic.qat")
        qconfig = import_module(f"{of.__name__}.ao.quantization").default_qat_qconfig
        layer = room.ConvBn2d(2, 3, 3, 2, 1, 1, 1, bias, "zeros", 1e-3, 0.2, True, qconfig)
        found = layer.stride, layer.padding, layer.bias is None, layer.bn.eps, layer.bn.momentum
        assert layer.qconfig is qconfig and not layer.bn.training
        return found, room.ConvBn1d(2, 3, 1, qconfig=qconfig).bias is None

    assert run(flambeau) == run(oracle)


def test_a_norm_over_processes_keeps_its_qconfig():
    layer = flambeau.nn.BatchNorm2d(3)
    layer.qconfig = flambeau.ao.quantization.default_qconfig
    converted = flambeau.nn.SyncBatchNorm.convert_sync_batchnorm(layer)
    assert converted.qconfig is layer.qconfig
