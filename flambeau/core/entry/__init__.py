"""The functions users call: closure factories, one for each kind of operation.

The short way: plain tensors, one dtype, the thread in its ordinary mode or under no_grad.
    Everything else (scalars of
other kinds, mixed dtypes, subclasses, modes, `out=`, sparse, errors to word) goes through `slow`.
Hot and flat on purpose. Stands on tensor, node, silence, state.
"""

from __future__ import annotations

from flambeau.core.entry.elementwise import binary, elementwise, unary
from flambeau.core.entry.general import general
from flambeau.core.entry.inplace import inplace
from flambeau.core.entry.operators import UNARY_DUNDERS, bind_dunder, operator
from flambeau.core.entry.record import record, record_one
from flambeau.core.entry.ternary import ternary
from flambeau.core.entry.views import as_view, at_first, looking, nothing, view, view_node

__all__ = [
    "UNARY_DUNDERS",
    "as_view",
    "at_first",
    "binary",
    "bind_dunder",
    "elementwise",
    "general",
    "inplace",
    "looking",
    "nothing",
    "operator",
    "record",
    "record_one",
    "ternary",
    "unary",
    "view",
    "view_node",
]
