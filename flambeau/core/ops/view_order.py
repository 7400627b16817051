"""Views with their dimensions in another order, more of them or fewer: transpose, permute, movedim,
squeeze, unsqueeze. Stands on declare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from flambeau.core.binding import sizes_of
from flambeau.core.declare import composite, ops
from flambeau.core.declare import view as declare_view
from flambeau.core.dims import several, wrap_dim, wrap_dims
from flambeau.core.entry import as_view, at_first, looking
from flambeau.core.errors import fail
from flambeau.core.methods import attach
from flambeau.core.state import ordinary
from flambeau.core.tensor import PLAIN, Tensor

__all__: list[str] = []

nd = np.ndarray


@declare_view(
    vjp=lambda g, dim0, dim1: ops.transpose(g, dim0, dim1),
    alias=("swapaxes", "swapdims"),
    inplace=False,
    native="swap",
)
def transpose(input, dim0: int, dim1: int):
    """The view with two dimensions swapped."""
    return (
        input.swapaxes(wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim))
        if input.ndim
        else input.view()
    )


@declare_view(vjp=lambda g, dim: ops.squeeze(g, dim), inplace=False, native="insert")
def unsqueeze(input, dim: int):
    """The view with a dimension of size 1 inserted at `dim`."""
    dim = wrap_dim(dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None,)]


def _squeeze_name(node: Any) -> str:
    dim = node.params[1]
    return (
        "SqueezeBackward0"
        if dim is None
        else "SqueezeBackward2"
        if isinstance(dim, (tuple, list))
        else "SqueezeBackward1"
    )


@declare_view(
    vjp=lambda g, shape: g.reshape(shape), inplace=False, node=_squeeze_name, native="squeeze"
)
def squeeze(input, dim: Any = None):
    """The view without the dimensions of size 1 (all of them, or those in `dim` that are)."""
    if isinstance(dim, tuple) and not dim:
        gone = []
    elif dim is None:
        gone = [k for k, n in enumerate(input.shape) if n == 1]
    else:
        gone = [k for k in wrap_dims(dim, input.ndim) if input.ndim and input.shape[k] == 1]
    return (
        input[(*[0 if k in gone else slice(None) for k in range(input.ndim)], ...)]
        if gone
        else _whole(input)
    )


def _whole(input: Any) -> Any:
    return input.view() if type(input) is nd else input


@declare_view(
    vjp=lambda g, dims: ops._permute(g, inverse(dims)),
    name="_permute",
    node="Permute",
    function=False,
    method=False,
)
def _permute(input, dims: Any):
    """The view with its dimensions in another order."""
    return input.transpose(dims)


def inverse(dims: Any) -> tuple[int, ...]:
    """The permutation that undoes `dims`."""
    found = [0] * len(dims)
    for k, d in enumerate(dims):
        found[d] = k
    return tuple(found)


@composite(method=True)
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The view with its dimensions in the order `dims`.

    Raises:
        RuntimeError: not every dimension named once.
    """
    if len(order) < 2 or dims is not None:
        order = sizes_of("permute", "dims", order, dims)
    found = _permuted(input, order)
    if found is not None:
        return found  # type: ignore[no-any-return]
    a = input._array
    if type(input) in PLAIN and type(a) is nd and ordinary():
        try:
            r = a.transpose(order) if order else None
        except (ValueError, TypeError):
            r = None  # worded below
        if r is not None:
            return as_view(PERMUTE, input, r, (None, order))
    ndim = a.ndim
    if len(order) != ndim:
        raise fail(
            RuntimeError,
            "permute",
            f"number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. "
            f"input.dim() = {ndim} is not equal to len(dims) = {len(order)}",
        )
    wrapped = tuple([wrap_dim(d, ndim) for d in order])
    if len(set(wrapped)) < ndim:
        raise fail(RuntimeError, "permute", f"duplicate dims are not allowed: {order}")
    return ops._permute(input, wrapped)


PERMUTE = ops._permute.operation
_permuted: Callable[..., Any] = at_first(
    globals(), "_permuted", lambda: looking(PERMUTE, "permute")
)


@cache
def _order(ndim: int, source: int, destination: int) -> tuple[int, ...]:
    """The permutation that moves one dimension."""
    rest = [k for k in range(ndim) if k != source % ndim]
    rest.insert(destination % ndim, source % ndim)
    return tuple(rest)


@lru_cache(maxsize=256)
def _order_of_several(ndim: int, sources: Any, targets: Any) -> tuple[int, ...]:
    """The permutation that moves several dimensions."""
    sources, targets = wrap_dims(sources, ndim), wrap_dims(targets, ndim)
    order = [-1] * ndim
    for s, t in zip(sources, targets, strict=True):
        order[t] = s
    rest = iter(k for k in range(ndim) if k not in sources)
    return tuple([k if k >= 0 else next(rest) for k in order])


def _move(input: Tensor, source: Any, destination: Any) -> Tensor:
    ndim = input._array.ndim
    sources, targets = several(source), several(destination)
    if len(sources) != len(targets):
        raise fail(
            RuntimeError,
            "movedim",
            f"Invalid source or destination dims: source ({list(sources)} dims) should contain "
            f"the same number of dims as destination ({list(targets)} dims)",
        )
    return ops._permute(input, _order_of_several(ndim, sources, targets))


@composite(method=True, alias=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """The view with the dimensions `source` moved to the places `destination`."""
    a = input._array
    if type(source) is int and type(destination) is int and type(input) in PLAIN and ordinary():
        n = a.ndim
        if type(a) is nd and -n <= source < n and -n <= destination < n:
            order = _order(n, source, destination)
            return as_view(PERMUTE, input, a.transpose(order), (None, order))
    return _move(input, source, destination)


@declare_view(vjp=lambda g: g.t(), inplace=False)
def t(input):
    """The transposed matrix; vectors and scalars as they are.

    Raises:
        RuntimeError: more than 2 dimensions.
    """
    if input.ndim > 2:
        raise fail(
            RuntimeError,
            "t",
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D: use .mT or "
            f"transpose(dim0, dim1)",
        )
    return input.swapaxes(0, 1) if input.ndim == 2 else _whole(input)


@composite(method=True)
def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of the last two dimensions; of a 0-d tensor its conjugate."""
    a = input._array
    if not a.ndim:
        _no_dimension("adjoint()")
        return input.conj()
    if a.ndim < 2:
        raise fail(
            RuntimeError,
            "adjoint",
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got "
            f"{a.ndim}-D tensor.",
        )
    found = ops.transpose(input, -2, -1)
    return found.conj() if a.dtype.kind in "cW" else found


def _no_dimension(name: str) -> None:
    from flambeau.compat import warn_once

    warn_once(
        f"tensor.{name} is deprecated on 0-D tensors, where it swaps nothing: leave it away there.",
        UserWarning,
    )


def _not_a_matrix() -> None:
    from flambeau.compat import warn_once

    warn_once(
        "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is "
        "deprecated and it will throw an error in a future release of PyTorch. x.mT transposes "
        "batches of matrices, x.permute(*range(x.ndim - 1, -1, -1)) reverses the dimensions.",
        UserWarning,
    )


class Transposed:
    """`T`, `mT`, `H`, `mH`."""

    @property
    def T(self: Tensor) -> Tensor:
        """The tensor with its dimensions reversed; warns, once, where they are not two."""
        ndim = self._array.ndim
        if ndim == 2:
            order: tuple[int, ...] = (1, 0)
        else:
            order = tuple(range(ndim))[::-1]
            if ndim:
                _not_a_matrix()
        found = _permuted(self, order)
        return ops._permute(self, order) if found is None else found

    @property
    def mT(self: Tensor) -> Tensor:
        """The last two dimensions swapped; a 0-d tensor is its own."""
        if not self._array.ndim:
            _no_dimension("mT")
            return self
        if self._array.ndim < 2:
            raise fail(
                RuntimeError,
                "mT",
                f"tensor.mT is only supported on matrices or batches of matrices. Got "
                f"{self._array.ndim}-D tensor.",
            )
        return ops.transpose(self, -2, -1)

    @property
    def H(self: Tensor) -> Tensor:
        """The conjugate transpose of a matrix."""
        a = self._array
        if a.ndim == 2:
            found = ops.transpose(self, 0, 1)
            return found.conj() if a.dtype.kind in "cW" else found
        if a.ndim:
            raise fail(
                RuntimeError,
                "H",
                f"tensor.H is only supported on matrices (2-D tensors). Got {a.ndim}-D tensor.",
            )
        _no_dimension("H")
        return self.conj()

    @property
    def mH(self: Tensor) -> Tensor:
        """The conjugate transpose of the last two dimensions."""
        return adjoint(self)


attach(Transposed)
