"""Kept memory: arrays that are NumPy's own, blocks that are used again, bounds, statistics."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from flambeau.core.kernels import memory
from flambeau.core.kernels.jit import blocks, build

pytestmark = pytest.mark.skipif(not memory.context(), reason="memory is left to NumPy here")

BYTE = np.dtype("u1")


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """Books of our own: other tests' arrays come and go as they please."""
    found = memory._Kept()
    monkeypatch.setattr(memory, "_kept", lambda: found)
    return found


def now(name: str) -> int:
    gc.collect()
    return memory.statistics()[name]


@pytest.mark.parametrize("size", [1 << 16, (1 << 18) + 1, (1 << 22) - 64, 1 << 22, 5000000])
def test_arrays_are_numpys_own(size):
    before = now("active_bytes.all.current")
    array = memory.empty(size, BYTE)
    assert array.flags.owndata and array.base is None and array.ctypes.data % 64 == 0
    array[:] = 7
    held = now("active_bytes.all.current") - before
    assert size <= held <= size * 1.42 + 8192
    del array
    assert now("active_bytes.all.current") == before


def test_small_ones_are_left_to_numpy():
    before = now("active.all.allocated")
    assert memory.empty((4, 4), np.dtype("f4")).shape == (4, 4)
    assert memory.empty_like(np.zeros(3)).dtype == np.float64
    assert now("active.all.allocated") == before


def test_a_block_is_used_again():
    first = memory.empty(1 << 20, BYTE)
    place = first.ctypes.data
    del first
    hits = now("num_device_alloc")
    second = memory.empty((1 << 20) - 4096, BYTE)
    assert second.ctypes.data == place and now("num_device_alloc") == hits


def test_what_waits_is_bounded_by_what_lived():
    memory.release()
    for size in range(20, 60):  # of many sizes, one at a time
        memory.empty(size << 20, BYTE)[::4096] = 1
    most = now("allocated_bytes.all.peak") + memory.SLACK
    assert now("reserved_bytes.all.current") <= most
    memory.release()
    assert now("reserved_bytes.all.current") == now("allocated_bytes.all.current")
    assert now("inactive_split_bytes.all.current") == 0


def test_resizing_keeps_the_numbers():
    array = memory.empty((600, 600), np.dtype("f8"))
    array[:] = np.arange(600)
    array.resize((900, 600), refcheck=False)
    assert (array[:600] == np.arange(600)).all()
    array.resize((2, 600), refcheck=False)
    assert (array == np.arange(600)).all()


def test_zeros_are_zeros(kept):
    context = kept.context
    memory.empty(1 << 20, BYTE)[:] = 9
    assert not context.run(np.zeros, 1 << 20, BYTE).any()


def test_more_than_there_is_is_refused():
    with pytest.raises(MemoryError):
        memory.empty(1 << 50, BYTE)


def test_large_results_of_native_functions_are_kept():
    from flambeau.core.kernels.native import choose

    add = choose.lazily("add", np.add)
    x = np.ones((1 << 18,), "f4")
    handler = np._core.multiarray.get_handler_name
    found = add(x, x)
    assert handler(found) == "flambeau" and found[-1] == 2
    assert handler(np.empty(1 << 20)) != "flambeau" and handler(add(x[:9], x[:9])) != "flambeau"


def test_sizes_come_in_eight_steps():
    sizes = [blocks.size_of(k) for k in range(blocks.HEADS)]
    assert sizes[0] == 1 << blocks.LEAST and sizes[blocks.STEPS] == 2 << blocks.LEAST
    assert all(a < b <= a * 1.125 and b % 4096 == 0 for a, b in zip(sizes, sizes[1:], strict=False))
    assert build.available()
