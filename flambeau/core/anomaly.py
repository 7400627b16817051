"""Anomaly mode: the forward call behind a backward that failed or made a NaN. Stands on node and
state.
"""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import numpy as np

from flambeau.core.node import Node
from flambeau.core.provenance import LIBRARY, stack_level
from flambeau.core.tensor import Tensor

__all__ = ["note_forward", "watched"]


def note_forward(node: Node) -> None:
    """Remember the user's stack at the call that made `node`."""
    node.metadata["traceback_"] = traceback.StackSummary.from_list(
        [frame for frame in traceback.extract_stack() if not frame.filename.startswith(LIBRARY)]
    ).format()


def watched(node: Node, given: Any, graph: bool, keep: bool, check: Any) -> list[Any]:
    """Run a node; where it fails, or returns a NaN (`check` is "nan"), warn with the stack of its
    forward call.

    Raises:
        RuntimeError: a gradient holds a NaN.
    """
    try:
        results = list(node.run(given, graph, keep))
    except Exception:
        _tell(node)
        raise
    if check == "nan":
        for k, value in enumerate(results):
            array = value._array if isinstance(value, Tensor) else value
            if (
                isinstance(array, (np.ndarray, np.generic))
                and array.dtype.kind in "fc"
                and bool(np.isnan(array).any())
            ):
                _tell(node)
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {k}th output."
                )
    return results


def _tell(node: Node) -> None:
    lines = node.metadata.get("traceback_")
    told = (
        "Traceback of forward call that caused the error:\n" + "".join(lines)
        if lines
        else "No forward pass information available. Enable detect anomaly during forward pass "
        "for more information."
    )
    warnings.warn(f"Error detected in {node.name()}. {told}", UserWarning, stacklevel=stack_level())
