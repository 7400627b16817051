"""The operations, an area a file. Importing this package declares them all; a new area is a new
file.
"""

from importlib import import_module
from pkgutil import iter_modules

for _area in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_area}")

import_module("flambeau.core.indexing")
import_module("flambeau.core.sampling").each_on_its_own(
    "argwhere",
    "ctc_loss",
    "embedding_bag",
    "histogram",
    "nanquantile",
    "quantile",
    "repeat_interleave",
)
