"""All the larger workloads, in the order of the report."""

from __future__ import annotations

from bench.workloads import convnet, indexing, mlp, ocean, rows, sequence
from bench.workloads.workload import Workload, gather


def table() -> list[Workload]:
    """Every line."""
    return gather((mlp, convnet, sequence, rows, ocean, indexing))
