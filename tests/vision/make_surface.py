"""Writes surface.json: run under real torchvision, ``python -m tests.vision.make_surface``.

Of each public module the public names, so that none is missing here without a word.
"""

import importlib
import inspect
import json
from pathlib import Path

SURFACE = Path(__file__).with_name("surface.json")
ROOMS = [
    "", "datasets", "io", "models", "models.detection", "models.optical_flow",
    "models.quantization", "models.segmentation", "models.video", "ops", "transforms",
    "transforms.functional", "transforms.v2", "transforms.v2.functional", "tv_tensors", "utils",
]  # fmt: skip


def public(module):
    """What the module says is public; else what is defined in its package."""
    if hasattr(module, "__all__"):
        return sorted(name for name in module.__all__ if not name.startswith("_"))
    names = []
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None) or ""
        hidden = name.startswith("_") or inspect.ismodule(value)
        if not hidden and home.startswith("torchvision"):
            if not getattr(value, "__name__", name).startswith("_"):
                names.append(name)
    return sorted(names)


if __name__ == "__main__":
    found = {}
    for room in ROOMS:
        found[room] = public(importlib.import_module(f"torchvision.{room}".rstrip(".")))
    rows = (f"{json.dumps(room)}: {json.dumps(names)}" for room, names in found.items())
    SURFACE.write_text("{" + ",\n".join(rows) + "}\n")
