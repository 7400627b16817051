"""Writes the golden checkpoints with PyTorch: run with the oracle's Python when the set grows."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch

HERE = Path(__file__).parent


def contents() -> dict[str, object]:
    """One of everything that a checkpoint holds; ``test_golden`` knows the values."""
    base = torch.arange(6, dtype=torch.float32)
    state = OrderedDict(weight=base.view(2, 3), bias=torch.ones(2))
    state._metadata = OrderedDict([("", {"version": 1})])  # type: ignore[attr-defined]
    tagged = torch.ones(2)
    tagged.note = "kept"  # type: ignore[attr-defined]
    names = "float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
    more = "uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
    return {
        "base": base,
        "transposed": base.view(2, 3).t(),
        "slice": base[1:5:2],
        "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
        "frozen": torch.nn.Parameter(torch.tensor([3.0]), requires_grad=False),
        "leaf": torch.tensor([1.5], requires_grad=True),
        "dtypes": {
            n: torch.tensor([0, 1, 2]).to(getattr(torch, n)) for n in f"{names} {more}".split()
        },
        "scalar": torch.tensor(7),
        "empty": torch.empty(0, 3),
        "conj": torch.tensor([1 + 2j]).conj(),
        "meta": torch.empty(2, 3, device="meta"),
        "state": state,
        "tagged": tagged,
        "plain": [None, True, 1.5, 10**30, "é", b"ab", 1j, {1, 2}, bytearray(b"q"), (1, (2,))],
        "torch": [torch.float16, torch.device("cpu"), torch.device("cuda", 1), torch.Size([1, 2])],
    }


if __name__ == "__main__":
    torch.save(contents(), HERE / "zip.pt")
    old = {k: v for k, v in contents().items() if k not in ("meta", "dtypes")}
    torch.save(old, HERE / "stream.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 1), HERE / "module.pt")
    sparse = {"coo": torch.eye(2).to_sparse(), "csr": torch.eye(2).to_sparse_csr()}
    torch.save(sparse, HERE / "sparse.pt")
    torch.save(sparse["coo"], HERE / "sparse_stream.pt", _use_new_zipfile_serialization=False)
