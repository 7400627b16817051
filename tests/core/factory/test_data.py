"""`asarray`: who is copied, who keeps a history, who is told to require a gradient."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import flambeau

SOURCES = {
    "leaf": lambda t: t.tensor([1.0, 2.0], requires_grad=True),
    "computed": lambda t: t.tensor([1.0, 2.0], requires_grad=True) + 2,
    "plain": lambda t: t.tensor([1.0, 2.0]),
    "array": lambda t: np.ones(2),
    "list": lambda t: [1.0, 2.0],
}


@pytest.mark.parametrize("source", SOURCES)
def test_asarray(source, oracle):
    for copy, grad, double in itertools.product((None, True, False), (None, True, False), (0, 1)):
        found = []
        for t in (flambeau, oracle):
            given = SOURCES[source](t)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # PyTorch tells of a default that changed
                    kind = t.float64 if double else None
                    y = t.asarray(given, copy=copy, requires_grad=grad, dtype=kind)
            except Exception as problem:
                found.append(type(problem).__name__)
            else:
                known = getattr(given, "requires_grad", None)
                found.append((str(y), y is given, y.is_leaf, known))
        assert found[0] == found[1], (copy, grad, double)


@pytest.mark.parametrize(
    "data",
    [
        [1.0, 2.5], [1, 2], [[1, 2], [3, 4]], [[1.0], [2.0]], [1.0, 2], [True, 2], [[1], [2, 3]],
        [[1.0], 2.0], [], [[]], [(1 << 63) - 1], [-(1 << 63)], [1e300, 1.0], [[1.5, 2], [3, 4]],
        [float("nan"), float("inf")], [[[1.0, 2.0]]], [1.0, "a"],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int64", "bool"])
def test_lists(data, dtype, oracle):
    found = []
    for t in (flambeau, oracle):
        try:
            made = t.tensor(data, dtype=dtype and getattr(t, dtype))
            found.append((str(made.tolist()), str(made.dtype)[-7:], made.shape, made.stride()))
        except Exception as error:
            found.append(type(error))
    assert found[0] == found[1]


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_storages_are_read_where_they_lie(oracle):
    def told(torch):
        base = torch.tensor([1.0, 2.0, 3.0])
        bytes_, found = base.untyped_storage(), []
        for made in (
            torch.asarray(bytes_),
            torch.asarray(bytes_, dtype=torch.uint8),
            torch.asarray(bytes_, dtype=torch.float32, copy=True),
            torch.asarray(bytes_, dtype=torch.float64),
            torch.asarray(bytes_[4:8], dtype=torch.float32),
            torch.tensor(bytes_, dtype=torch.int16),
            torch.as_tensor(bytes_, dtype=torch.float32),
            torch.asarray(base.storage()),
        ):
            found.append((made.tolist(), str(made.dtype), made.data_ptr() - base.data_ptr()))
        for wrong in (
            lambda: torch.asarray(base.storage(), dtype=torch.int32),
            lambda: torch.asarray(bytes_, copy=False),
        ):
            with pytest.raises((RuntimeError, ValueError)) as caught:
                wrong()
            found.append(caught.type.__name__)
        return found

    assert told(flambeau) == told(oracle)


def test_asarray_aliases_buffers_and_capsules(oracle):
    values = np.arange(4, dtype="f4")
    for engine in (flambeau, oracle):
        for buffer in (memoryview(values), values):
            found = engine.asarray(buffer, dtype=engine.float32)
            assert found.tolist() == [0, 1, 2, 3]
            assert found.data_ptr() == values.ctypes.data
            assert engine.asarray(buffer, copy=True).data_ptr() != values.ctypes.data
        x = engine.ones(3)
        for copy in (None, False, True):
            capsule = engine.utils.dlpack.to_dlpack(x)
            assert (engine.asarray(capsule, copy=copy).data_ptr() == x.data_ptr()) is (not copy)
        capsule = engine.utils.dlpack.to_dlpack(x)
        assert engine.asarray(capsule, dtype=engine.float64).tolist() == [1, 1, 1]
        with pytest.raises(ValueError):
            engine.frombuffer([1, 2], dtype=engine.float32)


def test_a_buffer_that_may_not_be_written_warns():
    with pytest.warns(UserWarning, match="buffer is not writable"):
        assert flambeau.frombuffer(b"\1\2", dtype=flambeau.uint8).tolist() == [1, 2]
