"""The switches of `torch.backends`: kept, checked, restored by their context managers."""

from __future__ import annotations

import importlib

import pytest

from flambeau import backends


def test_what_there_is():
    assert backends.mps.is_available() is False and backends.mps.is_built() is False
    assert backends.cudnn.is_available() is False and backends.cudnn.version() is None
    assert backends.cuda.is_built() is False
    assert backends.mkldnn.is_available() and backends.openmp.is_available()
    assert isinstance(backends.cpu.get_cpu_capability(), str)


def test_switches_keep_what_is_set():
    assert backends.cudnn.benchmark is False and backends.cudnn.enabled is True
    with backends.cudnn.flags(benchmark=True, deterministic=True):
        assert backends.cudnn.benchmark is True and backends.cudnn.deterministic is True
    assert backends.cudnn.benchmark is False and backends.cudnn.deterministic is False
    backends.cuda.matmul.allow_tf32 = True
    assert backends.cuda.matmul.allow_tf32 is True
    backends.cuda.matmul.allow_tf32 = False


def test_wrong_values_and_names():
    with pytest.raises(RuntimeError, match=r"torch\.backends\.cudnn\.benchmark expected a bool"):
        backends.cudnn.benchmark = "yes"
    with pytest.raises(AttributeError, match="'benchmark'"):
        backends.cudnn.benchmarks = True
    with pytest.raises(AttributeError, match="Did you mean: 'deterministic'"):
        _ = backends.cudnn.determinstic


def test_importable_by_path():
    assert importlib.import_module("flambeau.backends.cudnn") is backends.cudnn
    assert importlib.import_module("flambeau.backends.cuda.matmul") is backends.cuda.matmul


def test_attention_kernels():
    assert backends.cuda.flash_sdp_enabled()
    with backends.cuda.sdp_kernel(enable_flash=False):
        assert not backends.cuda.flash_sdp_enabled() and backends.cuda.math_sdp_enabled()
    backends.cuda.enable_math_sdp(False)
    assert not backends.cuda.math_sdp_enabled()
    backends.cuda.enable_math_sdp(True)
