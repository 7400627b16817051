"""The affine layer and its bilinear kin: one node holds product and bias.

General matrix products are in the areas of linear algebra. Stands on declare; the sums are BLAS's.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels.generate.folds import column_sums
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.product import matrices
from flambeau.core.output import write_one
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray
_NATIVE = frozenset((np.dtype("f4"), np.dtype("f8"), np.dtype("c8"), np.dtype("c16")))


def _check(bias: Any, input: Any, weight: Any) -> None:
    """Dtypes and shapes that fit each other.

    Raises:
        RuntimeError: they do not.
    """
    if input.dtype != weight.dtype:
        raise fail(
            RuntimeError,
            "linear",
            f"mat1 and mat2 must have the same dtype, but got {of(input.dtype).legacy} (input) and "
            f"{of(weight.dtype).legacy} (weight). Convert one of them with .to(dtype).",
        )
    if bias is not None and bias.dtype != weight.dtype:
        raise fail(
            RuntimeError,
            "linear",
            f"self and mat2 must have the same dtype, but got {of(bias.dtype).legacy} (bias) and "
            f"{of(weight.dtype).legacy} (weight).",
        )
    if weight.ndim not in (1, 2) or (weight.ndim == 1 and bias is not None and input.ndim != 1):
        raise fail(
            RuntimeError,
            "linear",
            f"mat2 must be a matrix, got {weight.ndim}-D tensor: weight is (out, in).",
        )
    if input.size and weight.size:
        refuse_dtype("linear", weight.dtype, "fciu")
    if not input.ndim:
        raise fail(
            RuntimeError,
            "linear",
            "both arguments to linear need to be at least 1D, but input is 0D.",
        )
    width = weight.shape[-1]
    if input.shape[-1] != width:
        rows = prod(input.shape[:-1])
        raise fail(
            RuntimeError,
            "linear",
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1]} and "
            f"{width}x{weight.shape[0] if weight.ndim == 2 else 1}): input has {input.shape[-1]} "
            "features in its last "
            f"dimension, weight expects {width}. Check in_features, or flatten before it.",
        )
    if bias is not None and (
        bias.ndim > 1 or (bias.ndim and bias.shape[0] not in (1, weight.shape[0]))
    ):
        raise fail(
            RuntimeError,
            "linear",
            f"The expanded size of the tensor ({weight.shape[0]}) must match the existing size of "
            "bias "
            f"({list(bias.shape)}): bias needs one number for each row of weight.",
        )


def _affine(bias: Any, input: Any, weight: Any) -> Any:
    """``input @ weight.T + bias`` on arrays, leading dimensions taken together."""
    try:
        dtype = input.dtype
        same = dtype is weight.dtype
    except AttributeError:
        missing = ("input", 1) if input is None else ("weight", 2)
        raise fail(
            TypeError,
            "linear",
            f"argument '{missing[0]}' (position {missing[1]}) must be Tensor, not NoneType. A "
            "forward without return gives None.",
        ) from None
    if not same or dtype not in _NATIVE:
        half = same and dtype.itemsize == 2 and dtype.kind in "fV"
        whole = weight.ndim == 2 and (bias is None or bias.ndim == 1)  # rounded once by `matrices`
        if not (half and whole):
            _check(bias, input, weight)
        if half and not whole:
            wide = None if bias is None else recast(bias, "f4")
            return recast(_affine(wide, recast(input, "f4"), recast(weight, "f4")), dtype)
    try:
        row = bias if weight.ndim == 2 and bias is not None and bias.ndim == 1 else None
        if input.ndim == 2 and weight.ndim == 2:
            out = matrices(input, weight.T, row)
        else:
            rows = prod(input.shape[:-1])
            flat = input.reshape(rows, input.shape[-1])
            out = matrices(flat, weight.T, row) if weight.ndim == 2 else flat.dot(weight.T)
            out = out.reshape(input.shape[:-1] + weight.shape[:-1])
        if bias is not None and row is None:
            out += bias
    except (ValueError, IndexError, TypeError):
        _check(bias, input, weight)
        raise
    if weight.ndim > 2 or (bias is not None and bias.dtype is not dtype):
        _check(bias, input, weight)
    return out


@both
def _input_rule(g: Any, weight: Any, input_shape: Any) -> Any:
    if weight.ndim == 1:
        return g.reshape(*g.shape, 1) * weight
    if type(g) is nd:
        if g.ndim == 2:
            return matrices(g, weight)
        flat = g.reshape(prod(g.shape[:-1]), g.shape[-1])
        return matrices(flat, weight).reshape(input_shape)
    return ops.matmul(g, weight)


@both
def _weight_rule(g: Any, input: Any, weight_shape: Any) -> Any:
    width = input.shape[-1]
    if input.ndim != 2:
        input = input.reshape(prod(input.shape[:-1]), width)
    if g.ndim != 2 or len(weight_shape) == 1:
        g = g.reshape(input.shape[0], weight_shape[0] if len(weight_shape) == 2 else 1)
    if type(g) is nd:
        found = matrices(g.T, input)
        return found if len(weight_shape) == 2 else found.reshape(weight_shape)
    return ops.matmul(g.mT, input).reshape(weight_shape)


@both
def _bias_rule(g: Any, bias_shape: Any) -> Any:
    if g.ndim < 2 or bias_shape != g.shape[-1:]:
        return g
    if type(g) is nd:
        return recast(column_sums(g), g.dtype)
    return ops.sum(g, tuple(range(g.ndim - 1)))


def _abstract(bias: Any, input: Any, weight: Any) -> Any:
    _check(bias, input, weight)
    return input.shape[:-1] + weight.shape[:-1], input.dtype


def _name(node: Any) -> str:
    return "AddmmBackward0" if len(node.shape) == 2 else "ViewBackward0"


@primitive(
    name="_addmm_linear",
    function=False,
    method=False,
    turned=(2,),
    infer=_abstract,
    node=_name,
    vjp={"bias": _bias_rule, "input": _input_rule, "weight": _weight_rule},
)
def _addmm_linear(bias=None, input=None, weight=None):
    """``input @ weight.T + bias``."""
    return _affine(bias, input, weight)


def _plain_name(node: Any) -> str:
    return {2: "MmBackward0", 1: "SqueezeBackward4"}.get(len(node.shape), "UnsafeViewBackward0")


@primitive(
    name="_mm_linear",
    function=False,
    method=False,
    turned=(1,),
    node=_plain_name,
    infer=lambda input, weight: _abstract(None, input, weight),
    vjp={"input": _input_rule, "weight": _weight_rule},
)
def _mm_linear(input, weight):
    """``input @ weight.T``."""
    return _affine(None, input, weight)


@composite(function=False)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: (*, in).
        weight: (out, in), or (in).
        bias: (out) or None.

    Shape:
        (*, out); (*) for a weight of one dimension.

    Raises:
        RuntimeError: sizes or dtypes that do not fit.
    """
    found = (
        ops._mm_linear(input, weight) if bias is None else ops._addmm_linear(bias, input, weight)
    )
    return found if out is None else write_one("linear", found, out)


@composite()
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``out[*, k] = input1[*, i] weight[k, i, j] input2[*, j] + bias[k]``.

    Args:
        input1: (*, I).
        input2: (*, J), the same leading sizes.
        weight: (K, I, J).
        bias: (K) or None.

    Raises:
        RuntimeError: sizes that do not fit.
    """
    if input1.ndim != input2.ndim or input1.shape[:-1] != input2.shape[:-1]:
        raise fail(
            RuntimeError,
            "bilinear",
            f"batch dimensions do not match: input1 is {list(input1.shape)}, input2 "
            f"{list(input2.shape)}.",
        )
    if (
        weight.ndim != 3
        or input1.shape[-1] != weight.shape[1]
        or input2.shape[-1] != weight.shape[2]
    ):
        raise fail(
            RuntimeError,
            "bilinear",
            f"input1 size {input1.shape[-1]} and input2 size {input2.shape[-1]} do not match "
            f"weight {list(weight.shape)}: "
            "weight is (out, in1, in2).",
        )
    if bias is not None and tuple(bias.shape) != tuple(weight.shape[:1]):
        raise fail(
            RuntimeError,
            "bilinear",
            f"bias size {list(bias.shape)} does not match weight size {weight.shape[0]}.",
        )
    K, I, J = weight.shape
    lead = tuple(input1.shape[:-1])
    rows = prod(lead)
    left = input1.reshape(rows, I)
    inner = linear(left, weight.permute(0, 2, 1).reshape(K * J, I))  # (rows, K J)
    found = ops.matmul(inner.reshape(rows, K, J), input2.reshape(rows, J, 1)).reshape(rows, K)
    if bias is not None:
        found = found + bias
    return found.reshape(*lead, K)
