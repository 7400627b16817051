"""Devices: spelling, comparison, the default device, refusals."""

from __future__ import annotations

import pickle
import threading

import pytest

from flambeau.core.device import (
    CPU,
    META,
    as_device,
    default_device,
    device,
    require_usable,
    set_default_device,
)


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        (("cpu",), "device(type='cpu')"),
        (("cuda:1",), "device(type='cuda', index=1)"),
        (("cuda", 1), "device(type='cuda', index=1)"),
        (("meta",), "device(type='meta')"),
        ((CPU,), "device(type='cpu')"),
    ],
)
def test_spellings(spelling: tuple[object, ...], text: str) -> None:
    found = device(*spelling)
    assert repr(found) == text
    assert pickle.loads(pickle.dumps(found)) == found


def test_comparison() -> None:
    assert device("cuda:1") == device("cuda", 1)
    assert hash(device("cuda:1")) == hash(device("cuda", 1))
    assert device("cuda") != device("cuda:0")
    assert device("cpu") != "cpu"
    assert str(device("cuda", 1)) == "cuda:1"


@pytest.mark.parametrize(
    "bad", ["", "foo", "cuda:", "cuda:-1", "cuda:01", "CUDA", "cuda:1:2", ":1"]
)
def test_bad_strings(bad: str) -> None:
    with pytest.raises(RuntimeError):
        device(bad)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), TypeError),
        ((None,), TypeError),
        ((1.5,), TypeError),
        ((True,), TypeError),
        (("cuda", "1"), TypeError),
        (("cuda:0", 1), RuntimeError),
        (("cuda", -1), RuntimeError),
        ((-1,), RuntimeError),
        ((0,), RuntimeError),
    ],
)
def test_bad_arguments(arguments: tuple[object, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        device(*arguments)


def test_unwritable() -> None:
    with pytest.raises(AttributeError, match="not writable"):
        device("cpu").type = "cuda"


def test_blocks_nest_and_stay_in_their_thread() -> None:
    seen = []
    with META as entered:
        assert entered is META
        assert default_device() is META
        with CPU:
            assert as_device(None) is CPU
        assert default_device() is META
        thread = threading.Thread(target=lambda: seen.append(default_device()))
        thread.start()
        thread.join()
    assert default_device() is CPU
    assert seen == [CPU]


def test_a_device_decorates() -> None:
    @META
    def where() -> device:
        return default_device()

    assert where() is META
    assert default_device() is CPU


def test_set_default_device() -> None:
    set_default_device("meta")
    try:
        assert default_device() == META
        with CPU:
            assert default_device() is CPU
    finally:
        set_default_device(None)
    assert default_device() is CPU


def test_as_device() -> None:
    assert as_device("meta") == META
    with pytest.raises(TypeError, match=r"must be torch\.device, not float"):
        as_device(1.5)


def test_only_cpu_and_meta_hold_tensors() -> None:
    assert require_usable(CPU, "ones") is CPU
    assert require_usable(META, "ones") is META
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        require_usable(device("cuda"), "ones")
    with pytest.raises(NotImplementedError, match="mps"):
        require_usable(device("mps"), "ones")
