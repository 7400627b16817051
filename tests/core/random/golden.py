"""Writes goldens.json with real PyTorch: digests of exact laws and of the state after each.

Run it with the oracle's Python from the repository's root: ``python tests/core/random/golden.py``.
"""

import hashlib
import json
from pathlib import Path

PATH = Path(__file__).with_name("goldens.json")

LAWS = {
    "uniform float32": ("float32", "uniform_", ()),
    "uniform float64": ("float64", "uniform_", ()),
    "uniform float16": ("float16", "uniform_", ()),
    "uniform bounds": ("float32", "uniform_", (-0.3, 1.7)),
    "bernoulli": ("uint8", "bernoulli_", (0.3,)),
    "random int64": ("int64", "random_", ()),
    "random int32": ("int32", "random_", ()),
    "random float32": ("float32", "random_", ()),
    "random 0 100": ("int64", "random_", (0, 100)),
    "random wide": ("int64", "random_", (-5, 2**40)),
}
SIZES = (1, 15, 16, 17, 1000, 40000)


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def main():
    import torch

    found = {}
    generator = torch.Generator().manual_seed(2024)
    for name, (dtype, method, args) in LAWS.items():
        rows = []
        for n in SIZES:
            tensor = torch.empty(n, dtype=getattr(torch, dtype))
            getattr(tensor, method)(*args, generator=generator)
            rows.append([digest(tensor.numpy()), digest(generator.get_state().numpy())])
        found[name] = rows
    record = {
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "laws": found,
    }
    PATH.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
