"""Anomaly mode: the forward call behind a backward that failed or made a NaN. Stands on node and
state.
"""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import numpy as np

from flambeau.core.node import Node, OpNode
from flambeau.core.provenance import LIBRARY, place, stack_level
from flambeau.core.tensor import Tensor

__all__ = ["note_forward", "watched"]

CHOOSERS = frozenset({"WhereBackward0", "MaskedFillBackward0", "MaskedFillBackward1"})
"""Operations whose gradient is 0 for what they do not choose."""


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
    _pass_choice_on(node)
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
                    + _choice(node, given, array)
                )
    return results


def _pass_choice_on(node: Node) -> None:
    """Tell the nodes below which `where` their gradients came through, the nearest one."""
    chooser = node if node.name() in CHOOSERS else node.metadata.get("chosen_by_")
    if chooser is not None:
        for below, _ in node.next_functions:
            if below is not None:
                below.metadata["chosen_by_"] = chooser


def _choice(node: Node, given: Any, array: Any) -> str:
    """What made a NaN of the gradient 0 that a `where` gives to what it does not choose."""
    chooser = node.metadata.get("chosen_by_")
    gradient = given._array if isinstance(given, Tensor) else given
    if chooser is None or getattr(gradient, "shape", None) != array.shape:
        return ""
    if not np.all(gradient[np.isnan(array)] == 0):
        return ""
    name = chooser.name().removesuffix("0").removesuffix("1").removesuffix("Backward")
    return (
        f" The gradient it was given is 0 there, for {name} at {place(chooser.where)} does not "
        f"choose these elements, but 0 times an infinite slope is NaN. Choose before the function"
        f"{f' at {place(node.where)}' if isinstance(node, OpNode) else ''}, too: "
        f"where(c, f(where(c, x, 1)), 0)."
    )


def _tell(node: Node) -> None:
    lines = node.metadata.get("traceback_")
    told = (
        "Traceback of forward call that caused the error:\n" + "".join(lines)
        if lines
        else "No forward pass information available. Enable detect anomaly during forward pass "
        "for more information."
    )
    warnings.warn(f"Error detected in {node.name()}. {told}", UserWarning, stacklevel=stack_level())
