"""`cuda` and `accelerator` answer as a CPU build does; FLAMBEAU_CUDA=cpu opts in."""

from __future__ import annotations

import pytest

from flambeau import accelerator, cuda


def test_questions_have_answers():
    assert cuda.is_available() is False and cuda.device_count() == 0
    assert cuda.memory_allocated() == cuda.max_memory_reserved() == 0
    assert cuda.is_initialized() is False and cuda.get_arch_list() == []
    assert cuda.is_bf16_supported() is False and cuda.get_rng_state_all() == []
    assert cuda.memory_stats() == {} and cuda.default_generators == ()


def test_commands_that_need_no_device_do_nothing():
    for command in (cuda.empty_cache, cuda.seed_all, cuda.reset_peak_memory_stats):
        assert command() is None
    assert cuda.manual_seed(1) is None and cuda.manual_seed_all(1) is None
    with cuda.stream(None), cuda.device(-1), cuda.device_of(object()):
        pass
    cuda.set_device(-1)


@pytest.mark.parametrize(
    "name",
    ["current_device", "synchronize", "init", "get_device_name", "get_device_properties",
     "get_device_capability", "current_stream", "mem_get_info", "initial_seed", "get_rng_state",
     "ipc_collect"],
)  # fmt: skip
def test_what_needs_a_device_says_so(name):
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled") as caught:
        getattr(cuda, name)()
    assert name in str(caught.value) and "is_available()" in str(caught.value)


def test_other_refusals():
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
        cuda.set_device(0)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        cuda.set_device("cpu")
    for kind in (cuda.Stream, cuda.Event, cuda.CUDAGraph):
        with pytest.raises(RuntimeError):
            kind()
    with pytest.raises(RuntimeError, match="without CUDA"), cuda.device(0):
        pass
    with pytest.raises(RuntimeError, match="NVTX"):
        cuda.nvtx.range_push("x")


def test_opting_in(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_CUDA", "cpu")
    assert cuda.is_available() and cuda.device_count() == 1 and cuda.current_device() == 0
    assert "CPU" in cuda.get_device_name() and cuda.get_device_properties(0).total_memory >= 0
    cuda.synchronize()
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    end.record()
    assert start.elapsed_time(end) >= 0
    with cuda.device(0), cuda.stream(cuda.Stream()):
        pass
    assert accelerator.is_available() and str(accelerator.current_accelerator()) == "cuda"


def test_accelerator():
    assert accelerator.is_available() is False and accelerator.device_count() == 0
    assert accelerator.current_accelerator() is None
    for name in ("synchronize", "current_device_index", "empty_cache", "memory_allocated"):
        with pytest.raises(RuntimeError, match="Cannot access accelerator device when none"):
            getattr(accelerator, name)()
    with accelerator.device_index(None):
        pass
