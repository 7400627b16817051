"""`saved_tensors_hooks` and anomaly mode: what is done to a node just after it was made. Stands on
node and rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flambeau.core import state
from flambeau.core.anomaly import note_forward
from flambeau.core.errors import fail
from flambeau.core.lists import ListNode
from flambeau.core.node import FREED, Node, OpNode, Port
from flambeau.core.rules import Packed, saved_tensor
from flambeau.core.tensor import Tensor, wrap

__all__ = ["SavedTensor", "pack_saved", "unrecorded"]


def pack_saved(result: Any, mode: Any) -> None:
    """Hand a result's saved tensors to the pack hook; note the stack in anomaly mode."""
    for tensor in result if isinstance(result, tuple) else (result,):
        edge = tensor._edge if isinstance(tensor, Tensor) else None
        node = edge.node if type(edge) is Port else edge
        if isinstance(node, Node) and not node.edges == ():
            if mode.anomaly:
                note_forward(node)
            if (
                mode.pack
                and isinstance(node, OpNode)
                and not any(type(v) is Packed for v in node.saved or ())
            ):
                with unrecorded():
                    pack, unpack = mode.pack[-1]
                    saved = list(node.saved)
                    for k in _order(node):
                        if node.stores[k] is not None:
                            saved[k] = Packed(_packed(pack, node, k), unpack)
                    node.saved = saved
            elif mode.pack and isinstance(node, ListNode):
                with unrecorded():
                    node.pack(*mode.pack[-1])


@contextmanager
def unrecorded() -> Iterator[None]:
    """What a pack hook computes has no history; so `numpy()` of a parameter is allowed there."""
    token = state.switch_grad(False)
    try:
        yield
    finally:
        state.restore(token)


class SavedTensor:
    """A place where a node keeps a tensor (`grad_fn._raw_saved_self`): it can be kept otherwise."""

    def __init__(self, node: OpNode, position: int) -> None:
        self._node, self._position = node, position

    @property
    def data(self) -> Any:
        """The tensor."""
        self._check("read")
        given = self._position < len(self._node.op.tensor_names)
        return saved_tensor(self._node, self._position, given, {})

    def register_hooks(self, pack: Any, unpack: Any) -> None:
        """Keep what `pack` makes of the tensor; `unpack` makes a tensor of it when it is needed.

        Raises:
            RuntimeError: it was freed, or has hooks.
        """
        self._check("give hooks to")
        node, k = self._node, self._position
        if isinstance(node.saved[k], Packed):
            raise fail(
                RuntimeError,
                "register_hooks",
                "the saved tensor's hooks have already been set: one pair is allowed at a time.",
            )
        with unrecorded():
            kept = list(node.saved)
            kept[k] = Packed(_packed(pack, node, k), unpack)
            node.saved = kept

    def _check(self, wanted: str) -> None:
        if self._node.saved is FREED:
            raise fail(
                RuntimeError,
                "saved tensor",
                f"cannot {wanted} a tensor after it has been freed: backward() frees what it does "
                "not retain (retain_graph=True).",
            )


def _order(node: OpNode) -> list[int]:
    """The saved positions in the order in which the rules name them, which is the order of
    PyTorch's packing.
    """
    named = [k for rule in node.op.rules for k in rule.saves]
    return list(dict.fromkeys([*named, *range(len(node.saved))]))


def _packed(pack: Any, node: OpNode, position: int) -> Any:
    """What the pack hook makes of a saved value.

    Raises:
        RuntimeError: it wrote into it.
    """
    store = node.stores[position]
    before = store.version
    found = pack(_handed(node.saved[position], store, node, position))
    if store.version != before:
        raise fail(
            RuntimeError,
            "saved_tensors_hooks",
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input "
            "to pack hook can not be modified by in-place operations: clone() first.",
        )
    return found


def _handed(value: Any, store: Any, node: OpNode, position: int) -> Tensor:
    tensor = wrap(value)
    tensor._storage = store
    if position < len(node.edges):
        tensor._edge = node.edges[position]
    return tensor
