"""`out=`: writing a result into a tensor the caller gave. PyTorch's checks. Stands on tensor,
promotion.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import state
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.inplace import check_inference
from flambeau.core.kernels import copies
from flambeau.core.layout import is_non_overlapping_and_dense
from flambeau.core.overlap import check_writable
from flambeau.core.promotion import can_cast
from flambeau.core.provenance import stack_level
from flambeau.core.silence import quiet
from flambeau.core.storage import address, root_of, touch
from flambeau.core.tensor import Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["check_apart", "write", "write_one"]

_EXACT = frozenset(
    "_conj_physical _gelu _heaviside _logsigmoid _round _round_decimals _softplus _softshrink "
    "_where abs bitwise_not ceil floor frac hardshrink isneginf isposinf nan_to_num neg sgn sign "
    "signbit trunc".split()
)
"""The elementwise operations that write into no other dtype than their result's."""
_CASTING = frozenset(
    "_cat _drawn _linalg_pinv _max_all _min_all _stack addr bernoulli cholesky cholesky_inverse "
    "cholesky_solve cumprod cumsum fft_fft fft_fft2 fft_fftn fft_hfft fft_hfft2 fft_hfftn "
    "fft_ifft2 fft_ifftn fft_ihfft2 fft_ihfftn fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 "
    "fft_rfftn geqrf kron linalg_cond linalg_eig linalg_eigvals linalg_householder_product "
    "linalg_lstsq linalg_matrix_rank linalg_tensorinv linalg_tensorsolve logsumexp lu mean "
    "nanmean nansum ndtr prod std sum var".split()
)
"""What is not elementwise and all the same converts its result to the dtype of `out`: it copies,
so that an `out` that is resized is contiguous too."""
_BY_COLUMNS = frozenset({"geqrf", "linalg_householder_product"})
"""Of these, the ones that lay a resized `out` by columns."""
_OVERLAPPING = frozenset({"bmm", "mv", "tril", "triu"})
"""What writes into an `out` whose elements share memory, as PyTorch does."""
_SILENT = frozenset({"_logsigmoid", "addbmm"})
"""What resizes an `out` without a warning."""


def write(op: Op, result: Any, out: Any) -> Any:
    """Write one result or several into `out`; returns what PyTorch returns.

    Raises:
        TypeError: not one tensor for each result.
        RuntimeError: another dtype where the operation takes only the result's.
    """
    if op.flags["family"] == "elementwise":
        exact = op.name in _EXACT
    else:
        exact = op.name not in _CASTING
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            raise fail(TypeError, op.name, f"argument 'out' must be tuple of {len(result)} Tensors")
        for r, o in zip(result, out, strict=True) if exact else ():
            if isinstance(o, Tensor):
                _check_dtype(op.name, r, o)
        written = [write_one(op.name, r, o, False) for r, o in zip(result, out, strict=True)]
        return type(result)(written) if type(result) is not tuple else tuple(written)
    return write_one(op.name, result, out, exact)


def _check_dtype(name: str, result: Tensor, out: Tensor) -> None:
    if out.dtype is not result.dtype:
        raise fail(
            RuntimeError,
            name,
            f"Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead: give "
            f"an out of dtype {result.dtype}.",
        )


def write_one(name: str, result: Tensor, out: Any, exact: bool | None = None) -> Tensor:
    """Write `result` into `out`, resized when its shape differs (with PyTorch's warning when it was
    not empty).

    Args:
        exact: whether `out` must have the result's dtype; by default most must.

    Raises:
        TypeError: `out` is not a tensor.
        RuntimeError: gradients are wanted, or the dtype does not fit.
    """
    if not isinstance(out, Tensor):
        raise fail(TypeError, name, f"argument 'out' must be Tensor, not {type(out).__name__}")
    if state.grad_enabled() and (edge_of(result) is not None or edge_of(out) is not None):
        raise fail(
            RuntimeError,
            name,
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            f"but one of the arguments "
            "requires grad. Leave out= away, or write under torch.no_grad().",
        )
    check_inference(name, out)
    new, old = result._array, out._array
    if exact or (exact is None and name not in _CASTING):
        _check_dtype(name, result, out)
    if (
        new.dtype != old.dtype
        and name != "bernoulli"
        and not can_cast(of(new.dtype), of(old.dtype))
    ):
        raise fail(
            TypeError if name in ("_cat", "_stack") else RuntimeError,
            name,
            f"result type {of(new.dtype).legacy} can't be cast to the desired output type "
            f"{of(old.dtype).legacy}: give an "
            f"out of dtype {of(new.dtype)}.",
        )
    if type(new) is not type(old):
        raise fail(
            RuntimeError,
            name,
            "Expected all tensors to be on the same device: out is on another device than the "
            "result.",
        )
    if new.shape != old.shape:
        if old.size and name not in _SILENT:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(old.shape)}, which does not match "
                f"the required output shape {list(new.shape)}. Resize it explicitly with "
                f"t.resize_(0) to reuse it.",
                UserWarning,
                stacklevel=stack_level(),
            )
        out.resize_(new.shape)
        if name not in _CASTING or name in _BY_COLUMNS:
            out._array = _ordered(out._array, new)
        old = out._array
    if type(old) is np.ndarray:
        if name not in _OVERLAPPING:
            check_writable(name, old)
        if old.dtype is new.dtype:
            copies.copy_into(old, new)
        else:
            quiet(np.copyto, old, new, casting="unsafe")
    touch(out, name + " (out=)")
    return out


def _ordered(fresh: Any, like: Any) -> Any:
    """Contiguous memory shown in the order of dimensions in which a result lies."""
    if type(like) is not np.ndarray or like.flags.c_contiguous or 0 in like.shape:
        return fresh
    item = like.itemsize
    if not is_non_overlapping_and_dense(like.shape, [s // item for s in like.strides]):
        return fresh
    order = sorted(range(like.ndim), key=lambda k: -like.strides[k])
    return fresh.reshape([like.shape[k] for k in order]).transpose(np.argsort(order))


def check_apart(op: Op, inputs: Any, results: Any, out: Any) -> None:
    """Refuse an `out` that overlaps itself or an input, for operations that read while they write;
    where it will be resized, the memory it grows into counts.

    Raises:
        RuntimeError: shared elements.
    """
    tensors = [t for t in inputs if isinstance(t, Tensor) and type(t._array) is np.ndarray]
    for target, result in zip(_each(out), _each(results), strict=False):
        if not isinstance(target, Tensor) or type(target._array) is not np.ndarray:
            continue
        if op.name not in _OVERLAPPING:
            check_writable(op.name, target._array)
        memory = _grown(target, result._array)
        if any(t is target or np.may_share_memory(t._array, memory) for t in tensors):
            raise fail(
                RuntimeError,
                op.name,
                "unsupported operation: some elements of the input tensor and the written-to "
                "tensor refer to a single memory location. Please clone() the tensor before "
                "performing the operation.",
            )


def _grown(target: Tensor, result: Any) -> Any:
    """The memory of a tensor once it has the result's shape."""
    array, root = target._array, root_of(target)
    if array.shape == result.shape or not root.flags.c_contiguous:
        return array
    begin = address(array) - address(root)
    end = begin + result.size * array.itemsize
    return root.reshape(-1).view(np.uint8)[begin:end] if end <= root.nbytes else array


def _each(value: Any) -> Any:
    return value if isinstance(value, (tuple, list)) else (value,)
