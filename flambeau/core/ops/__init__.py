"""The operations, an area a file. Importing this package declares those of the NEAR areas; the
others load when one of their names is first used (`core/late`).

A new area is a new file; ``python scripts/areas.py`` writes its names into `core/late_names`.
"""

from importlib import import_module

from flambeau.core import late

NEAR = (
    "advanced",
    "arithmetic",
    "bitwise",
    "cast",
    "cat",
    "compare",
    "complex",
    "either",
    "fill",
    "math",
    "matmul",
    "power",
    "reduce",
    "rounding",
    "shape",
    "sparse",
    "split",
    "view",
    "view_expand",
    "view_order",
    "view_parts",
    "view_strided",
    "where",
)
"""The areas that bind operators and properties, and what nearly every program calls."""

for _area in NEAR:
    import_module(f"{__name__}.{_area}")

import_module("flambeau.core.written_index")
late.announce()
