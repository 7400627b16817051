"""Checkpoints go both ways between flambeau and PyTorch: values, types, strides, sharing."""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

import flambeau
from flambeau import serialization

DTYPES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 "
    "complex64 complex128 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz"
).split()


def ours_to_theirs(oracle, thing, stream=False, **named):
    file = io.BytesIO()
    serialization.save(thing, file, _use_new_zipfile_serialization=not stream)
    file.seek(0)
    return oracle.load(file, **named)


def theirs_to_ours(oracle, thing, stream=False, **named):
    file = io.BytesIO()
    oracle.save(thing, file, _use_new_zipfile_serialization=not stream)
    file.seek(0)
    return serialization.load(file, **named)


def raw(tensor) -> bytes:
    """The values' bytes, in order, of a tensor of either library."""
    if isinstance(tensor, flambeau.Tensor):
        return tensor._array.tobytes()
    return bytes(tensor.contiguous().flatten().view(__import__("torch").uint8).numpy())


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("stream", [False, True])
def test_every_dtype_both_ways(oracle, name, stream):
    theirs = oracle.tensor([0, 1, 2, 3]).to(getattr(oracle, name)).view(2, 2).t()
    if stream and not hasattr(oracle, "HalfStorage"):
        pytest.fail("the oracle has no typed storages")
    file = io.BytesIO()
    oracle.save(theirs, file, _use_new_zipfile_serialization=not stream)
    file.seek(0)
    ours = serialization.load(file)
    assert str(ours.dtype) == str(theirs.dtype) and ours.stride() == theirs.stride() == (1, 2)
    assert raw(ours) == raw(theirs)
    back = ours_to_theirs(oracle, ours, stream)
    assert back.dtype is theirs.dtype and back.stride() == (1, 2) and raw(back) == raw(theirs)


@pytest.mark.parametrize("stream", [False, True])
def test_ours_in_pytorch(oracle, stream):
    base = flambeau.arange(12.0)
    state = OrderedDict(weight=base.view(3, 4))
    state._metadata = OrderedDict([("", {"version": 1})])
    tagged = flambeau.ones(2)
    tagged.note = "kept"
    parameter = flambeau.nn.Parameter(flambeau.ones(2))
    found = ours_to_theirs(oracle, {
        "base": base, "turned": base.view(3, 4).t(), "part": base[1:9:3], "state": state,
        "parameter": parameter, "leaf": flambeau.ones(1).requires_grad_(), "tagged": tagged,
        "scalar": flambeau.tensor(3), "empty": flambeau.empty(0, 3), "size": base.shape,
        "dtype": flambeau.bfloat16, "device": flambeau.device("cpu"),
        "plain": [None, 10**30, "é", b"ab", 1j, {1}, bytearray(b"q"), (1, (2,))],
    }, stream)  # fmt: skip
    assert found["base"].tolist() == list(range(12))
    assert (
        found["base"].untyped_storage().data_ptr() == found["turned"].untyped_storage().data_ptr()
    )
    assert found["turned"].stride() == (1, 4) and found["part"].tolist() == [1, 4, 7]
    assert found["part"].storage_offset() == 1
    assert found["state"]._metadata == {"": {"version": 1}}
    assert type(found["parameter"]) is oracle.nn.Parameter and found["parameter"].requires_grad
    assert found["leaf"].requires_grad and found["tagged"].note == "kept"
    assert found["scalar"].shape == () and found["empty"].shape == (0, 3)
    assert type(found["size"]) is oracle.Size and found["dtype"] is oracle.bfloat16
    assert found["device"] == oracle.device("cpu")
    assert found["plain"] == [None, 10**30, "é", b"ab", 1j, {1}, bytearray(b"q"), (1, (2,))]


def test_theirs_maps_from_ours(oracle, tmp_path):
    path = tmp_path / "model.pt"
    serialization.save({"a": flambeau.arange(1000.0), "b": flambeau.ones(3)}, path)
    found = oracle.load(path, mmap=True)
    assert found["a"].sum() == 499500 and found["b"].tolist() == [1, 1, 1]
    oracle.save({"a": oracle.arange(1000.0)}, path)
    assert serialization.load(path, mmap=True)["a"]._array.sum() == 499500


def test_meta_both_ways(oracle):
    theirs = oracle.empty_strided((2, 3), (1, 2), device="meta")
    ours = theirs_to_ours(oracle, theirs)
    assert ours.device.type == "meta" and ours.stride() == (1, 2)
    assert ours_to_theirs(oracle, ours).stride() == (1, 2)
    mapped = ours_to_theirs(oracle, flambeau.arange(6.0).view(2, 3).t(), map_location="meta")
    assert mapped.device.type == "meta" and mapped.shape == (3, 2)


def test_the_archives_have_the_same_records_in_the_same_places(oracle, tmp_path):
    files = {}
    for name, library in (("ours", flambeau), ("theirs", oracle)):
        path = tmp_path / name / "model.pt"
        path.parent.mkdir()
        base = library.arange(100.0)
        library.save({"a": base, "b": base[1:], "c": library.ones(3, dtype=library.int8)}, path)
        files[name] = zipfile.ZipFile(path)
    ours, theirs = files["ours"], files["theirs"]
    assert ours.namelist() == theirs.namelist()
    for mine, other in zip(ours.infolist(), theirs.infolist(), strict=True):
        assert mine.header_offset == other.header_offset and mine.file_size == other.file_size
        if not mine.filename.endswith("serialization_id"):
            assert ours.read(mine.filename) == theirs.read(other.filename)
    assert ours.testzip() is None


@pytest.mark.parametrize("make", ["Linear", "BatchNorm1d", "LSTM", "MultiheadAttention"])
def test_state_dicts_both_ways(oracle, make):
    arguments = {
        "Linear": (3, 2),
        "BatchNorm1d": (4,),
        "LSTM": (3, 2),
        "MultiheadAttention": (4, 2),
    }
    theirs = getattr(oracle.nn, make)(*arguments[make])
    ours = getattr(flambeau.nn, make)(*arguments[make])
    ours.load_state_dict(theirs_to_ours(oracle, theirs.state_dict()))
    for name, value in ours.state_dict().items():
        assert raw(value) == raw(theirs.state_dict()[name])
    theirs.load_state_dict(ours_to_theirs(oracle, ours.state_dict()))
    assert ours_to_theirs(oracle, ours.state_dict())._metadata == theirs.state_dict()._metadata


@pytest.mark.parametrize("make", ["SGD", "Adam", "AdamW"])
def test_optimizers_both_ways(oracle, make):
    def step(library, model, optimizer):
        optimizer.zero_grad()
        model(library.ones(2, 3)).sum().backward()
        optimizer.step()

    models = {lib: lib.nn.Linear(3, 1) for lib in (flambeau, oracle)}
    models[flambeau].load_state_dict(theirs_to_ours(oracle, models[oracle].state_dict()))
    optimizers = {
        lib: getattr(lib.optim, make)(m.parameters(), lr=0.1) for lib, m in models.items()
    }
    step(oracle, models[oracle], optimizers[oracle])
    models[flambeau].load_state_dict(theirs_to_ours(oracle, models[oracle].state_dict()))
    optimizers[flambeau].load_state_dict(theirs_to_ours(oracle, optimizers[oracle].state_dict()))
    for library in (oracle, flambeau):
        step(library, models[library], optimizers[library])
    np.testing.assert_allclose(
        models[flambeau].weight._array, models[oracle].weight.detach().numpy(), rtol=1e-6
    )
    optimizers[oracle].load_state_dict(ours_to_theirs(oracle, optimizers[flambeau].state_dict()))


def test_whole_modules_both_ways(oracle):
    theirs = oracle.nn.Sequential(oracle.nn.Linear(3, 2), oracle.nn.ReLU())
    ours = theirs_to_ours(oracle, theirs, weights_only=False)
    assert type(ours[0]) is flambeau.nn.Linear and raw(ours[0].weight) == raw(theirs[0].weight)
    assert ours(flambeau.ones(1, 3)).shape == (1, 2)
    back = ours_to_theirs(oracle, ours, weights_only=False)
    assert type(back[0]) is oracle.nn.Linear
    np.testing.assert_array_equal(
        back(oracle.ones(1, 3)).detach().numpy(), theirs(oracle.ones(1, 3)).detach().numpy()
    )


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_sparse_both_ways(oracle):
    for theirs in (oracle.eye(3).to_sparse(), oracle.eye(3).to_sparse_csr()):
        ours = theirs_to_ours(oracle, theirs)
        assert str(ours.layout) == str(theirs.layout)
        assert ours_to_theirs(oracle, ours).to_dense().tolist() == oracle.eye(3).tolist()


@pytest.mark.parametrize("thing", [print, range(3), np.float64(1)])
def test_the_same_globals_are_refused(oracle, thing):
    import pickle

    for save, load in ((oracle.save, serialization.load), (serialization.save, oracle.load)):
        file = io.BytesIO()
        save(thing, file)
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError):
            load(file)
        file.seek(0)
        theirs = oracle.serialization.get_unsafe_globals_in_checkpoint(file)
        file.seek(0)
        assert serialization.get_unsafe_globals_in_checkpoint(file) == sorted(theirs)
