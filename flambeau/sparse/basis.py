"""The few differentiable steps between sparse tensors and their values; everything else in this
room composes them.

``values`` takes the values out, ``fill`` puts values at the places of a pattern, ``gather`` reads
at them, ``to_dense``
and ``convert`` change the layout. Patterns are data objects: plain parameters. Gradients of sparse
tensors are sparse
tensors at the same places. Stands on core.declare, kernels, convert.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive
from flambeau.core.layout import sparse_coo, strided
from flambeau.core.tensor import Tensor
from flambeau.sparse import kernels, meeting
from flambeau.sparse.convert import convert as change
from flambeau.sparse.data import COO, SparseData

__all__ = ["coalesce", "convert", "fill", "gather", "sampled", "step", "tidy", "to_dense", "values"]


def _filler(node: Any) -> str:
    label = node.params[2]
    if label is not None:
        try:
            return label if isinstance(label, str) else str(label(node))
        except (AttributeError, IndexError, TypeError, ValueError):
            # Named after arguments that this node does not keep: pow alone is.
            return "PowBackward0"
    coordinates = type(node.params[1]) is COO
    return f"Sparse{'CooTensorWithDimsAndTensors' if coordinates else 'CompressedTensor'}Backward0"


@primitive(
    name="_sparse_values",
    node="Values",
    function=False,
    method=False,
    sparse=True,
    vjp=lambda g, pattern: ops._sparse_fill(g, pattern),
)
def _values(input, pattern: Any):
    """The values of a sparse tensor; `pattern` is its data."""
    return input.values


@primitive(
    name="_sparse_fill",
    node=_filler,
    function=False,
    method=False,
    sparse=True,
    vjp=lambda g, pattern: ops._sparse_gather(g, pattern),
)
def _fill(values, pattern: Any, label: Any = None):
    """`values` at the places of `pattern`; `label` names the node after what the user called."""
    return pattern.with_values(values)


def _gather_rule(g: Any, pattern: Any, origin: Any) -> Any:
    filled = ops._sparse_fill(g, pattern)
    return filled if origin is not strided else ops._sparse_dense(filled, True)


@primitive(
    name="_sparse_gather",
    node="SparseMask",
    function=False,
    method=False,
    sparse=True,
    vjp=_gather_rule,
)
def _gather(input, pattern: Any, origin: Any = strided):
    """What a dense or sparse tensor holds at the places of `pattern`; `origin` is its layout."""
    return kernels.gather(input, pattern)


def _dense_rule(g: Any, input: Any, masked: Any) -> Any:
    if not masked:
        return g
    pattern = tidy(input._array)
    return ops._sparse_fill(gather(g, pattern), pattern)


@primitive(
    name="_sparse_dense", node="ToDense", function=False, method=False, sparse=True, vjp=_dense_rule
)
def _dense(input, masked: Any):
    """The strided tensor."""
    return input.dense()


def _relabelled(g: Any, label: Any) -> Any:
    return g


@primitive(
    name="_sparse_coalesce",
    node=lambda node: node.params[1],
    function=False,
    method=False,
    sparse=True,
    vjp=_relabelled,
)
def _coalesce(input, label: Any = "CoalesceBackward0"):
    """Every place once, in order."""
    return input.coalesced()


def _convert_rule(g: Any, input: Any) -> Any:
    old = input._array
    if not isinstance(old, SparseData):
        return g if not isinstance(g._array, SparseData) else ops._sparse_dense(g, True)
    if not isinstance(g._array, SparseData):
        pattern = tidy(old)
        return ops._sparse_fill(gather(g, pattern), pattern)
    block = old.block if old.layout is not sparse_coo and old.blocked else None
    return convert(g, old.layout, block)


@primitive(
    name="_sparse_step",
    node=lambda node: node.params[2],
    function=False,
    method=False,
    sparse=True,
    vjp={"input": lambda g, input: ops.zeros_like(input)},
)
def _step(input, values: Any, label: Any):
    """`values` in place of the input's; its gradient is zero, so it has no places."""
    return input.with_values(values)


def step(input: Tensor, values: Any, label: str) -> Tensor:
    """A sparse tensor with these values, whose gradient vanishes."""
    return ops._sparse_step(input, values, label)  # type: ignore[no-any-return]


def _converter(node: Any) -> str:
    name = str(node.params[1]).rpartition("_")[2]
    return "ToSparseBackward1" if name == "coo" else f"ToSparse{name.capitalize()}Backward0"


def _named_rule(g: Any, input: Any, layout: Any) -> Any:
    return _convert_rule(g, input)


@primitive(
    name="_sparse_convert",
    node=_converter,
    function=False,
    method=False,
    sparse=True,
    vjp=_named_rule,
)
def _convert(input, layout: Any, block: Any, dense_dim: Any, sparse_dim: Any):
    """The tensor in another sparse layout."""
    return change(input, layout, block, dense_dim, sparse_dim)


@primitive(
    name="_sparse_sampled",
    function=False,
    method=False,
    sparse=True,
    vjp={
        "input": lambda g, other, pattern: ops.mm(ops._sparse_fill(g, pattern), other.mT),
        "other": lambda g, input, pattern: ops.mm(input.mT, ops._sparse_fill(g, pattern)),
    },
)
def _sampled(input, other, pattern: Any):
    """``input @ other`` of two dense matrices at the places of `pattern` alone."""
    if isinstance(input, SparseData) and isinstance(other, SparseData):
        return meeting.at_places(input, other, pattern)
    if isinstance(input, SparseData) or isinstance(other, SparseData):
        return kernels.gather(kernels.matmul(input, other), pattern)
    return kernels.sampled(input, other, pattern)


def values(input: Tensor) -> Tensor:
    """The values, in the graph."""
    return ops._sparse_values(input, input._array)  # type: ignore[no-any-return]


def fill(values: Tensor, pattern: Any, label: Any = None) -> Tensor:
    """A sparse tensor with these values at the places of `pattern`."""
    return ops._sparse_fill(values, pattern, label)  # type: ignore[no-any-return]


def gather(input: Tensor, pattern: Any) -> Tensor:
    """What `input` holds at the places of `pattern`."""
    return ops._sparse_gather(input, pattern, getattr(input._array, "layout", strided))  # type: ignore[no-any-return]


def sampled(input: Tensor, other: Tensor, pattern: Any) -> Tensor:
    """The values of ``input @ other`` at the places of `pattern`."""
    return ops._sparse_sampled(input, other, pattern)  # type: ignore[no-any-return]


def tidy(data: Any) -> Any:
    """Data whose places are each named once."""
    return data.coalesced() if type(data) is COO else data


def coalesce(input: Tensor) -> Tensor:
    """The tensor with every place once, in order; itself when it is so already (and always when
    compressed)."""
    data = input._array
    if type(data) is not COO or data.is_coalesced:
        return input
    return ops._sparse_coalesce(input)  # type: ignore[no-any-return]


def merged(input: Tensor, label: str) -> Tensor:
    """`coalesce`, with a node named after what the user called."""
    return ops._sparse_coalesce(input, label)  # type: ignore[no-any-return]


def to_dense(input: Tensor, masked: bool = True) -> Tensor:
    """The strided tensor."""
    return ops._sparse_dense(input, masked)  # type: ignore[no-any-return]


def convert(
    input: Tensor, layout: Any, block: Any = None, dense_dim: Any = None, sparse_dim: Any = None
) -> Tensor:
    """The tensor in another layout, in the graph."""
    a = input._array
    sparse = isinstance(a, SparseData)
    if layout is strided:
        return to_dense(input) if sparse else input
    if sparse and a.layout is layout and (block is None or tuple(block) == a.block):
        return input
    return ops._sparse_convert(input, layout, block, dense_dim, sparse_dim)  # type: ignore[no-any-return]


def empty_coo(shape: Any, dtype: Any, sparse_dim: int | None = None) -> COO:
    """Coordinates without values."""
    shape = tuple(shape)
    sparse_dim = len(shape) if sparse_dim is None else sparse_dim
    return COO(
        np.zeros((sparse_dim, 0), np.int64), np.zeros((0, *shape[sparse_dim:]), dtype), shape, True
    )
