"""Writes video.json; run under real torchvision: ``python -m tests.vision.models.make_video``.

Models of videos and of optical flow. With names of models it measures those alone and keeps the
others.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.vision.models.make_detection import rounded
from tests.vision.models.make_goldens import TABLE, fill, layout

GOLDENS = Path(__file__).with_name("video.json")
# Of each model the frames and the size of its input; those that are not here take 4 of 32.
SIZES = {"s3d": (14, 224), "mvit_v1_b": (16, 224), "mvit_v2_s": (16, 224)}


def inputs(torch, name):
    if name.startswith("raft"):
        size = 2 * 3 * 128 * 136
        pair = np.resize(TABLE, 2 * size).reshape(2, 2, 3, 128, 136)
        return [torch.from_numpy(np.tanh(each)) for each in pair]
    frames, size = SIZES.get(name, (4, 32))
    values = np.resize(TABLE, 3 * frames * size * size)
    return [torch.from_numpy(values.reshape(1, 3, frames, size, size))]


def outputs(torch, model, name):
    """In evaluation: the first of the classes; of flow, the first pixels after two steps."""
    fill(torch, model)
    options = {"num_flow_updates": 2} if name.startswith("raft") else {}
    with torch.no_grad():
        out = model.eval()(*inputs(torch, name), **options)
    if isinstance(out, list):
        return [rounded(flow[:, :, 5, :6]) for flow in out]
    return [rounded(out[:, :16])]


def seeded(torch, build):
    """The model with its first weights, and the generator's next draws."""
    torch.manual_seed(0)
    model = build()
    drawn = sum(p.detach().double().abs().sum().item() for p in model.parameters())
    return model, {"after": torch.rand(3).tolist(), "drawn": drawn}


def measure(torch, build, name):
    """Everything that is compared of one model."""
    model, found = seeded(torch, build)
    found["layout"] = layout(model)
    found["parameters"] = sum(p.numel() for p in model.parameters())
    return found | {"eval": outputs(torch, model, name)}


if __name__ == "__main__":
    import torch
    from torchvision import models

    goldens = json.loads(GOLDENS.read_text()) if GOLDENS.exists() else {}
    rooms = (models.video, models.optical_flow)
    for name in sys.argv[1:] or [n for room in rooms for n in models.list_models(room)]:
        goldens[name] = measure(torch, models.get_model_builder(name), name)
        print(name, goldens[name]["eval"][0][:4], flush=True)
    rows = (f'"{name}":{json.dumps(row)}' for name, row in sorted(goldens.items()))
    GOLDENS.write_text("{" + ",\n".join(rows) + "}\n")
