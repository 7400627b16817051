"""Writing into tensors: who may be written, how history is rebased, how views of a written base
find their edge again.

The rules are PyTorch's: a leaf that requires gradient may not be written while grad mode is on, nor
a view of one; a view's write becomes a `CopySlices` node of its base. Stands on tensor, node, slow.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core import lower, overrides, state
from flambeau.core.batch.array import Batched, like_sample
from flambeau.core.batch.array import write as batch_write
from flambeau.core.errors import fail
from flambeau.core.layout import contiguous_strides
from flambeau.core.node import FREED, AccumulateGrad, Node, OpNode, Port
from flambeau.core.overlap import check_apart, check_writable, overlaps
from flambeau.core.provenance import stack_level, user_frame
from flambeau.core.silence import quiet
from flambeau.core.state import next_sequence
from flambeau.core.storage import address, marked_storage, silent, storage_of, touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of, wrap

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "check_inference",
    "check_inplace",
    "inplace",
    "rebase",
    "refresh_view",
    "silent",
    "write_result",
]


def check_inplace(name: str, tensor: Tensor, recording: bool, repeats: str = "refused") -> None:
    """Whether `tensor` may be written now.

    Args:
        repeats: what elements that share memory are: "refused", "allowed" where every one gets
            the same value, or "deprecated".

    Raises:
        RuntimeError: a leaf that requires gradient, a view of one, a view made without history, or
            shared elements.
    """
    check_inference(name, tensor)
    if state.grad_enabled():
        _check_history(name, tensor, recording)
    if type(tensor._array) is not np.ndarray:
        return
    if repeats == "refused":
        check_writable(name, tensor._array)
    elif repeats == "deprecated" and overlaps(tensor._array):
        warnings.warn(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before "
            "performing this operation.",
            UserWarning,
            stacklevel=stack_level(),
        )


def check_inference(name: str, tensor: Tensor) -> None:
    """Whether a tensor made under inference mode is written there.

    Raises:
        RuntimeError: it is written outside.
    """
    storage = tensor._storage
    if storage is not None and storage.inference and not state.current().inference:
        raise fail(
            RuntimeError,
            name,
            "Inplace update to inference tensor outside InferenceMode is not allowed. Write into "
            "a clone(), or inside "
            "torch.inference_mode().",
        )


def _check_history(name: str, tensor: Tensor, recording: bool) -> None:
    """What may not be written while operations are recorded."""
    view = tensor._view
    base = view[0] if view is not None else None
    edge = tensor._edge
    if base is not None and (recording or edge is not None or base._edge is not None):
        assert view is not None
        if view[2]:
            raise unwritable_view(name, view[2])
        edge = edge_of(tensor)
        if type(base._edge) is AccumulateGrad or (base._edge is None and edge is not None):
            raise fail(
                RuntimeError,
                name,
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation. Write under "
                "torch.no_grad(), or into a clone().",
            )
    if edge is not None and type(edge) is AccumulateGrad:
        raise fail(
            RuntimeError,
            name,
            "a leaf Variable that requires grad is being used in an in-place operation. Write "
            "under torch.no_grad(), "
            "or into a clone().",
        )


def unwritable_view(name: str, kind: str, indirect: bool = False) -> Exception:
    """The error of writing a view that may not be written, or (`indirect`) of reading one whose
    base was written.
    """
    written = "its base or another view of its base has been" if indirect else "is being"
    if kind == "multi":
        return fail(
            RuntimeError,
            name,
            f"Output of an operation that returns multiple views is a view and {written} modified "
            f"inplace. Such a view may "
            "not be written: its gradient could not be told from its siblings'. clone() it first.",
        )
    if kind == "function":
        return fail(
            RuntimeError,
            name,
            f"A view was created inside a custom Function (or because an input was returned "
            f"as-is, as modules with full backward hooks do) and {written} modified inplace. Its "
            f"gradient would go past the function's backward: clone() it first.",
        )
    return fail(
        RuntimeError,
        name,
        f"A view was created in no_grad mode and {written} modified inplace with grad mode "
        f"enabled. Make the view under "
        "the mode in which it is written, or clone() it.",
    )


_SOURCES = frozenset(
    "_scatter scatter_add _scatter_reduce index_add index_copy index_reduce put".split()
)
"""What writes elements of a source, which must lie elsewhere altogether."""


def _check_apart(op: Op, args: Any) -> None:
    """Whether what is read may be read while the first tensor is written.

    Raises:
        RuntimeError: it lies there in part; for some operations, at all.
    """
    whole = op.name in _SOURCES
    if whole or op.flags["family"] == "elementwise":
        read = [args[i]._array for i, _ in op.tensors[1:] if isinstance(args[i], Tensor)]
        check_apart(op.name.lstrip("_") + "_", args[0]._array, read, whole)


def written_plainly(op: Op, args: Any) -> bool:
    """Write `op`'s result into its first tensor where that is all there is to do: contiguous
    memory, no history to change, nothing to record. Whether it was.
    """
    target = args[0]
    m = state.mode()
    if type(target) not in PLAIN or (m is not None and m is not state.NO_GRAD) or op.varargs:
        return False
    old, storage = target._array, target._storage
    if type(old) is not np.ndarray or not old.flags.c_contiguous:
        return False
    if storage is not None and storage.inference:
        return False
    if m is None:
        for i, _ in op.tensors:
            x = args[i]
            if isinstance(x, Tensor) and (
                x._edge is not None or x._view is not None or type(x) not in PLAIN
            ):
                return False
    _check_apart(op, args)
    if op.name == "add" and _scattered(old, args[1]):
        touch(target, "add_")
        return True
    result = op.again(args)
    new = result._array
    if type(new) is np.ndarray and new.shape == old.shape and new.dtype is old.dtype:
        old[...] = new
        touch(target, op.name.lstrip("_") + "_")
    else:
        write_result(op.name.lstrip("_") + "_", target, result)
    return True


def _scattered(array: Any, other: Any) -> bool:
    """Add a sparse tensor where it has values; whether it is one that fits."""
    data: Any = getattr(other, "_array", None)
    if not hasattr(data, "is_sparse_data") or data.shape != array.shape:
        return False
    if data.dtype is not array.dtype:
        return False
    from flambeau.sparse.kernels import scatter

    scatter(data, array)
    return True


def inplace(op: Op, args: Any) -> Tensor:
    """`name_`: the functional operation, its result written into the first tensor, the history
    rebased.
    """
    target = args[0]
    if written_plainly(op, args):
        return target
    m = state.mode()
    if overrides.concern(args, m):
        return overrides.dispatch(getattr(Tensor, op.name + "_"), args, {})
    if m is not None and m.levels:
        return m.levels[-1].process_inplace(op, args)
    if lower.concern(args, m):
        return lower.dispatch(op, args, inplace=True)  # type: ignore[no-any-return]
    title = op.name.lstrip("_") + "_"
    recording = _recording(op, args)
    check_inplace(title, target, recording)
    if getattr(target._array, "is_coalesced", True) is False and len(op.tensors) == 1:
        from flambeau.sparse.factory import check_ordered

        check_ordered(title, op)
    _check_apart(op, args)
    given = args
    if recording:
        # The rules see the value before the write, so a wanted original is a copy, as in PyTorch.
        mask = sum(
            bit
            for i, bit in op.tensors
            if isinstance(args[i], Tensor) and edge_of(args[i]) is not None
        )
        if 0 in op.plan(mask)[0]:
            kept = wrap(target._array.copy())
            kept._edge = edge_of(target)
            given = [kept, *args[1:]]
    result = op.again(given)
    write_result(title, target, result)
    return target


def _recording(op: Op, args: Any) -> bool:
    if not op.rules or not state.grad_enabled():
        return False
    return any(isinstance(args[i], Tensor) and edge_of(args[i]) is not None for i, _ in op.tensors)


def write_result(title: str, target: Tensor, result: Tensor) -> None:
    """Copy a result into the tensor and give the tensor the result's history.

    Raises:
        RuntimeError: the result's shape or dtype does not fit.
    """
    new, old = result._array, target._array
    if new.shape != old.shape:
        raise fail(
            RuntimeError,
            title,
            f"output with shape {list(old.shape)} doesn't match the broadcast shape "
            f"{list(new.shape)}: the tensor written in "
            "place cannot grow.",
        )
    if new.dtype != old.dtype:
        from flambeau.core.dtypes import of
        from flambeau.core.promotion import can_cast

        if not can_cast(of(new.dtype), of(old.dtype)):
            raise fail(
                RuntimeError,
                title,
                f"result type {of(new.dtype).legacy} can't be cast to the desired output type "
                f"{of(old.dtype).legacy}: "
                "the tensor written in place keeps its dtype. Convert it first, or write out of "
                "place.",
            )
    if type(old) is Batched or type(new) is Batched:
        batch_write(title, old, new)
    elif type(old) is np.ndarray:
        if hasattr(new, "is_sparse_data"):
            new = new.dense()
        quiet(np.copyto, old, new, casting="unsafe")
    elif hasattr(old, "is_sparse_data"):
        target._array = new if new.dtype == old.dtype else new.astype(old.dtype)
    touch(target, title)
    node = result._edge
    if node is not None and state.grad_enabled():
        saved = getattr(node, "saved", None)
        if isinstance(node, OpNode) and isinstance(saved, (tuple, list)) and saved[-1] is new:
            # The rule reads the output: it is the written tensor's memory now.
            node.saved = (*saved[:-1], old)
            node.stores = (*node.stores[:-1], marked_storage(target))
            node.sequence = next_sequence()
        if new.dtype != old.dtype:
            node.dtype = old.dtype
        rebase(target, node)


class CopySlices(Node):
    """The history of a base after one of its views was written: the view's part goes through the
    view's node.
    """

    __slots__ = ("function", "geometry", "reads")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        if not graph and type(grads) is np.ndarray and self._is_row_major():
            return self._on_arrays(grads, keep)
        grad = grads if isinstance(grads, Tensor) else wrap(grads)
        from flambeau.core.declare import ops

        shape, strides, offset, base_strides = self.geometry
        whole = ops.empty_strided(self.shape, base_strides, dtype=grad.dtype)
        if type(grad._array) is Batched:
            whole = wrap(like_sample(whole._array, grad._array))
        whole = whole.copy_(grad)
        part = whole.as_strided(shape, strides, offset)
        inner = part.clone().contiguous()
        function = self.function
        results = list(function.run(inner if graph else inner._array, graph, keep))
        if isinstance(function, OpNode) and function.saved is FREED:
            frame = user_frame(sys._getframe(1))
            function.freed = (frame.f_code, frame.f_lasti)
        results = [r if r is None or isinstance(r, Tensor) else wrap(_as_array(r)) for r in results]
        found: list[Any] = []
        for k, result in enumerate(results):
            if k in self.reads:
                if result is None:
                    part.zero_()
                else:
                    from flambeau.core.fit import fit_tensor

                    part.copy_(fit_tensor(self, result, shape, whole._array.dtype))
            else:
                found.append(result)
        return [t if graph or t is None else t._array for t in (whole, *found)]

    def _is_row_major(self) -> bool:
        return 0 not in self.geometry[0] and self.geometry[3] == contiguous_strides(self.shape)

    def _on_arrays(self, grad: Any, keep: bool) -> list[Any]:
        """The same without Tensors."""
        from flambeau.core.fit import fit

        shape, strides, offset, _ = self.geometry
        whole = grad.copy("C")
        item = whole.itemsize
        steps = tuple([s * item for s in strides])
        part = np.ndarray(shape, whole.dtype, whole, offset * item, steps)
        function = self.function
        found: list[Any] = [whole]
        for k, result in enumerate(function.run(part.copy(), False, keep)):
            if k not in self.reads:
                found.append(result)
            else:
                part[...] = 0 if result is None else fit(self, result, shape, whole.dtype)
        if isinstance(function, OpNode) and function.saved is FREED:
            frame = user_frame(sys._getframe(2))
            function.freed = (frame.f_code, frame.f_lasti)
        return found

    def name(self) -> str:
        return "torch::autograd::CopySlices"


class AsStridedBackward0(Node):
    """The edge of a view whose base was written: the view's geometry on the base."""

    __slots__ = ("base_shape", "geometry")

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        grad = grads if isinstance(grads, Tensor) else wrap(grads)
        from flambeau.core.declare import ops

        shape, strides, offset, base_strides = self.geometry
        found = ops.as_strided_backward(grad, self.base_shape, base_strides, shape, strides, offset)
        return [found if graph else found._array]


def _as_array(value: Any) -> Any:
    return value if type(value) is Batched else np.asarray(value)


def _geometry(tensor: Tensor, base: Tensor) -> tuple[Any, Any, int, Any]:
    a, b = tensor._array, base._array
    item = a.itemsize
    steps = tuple(s // item for s in a.strides)
    return a.shape, steps, (address(a) - address(b)) // item, tuple(s // item for s in b.strides)


def rebase(target: Tensor, node: Node) -> None:
    """Make `node` the history of a tensor that was written; of its base too, when it is a view."""
    view = target._view
    keeper = _take_keeper(target)
    if view is None:
        target._edge = node
        _keep_again(target, keeper)
        return
    base = view[0]
    old = base._edge
    keeper_of_base = _take_keeper(base)
    outer = CopySlices()
    outer.function = node
    # The written tensor's own slot: gradients for it go to the base's old history.
    outer.reads = {0}
    outer.geometry = _geometry(target, base)
    outer.edges = (old, *node.edges[1:])
    outer.hooks = None
    outer.shape = base._array.shape
    outer.dtype = base._array.dtype
    _stamp(outer)
    base._edge = outer
    _keep_again(base, keeper_of_base)
    refresh_view(target)
    _keep_again(target, keeper)


def _take_keeper(tensor: Tensor) -> Any:
    """Take `retain_grad` off a tensor's old history: it follows the tensor, not the value before
    the write.
    """
    edge = tensor._edge
    node, number = (edge.node, edge.number) if type(edge) is Port else (edge, 0)
    hooks: Any = getattr(node, "hooks", None)
    keeper = hooks.retain.get(number) if hooks is not None else None
    if keeper is None or keeper() is not tensor:
        return None
    return hooks.retain.pop(number)


def _keep_again(tensor: Tensor, keeper: Any) -> None:
    if keeper is not None and tensor._edge is not None:
        edge = tensor._edge
        node, number = (edge.node, edge.number) if type(edge) is Port else (edge, 0)
        node.hooks_of().retain[number] = keeper


def refresh_view(tensor: Tensor) -> None:
    """Give a view the edge that its base's present history implies."""
    assert tensor._view is not None
    base, _, kind = tensor._view
    storage = storage_of(tensor)
    still = base._edge is None or type(base._edge) is AccumulateGrad
    if kind and not (still and tensor._edge is None):
        raise unwritable_view(type(base._edge).__name__, kind, indirect=True)
    if still:
        tensor._view = (base, storage.version, kind)
        return
    tensor._view = (base, storage.version, kind)
    if type(tensor._edge) is AsStridedBackward0 and tensor._edge.edges[0] is base._edge:
        return
    node = AsStridedBackward0()
    node.edges = (base._edge,)
    node.hooks = None
    node.geometry = _geometry(tensor, base)
    node.base_shape = base._array.shape
    node.shape = tensor._array.shape
    node.dtype = tensor._array.dtype
    _stamp(node)
    tensor._edge = node


def _stamp(node: Node) -> None:
    frame = user_frame(sys._getframe(1))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    node.sequence = next_sequence()
