"""Writes goldens/*.npz; run under real torchvision: ``python -m tests.vision.make_goldens [room...]``."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).with_name("goldens")


def plain(values):
    """A case's values as arrays: tensors with their dtype's name beside, all else as its repr."""
    for value in values:
        if type(value).__name__ in ("Tensor", "Parameter"):
            yield value.detach().contiguous().numpy(), str(value.dtype)
        else:
            yield np.array(value if isinstance(value, str) else repr(value)), "text"


def write(room):
    import torch
    import torchvision

    import_module(f"torchvision.{room.replace('_v2', '.v2')}")
    arrays = {}
    for name, case in import_module(f"tests.vision.cases.{room}").CASES.items():
        for index, (array, kind) in enumerate(plain(case(torch, torchvision))):
            arrays[f"{name}/{index}/{kind}"] = array
    np.savez_compressed(GOLDENS / f"{room}.npz", **arrays)


if __name__ == "__main__":
    for room in sys.argv[1:] or sorted(p.stem for p in GOLDENS.glob("*.npz")):
        write(room)
