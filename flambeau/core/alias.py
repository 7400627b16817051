"""Writes that PyTorch's version check does not see: through `x.data`, or through an array on a
tensor's memory. PyTorch then gives wrong gradients without a word.

`FLAMBEAU_ALIAS=error` (the default) raises at backward, `warn` warns, `off` (and `compat.strict()`)
does as PyTorch does. Stands on node and provenance.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from flambeau.core.node import Node
from flambeau.core.provenance import place, stack_level
from flambeau.core.storage import Storage, silently_written

__all__ = ["exported_write", "silent_write"]


def silent_write(node: Node, label: str, storage: Storage, value: Any) -> None:
    """What happens when memory of a saved value was written through `.data`: nothing where other
    elements were.

    Raises:
        RuntimeError: under the default setting.
    """
    by = f"through .data at {place(storage.silent_writer)}"
    if silently_written(storage, node.sequence, value):
        _say(node, label, value.shape, by, "into a clone()")


def exported_write(node: Node, label: str, shape: Any) -> None:
    """What happens when a saved value was overwritten through an array on its memory.

    Raises:
        RuntimeError: under the default setting.
    """
    by = "through a NumPy array on its memory (.numpy(), from_numpy())"
    _say(node, label, shape, by, "into a copy()")


def _say(node: Node, label: str, shape: Any, by: str, mend: str) -> None:
    setting = os.environ.get("FLAMBEAU_ALIAS", "error")
    from flambeau import compat

    if setting == "off" or compat.is_strict():
        return
    name = node.name().removesuffix("0").removesuffix("Backward")
    text = (
        f"the {label} of shape {list(shape)} saved by {name} at {place(node.where)} was "
        f"overwritten {by}: its gradient would be wrong without a word. Write "
        f"before the forward, or {mend}; "
        "FLAMBEAU_ALIAS=warn|off lets it pass."
    )
    if setting == "warn":
        warnings.warn(text, UserWarning, stacklevel=stack_level())
        return
    raise RuntimeError(text)
