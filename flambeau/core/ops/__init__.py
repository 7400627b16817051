"""The operations, an area a file. Importing this package declares them all."""

from importlib import import_module

AREAS = ("arithmetic", "cast", "activation", "reduce", "view", "advanced", "cat", "where", "shape", "scatter", "index", "conv", "pool", "vision", "pad", "random_fill", "random", "random_draw", "dropout")

for _area in AREAS:
    import_module(f"{__name__}.{_area}")

import_module("flambeau.core.indexing")
