"""The records of a checkpoint file."""

import io

import pytest

import flambeau as torch


def test_records_by_name(tmp_path):
    torch.save({"w": torch.ones(3)}, tmp_path / "state.pt")
    reader = torch.PyTorchFileReader(str(tmp_path / "state.pt"))
    assert {"data.pkl", "data/0", "version"} <= set(reader.get_all_records())
    assert reader.has_record("data/0") and not reader.has_record("data/1")
    assert torch.frombuffer(bytearray(reader.get_record("data/0")), dtype=torch.float32).sum() == 3
    with pytest.raises(RuntimeError, match="has no record 'x'"):
        reader.get_record("x")


def test_what_is_no_archive_says_so():
    with pytest.raises(RuntimeError, match="directory cannot be read"):
        torch.PyTorchFileReader(io.BytesIO(b"nothing"))
