"""The operations, an area a file. Importing this package declares them all."""

from importlib import import_module

AREAS = ("arithmetic", "cast", "activation", "along", "reduce", "extrema", "statistics", "scan", "sort", "view", "conv", "convolving", "pool", "adaptive", "pooling", "vision", "grid", "pad", "random_fill", "random", "random_draw", "dropout")

for _area in AREAS:
    import_module(f"{__name__}.{_area}")
