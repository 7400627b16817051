"""Softmax and log-softmax along a dimension: functions, methods, rules. The sums are in
``kernels.softmax``."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.kernels import softmax as kernels
from flambeau.core.kernels.native import rows
from flambeau.core.output import write_one
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray
_forward = rows.lazily("softmax", kernels.softmax)
_log_forward = rows.lazily("log_softmax", kernels.log_softmax)
_backward = rows.lazily("softmax_backward", kernels.softmax_backward)
_log_backward = rows.lazily("log_softmax_backward", kernels.log_softmax_backward)
NATIVE = frozenset((np.dtype("f4"), np.dtype("f8")))


def _same(input: Any, dim: int) -> Any:
    wrap_dim(dim, input.ndim, "softmax")
    return input.shape, input.dtype


@both
def _softmax_rule(g: Any, out: Any, dim: int) -> Any:
    if type(g) is nd:
        return _backward(g, out, dim)
    found = g * out
    return found - out * ops.sum(found, dim, True)


@both
def _log_softmax_rule(g: Any, out: Any, dim: int) -> Any:
    if type(g) is nd:
        return _log_backward(g, out, dim)
    return g - ops.exp(out) * ops.sum(g, dim, True)


@primitive(
    name="_softmax", node="Softmax", function=False, method=False, vjp=_softmax_rule, infer=_same
)
def _softmax(input, dim: int):
    """``exp(input) / sum(exp(input))`` along `dim`."""
    axis = wrap_dim(dim, input.ndim, "softmax")
    if input.dtype not in NATIVE:
        refuse_dtype("softmax", input.dtype, "f")
    return _forward(input, axis)


@primitive(
    name="_log_softmax",
    node="LogSoftmax",
    function=False,
    method=False,
    vjp=_log_softmax_rule,
    infer=_same,
)
def _log_softmax(input, dim: int):
    """``input - log(sum(exp(input)))`` along `dim`."""
    axis = wrap_dim(dim, input.ndim, "log_softmax")
    if input.dtype not in NATIVE:
        refuse_dtype("log_softmax", input.dtype, "f")
    return _log_forward(input, axis)


@composite(method=True)
def softmax(
    input: Tensor, dim: Any = None, dtype: Any = None, *, out: Any = None, axis: Any = None
) -> Tensor:
    """``exp(input) / sum(exp(input))`` along `dim`; `dtype` converts the input first.

    Raises:
        IndexError: no such dimension. NotImplementedError: an integer input.
    """
    dim = axis if dim is None else dim
    found = ops._softmax(input if dtype is None else input.to(dtype), dim)
    return found if out is None else write_one("softmax", found, out)


@composite(method=True)
def log_softmax(
    input: Tensor, dim: Any = None, dtype: Any = None, *, out: Any = None, axis: Any = None
) -> Tensor:
    """``input - log(sum(exp(input)))`` along `dim`; `dtype` converts the input first.

    Raises:
        IndexError: no such dimension. NotImplementedError: an integer input.
    """
    dim = axis if dim is None else dim
    found = ops._log_softmax(input if dtype is None else input.to(dtype), dim)
    return found if out is None else write_one("log_softmax", found, out)
