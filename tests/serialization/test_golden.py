"""Checkpoints that PyTorch 2.13 wrote load with the values, types and sharing they had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flambeau as torch

GOLDEN = Path(__file__).parent / "golden"


def numbers(tensor):
    return tensor.detach().to(torch.float64).numpy().tolist()


@pytest.fixture(params=["zip.pt", "stream.pt"])
def name(request):
    return str(GOLDEN / request.param)


@pytest.mark.parametrize("weights_only", [True, False])
def test_values_and_sharing(name, weights_only):
    found = torch.load(name, weights_only=weights_only)
    base, turned = found["base"], found["transposed"]
    assert numbers(base) == [0, 1, 2, 3, 4, 5]
    assert turned.stride() == (1, 3) and numbers(turned) == [[0, 3], [1, 4], [2, 5]]
    assert found["slice"].storage_offset() == 1 and numbers(found["slice"]) == [1, 3]
    base[1] = 100
    assert (
        turned[1, 0] == 100 and found["slice"][0] == 100 and found["state"]["weight"][0, 1] == 100
    )
    assert found["scalar"].shape == () and found["scalar"].item() == 7
    assert found["empty"].shape == (0, 3)
    assert found["conj"].tolist() == [1 - 2j]
    assert found["tagged"].note == "kept"


def test_parameters(name):
    found = torch.load(name)
    assert type(found["parameter"]) is torch.nn.Parameter and found["parameter"].requires_grad
    assert type(found["frozen"]) is torch.nn.Parameter and not found["frozen"].requires_grad
    assert found["leaf"].is_leaf and found["leaf"].requires_grad
    (found["leaf"] * 2).sum().backward()
    assert found["leaf"].grad.tolist() == [2]


def test_state_dict_keeps_its_metadata(name):
    state = torch.load(name)["state"]
    assert list(state) == ["weight", "bias"] and state._metadata[""] == {"version": 1}


def test_plain_things(name):
    found = torch.load(name)
    expected = [None, True, 1.5, 10**30, "é", b"ab", 1j, {1, 2}, bytearray(b"q"), (1, (2,))]
    assert found["plain"] == expected
    dtype, cpu, cuda, size = found["torch"]
    assert dtype is torch.float16 and cpu == torch.device("cpu") and cuda == torch.device("cuda", 1)
    assert type(size) is torch.Size and size == (1, 2)


def test_every_dtype():
    for dtype, tensor in torch.load(GOLDEN / "zip.pt")["dtypes"].items():
        assert tensor.dtype is getattr(torch, dtype)
        expected = [0, 1, 1] if dtype == "bool" else [0, 1, 2]
        assert np.asarray(tensor._array).astype(np.complex128).real.tolist() == expected


def test_meta():
    found = torch.load(GOLDEN / "zip.pt")["meta"]
    assert found.device.type == "meta" and found.shape == (2, 3) and found.stride() == (3, 1)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_sparse():
    found = torch.load(GOLDEN / "sparse.pt")
    assert found["coo"].layout is torch.sparse_coo and found["csr"].layout is torch.sparse_csr
    assert found["coo"].to_dense().tolist() == [[1, 0], [0, 1]]
    assert found["csr"].to_dense().tolist() == [[1, 0], [0, 1]]
    assert torch.load(GOLDEN / "sparse_stream.pt").to_dense().tolist() == [[1, 0], [0, 1]]


def test_a_whole_module_needs_trust():
    import pickle

    with pytest.raises(pickle.UnpicklingError, match=r"torch\.nn\.modules\.linear\.Linear"):
        torch.load(GOLDEN / "module.pt")
    module = torch.load(GOLDEN / "module.pt", weights_only=False)
    assert type(module) is torch.nn.Linear and module.weight.shape == (1, 2)
    assert module(torch.ones(1, 2)).shape == (1, 1)
