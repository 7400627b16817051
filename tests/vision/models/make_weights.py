"""Writes flambeau/vision/models/weights.json: run under real torchvision.

For every model but the quantized: the name of its enumeration, the default member, the member that
``pretrained=True`` means, and of each member its address, its transform and what is known of it.
Lists of categories, which many share, stand once.
"""

import inspect
import json
import re
from pathlib import Path

from torchvision import models

HERE = Path(__file__)
TABLE = HERE.parents[3] / "flambeau" / "vision" / "models" / "weights.json"
KNOWN = ("num_params", "min_size", "_metrics", "_ops", "_file_size")
lists = {}


def transforms(make):
    kind, options = getattr(make, "func", make).__name__, dict(getattr(make, "keywords", {}))
    if hasattr(make(), "interpolation"):
        options["interpolation"] = make().interpolation.value
    return [kind, options]


def member(m):
    # The few that say nothing of categories are of ImageNet's.
    names = m.meta.get("categories") or models.ResNet18_Weights.DEFAULT.meta["categories"]
    key = lists.setdefault(tuple(names), len(lists))
    meta = {name: m.meta[name] for name in KNOWN if name in m.meta}
    return {"url": m.url, "meta": meta, "categories": key, "transforms": transforms(m.transforms)}


rows = {}
ROOMS = (models, models.segmentation, models.detection, models.video, models.optical_flow)
for name in (name for room in ROOMS for name in models.list_models(room)):
    weights, build = models.get_model_weights(name), models.get_model_builder(name)
    legacy = re.search(r'\("pretrained",\s*\w+\.(\w+)\)', inspect.getsource(build))
    rows[name] = {
        "enum": weights.__name__,
        "default": weights.DEFAULT.name if len(weights) else None,
        "pretrained": legacy and legacy[1],
        "members": {m.name: member(m) for m in weights},
    }
table = {"categories": list(map(list, lists)), "models": dict(sorted(rows.items()))}
text = json.dumps(table, separators=(",", ":"))
# A line for each model, so that a change is seen as one.
TABLE.write_text(re.sub(r'("[a-z0-9_]+":{"enum")', r"\n\1", text) + "\n")
