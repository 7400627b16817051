"""Writes goldens.json; run under real torchvision: ``python tests/vision/models/make_goldens.py``.

With names of models it measures those alone and keeps the others.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

GOLDENS = Path(__file__).with_name("goldens.json")


def layout(model):
    """A digest of the state dict's names and shapes, in order."""
    text = ";".join(f"{k}{list(v.shape)}" for k, v in model.state_dict().items())
    return sha256(text.encode()).hexdigest()[:16]


def measure(torch, build):
    """What one model is and gives, seeded: draws of its first weights, outputs in both modes."""
    torch.manual_seed(0)
    model = build()
    after = torch.rand(3).tolist()  # the generator's state says whether all draws were made
    size = getattr(model, "image_size", 299 if type(model).__name__ == "Inception3" else 64)
    x = torch.rand(2, 3, size, size)
    if hasattr(model, "heads"):  # it starts at zero, and would hide all that comes before
        torch.nn.init.normal_(model.heads.head.weight)
    for m in model.modules():  # training without draws: every engine gives the same numbers
        if type(m).__name__ in ("Dropout", "StochasticDepth"):
            m.p = 0.0
    with torch.no_grad():
        train = model.train()(x)
        train = (
            torch.cat([t[:, :4] for t in train], 1) if isinstance(train, tuple) else train[:, :4]
        )
        out = model.eval()(x)
    return {
        "layout": layout(model),
        "parameters": sum(p.numel() for p in model.parameters()),
        "after": after,
        "train": train.tolist(),
        "eval": out[:, :4].tolist(),
    }


if __name__ == "__main__":
    import torch
    import torchvision

    goldens = json.loads(GOLDENS.read_text())
    for name in sys.argv[1:] or list(goldens):
        goldens[name] = measure(torch, torchvision.models.get_model_builder(name))
    GOLDENS.write_text(json.dumps(goldens, indent=1) + "\n")
