"""Quantised tensors in checkpoints: PyTorch's files, both ways, and copies."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import pytest

import flambeau


def made(torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = torch.arange(6.0).reshape(2, 3)
        scales, zeros = torch.tensor([0.1, 0.2]), torch.tensor([1, 0])
        whole = torch.quantize_per_tensor(x, 0.1, 3, torch.quint8)
        return {
            "whole": whole,
            "part": whole[1],
            "wide": torch.quantize_per_tensor(x, 0.5, 0, torch.qint32),
            "channels": torch.quantize_per_channel(x, scales, zeros, 0, torch.qint8),
            "kinds": [torch.quint8, torch.per_tensor_affine],
        }


def told(state):
    tensors = {key: value for key, value in state.items() if key != "kinds"}
    return {
        key: (str(t.dtype), str(t.qscheme()), t.int_repr().tolist(), t.dequantize().tolist())
        for key, t in tensors.items()
    }, [str(kind) for kind in state["kinds"]]


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("to_pytorch", [True, False])
def test_files_are_exchanged(oracle, to_pytorch, weights_only):
    writer, reader = (flambeau, oracle) if to_pytorch else (oracle, flambeau)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says at each step that storages will go away
        writer.save(made(writer), file)
        file.seek(0)
        found = reader.load(file, weights_only=weights_only)
    assert told(found) == told(made(reader))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_quantised_as_the_original(twin):
    found = twin(made(flambeau))
    assert told(found) == told(made(flambeau))
    assert found["kinds"][0] is flambeau.quint8
    assert found["kinds"][1] is flambeau.per_tensor_affine


@pytest.mark.parametrize("kind", ["qint8", "quint8", "qint32"])
def test_limits(oracle, kind):
    ours, theirs = (of.iinfo(getattr(of, kind)) for of in (flambeau, oracle))
    assert (ours.min, ours.max, ours.bits) == (theirs.min, theirs.max, theirs.bits)
