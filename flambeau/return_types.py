"""``torch.return_types``: the named tuples of operations, and of their ``out=`` forms.

They are made in ``core.return_types``, which knows the fields.
"""

from __future__ import annotations

from typing import Any

from flambeau.core import return_types as _made

__all__ = ["all_return_types", "pytree_register_structseq"]

# An operation that writes into `out=` has a class of its own in PyTorch, with the same fields.
_NO_OUT = {"histogramdd"}
_CLASSES = {
    name: made
    for name, kind in sorted(_made._MADE.items())
    if not name.endswith("_out")
    for name, made in (
        (name, kind),
        *(
            []
            if name in _NO_OUT
            else [(f"{name}_out", _made.structseq(f"{name}_out", kind.__match_args__))]
        ),
    )
}
globals().update(_CLASSES)
all_return_types = list(_CLASSES.values())


def pytree_register_structseq(cls: Any) -> None:
    """Nothing to do: trees see these classes as the tuples that they are."""
