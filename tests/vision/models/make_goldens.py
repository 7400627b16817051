"""Writes goldens.json; run under real torchvision: ``python tests/vision/models/make_goldens.py``.

With names of models it measures those alone and keeps the others.
"""

import json
import sys
import warnings
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).with_name("goldens.json")
TABLE = np.random.default_rng(0).standard_normal(1 << 16).astype(np.float32)
HUGE = 150e6  # parameters; of more, training in float64 is not measured


def layout(model):
    """A digest of the state dict's names and shapes, in order."""
    text = ";".join(f"{k}{list(v.shape)}" for k, v in model.state_dict().items())
    return sha256(text.encode()).hexdigest()[:16]


def fill(torch, model):
    """The same state in every engine, without draws: a table's values from a place by the name.

    Scales are such that no layer saturates: what is compared is then not noise grown.
    """
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            continue
        size = value.numel()
        array = np.resize(TABLE[zlib.crc32(name.encode()) % 60000 :], size)
        array = array.reshape(tuple(value.shape))
        if value.ndim > 1:
            array = array * np.float32((0.7 * value.shape[0] / size) ** 0.5)
        elif name.endswith("running_var"):
            array = 1 + 0.1 * np.abs(array)
        else:
            array = name.endswith("weight") + 0.1 * array
        with torch.no_grad():
            value.copy_(torch.from_numpy(array.astype(np.float32)))


def first(out):
    """Four numbers of each output and sample."""
    several = list(out.values()) if isinstance(out, dict) else out
    several = several if isinstance(several, (tuple, list)) else [several]
    rows = (t.flatten(1)[:, :4].tolist() for t in several if t is not None)
    return [[[float(f"{v:.12g}") for v in row] for row in each] for each in rows]


def outputs(torch, model, huge=False):
    """What a filled model gives: float32 in evaluation, float64 in training, where the
    statistics of a small batch would make float32's rounding grow.
    """
    size = getattr(model, "image_size", None)
    size = size or {"Inception3": 299, "MaxVit": 224}.get(type(model).__name__, 64)
    x = torch.from_numpy(np.resize(TABLE, 6 * size * size).reshape(2, 3, size, size))
    for m in model.modules():  # training without draws
        if type(m).__name__ in ("Dropout", "StochasticDepth"):
            m.p = 0.0
    fill(torch, model)
    with torch.no_grad():
        found = {"eval": first(model.eval()(x))}
        if not huge:
            found["train"] = first(model.double().train()(x.double()))
    return found


def seeded(torch, build, name):
    """The model with its first weights, and the generator's next draws: whether all were made."""
    torch.manual_seed(0)
    no_backbone = ("fcn", "deeplab", "lraspp")
    model = build(**({"weights_backbone": None} if name.startswith(no_backbone) else {}))
    drawn = sum(p.detach().double().abs().sum().item() for p in model.parameters())
    return model, {"after": torch.rand(3).tolist(), "drawn": drawn}


def measure(torch, build, name):
    """Everything that is compared of one model."""
    model, found = seeded(torch, build, name)
    found["layout"] = layout(model)
    found["parameters"] = sum(p.numel() for p in model.parameters())
    return found | outputs(torch, model, found["parameters"] > HUGE)


if __name__ == "__main__":
    import torch
    import torchvision

    warnings.simplefilter("ignore", FutureWarning)
    goldens = json.loads(GOLDENS.read_text())
    for name in sys.argv[1:] or list(goldens):
        build = torchvision.models.get_model_builder(name)
        goldens[name] = measure(torch, build, name)
        print(name, flush=True)
    rows = (f'"{name}":{json.dumps(row)}' for name, row in sorted(goldens.items()))
    GOLDENS.write_text("{" + ",\n".join(rows) + "}\n")
