"""Writes flambeau/vision/models/weights.json: run under real torchvision.

For every model of goldens.json: the name of its enumeration, the default member, the member that
``pretrained=True`` means, and each member's address, number of parameters and of classes.
"""

import inspect
import json
import re
from pathlib import Path

from torchvision import models

HERE = Path(__file__)
TABLE = HERE.parents[3] / "flambeau" / "vision" / "models" / "weights.json"
table = {}
for name in json.loads(HERE.with_name("goldens.json").read_text()):
    weights, build = models.get_model_weights(name), models.get_model_builder(name)
    legacy = re.search(r'\("pretrained",\s*\w+\.(\w+)\)', inspect.getsource(build))
    members = {
        m.name: [m.url, m.meta["num_params"], len(m.meta["categories"] or ()) or 1000]
        for m in weights
    }
    table[name] = {
        "enum": weights.__name__,
        "default": weights.DEFAULT.name if members else None,
        "pretrained": legacy and legacy[1],
        "members": members,
    }
TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
