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
from flambeau.core.kernels import copies
from flambeau.core.overlap import check_writable
from flambeau.core.promotion import can_cast
from flambeau.core.silence import quiet
from flambeau.core.storage import touch
from flambeau.core.tensor import Tensor, edge_of

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["check_apart", "write", "write_one"]


def write(op: Op, result: Any, out: Any) -> Any:
    """Write one result or several into `out`; returns what PyTorch returns.

    Raises:
        TypeError: not one tensor for each result.
        RuntimeError: another dtype where the operation takes only the result's: results that come
            with their places, and whatever declares `out_exact`.
    """
    exact = op.flags.get("out_exact") or "indices" in op.outputs
    for r, o in zip(_each(result), _each(out), strict=False) if exact else ():
        if isinstance(o, Tensor) and o.dtype is not r.dtype:
            raise fail(
                RuntimeError,
                op.name,
                f"Expected out tensor to have dtype {r.dtype}, but got {o.dtype} instead: give an "
                f"out of dtype {r.dtype}.",
            )
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            raise fail(TypeError, op.name, f"argument 'out' must be tuple of {len(result)} Tensors")
        written = [write_one(op.name, r, o) for r, o in zip(result, out, strict=True)]
        return type(result)(written) if type(result) is not tuple else tuple(written)
    return write_one(op.name, result, out)


def write_one(name: str, result: Tensor, out: Any) -> Tensor:
    """Write `result` into `out`, resized when its shape differs (with PyTorch's warning when it was
    not empty).

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
    new, old = result._array, out._array
    if new.dtype != old.dtype and not can_cast(of(new.dtype), of(old.dtype)):
        raise fail(
            RuntimeError,
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
        if old.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(old.shape)}, which does not match "
                f"the required output shape {list(new.shape)}. Resize it explicitly with "
                f"t.resize_(0) to reuse it.",
                UserWarning,
                stacklevel=_depth(),
            )
        out.resize_(new.shape)
        old = out._array
    if type(old) is np.ndarray:
        check_writable(name, old)
        if old.dtype is new.dtype:
            copies.copy_into(old, new)
        else:
            quiet(np.copyto, old, new, casting="unsafe")
    touch(out, name + " (out=)")
    return out


def check_apart(op: Op, inputs: Any, out: Any) -> None:
    """Refuse an `out` that overlaps itself or an input, for operations that read while they write.

    Raises:
        RuntimeError: shared elements.
    """
    tensors = [t for t in inputs if isinstance(t, Tensor) and type(t._array) is np.ndarray]
    for target in _each(out):
        if not isinstance(target, Tensor) or type(target._array) is not np.ndarray:
            continue
        check_writable(op.name, target._array)
        if any(t is target or np.may_share_memory(t._array, target._array) for t in tensors):
            raise fail(
                RuntimeError,
                op.name,
                "unsupported operation: some elements of the input tensor and the written-to "
                "tensor refer to a single memory location. Please clone() the tensor before "
                "performing the operation.",
            )


def _each(value: Any) -> Any:
    return value if isinstance(value, (tuple, list)) else (value,)


def _depth() -> int:
    from flambeau.core.provenance import stack_level

    return stack_level()
