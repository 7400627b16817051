"""Hooks on what the graph saves: `saved_tensors_hooks`, `save_on_cpu`, and `torch.autograd.graph`. Stands on core.state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flambeau.core import state
from flambeau.core.handles import RemovableHandle
from flambeau.core.node import Node, Port
from flambeau.core.tensor import Tensor, edge_of

__all__ = [
    "GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip


class saved_tensors_hooks:
    """Within the block, every tensor saved for backward goes through `pack_hook`, and through `unpack_hook` when it is needed.

    Args:
        pack_hook: tensor to anything.
        unpack_hook: what `pack_hook` gave to a tensor.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        self._tokens.append(state.switch(pack=(*state.current().pack, (self.pack_hook, self.unpack_hook))))

    def __exit__(self, *exc: object) -> None:
        state.restore(self._tokens.pop())


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors on the cpu: a copy of each."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.detach().clone(), lambda tensor: tensor)


class disable_saved_tensors_hooks:
    """Within the block, entering `saved_tensors_hooks` is an error."""

    def __init__(self, error_message: str, fail_if_non_empty: bool = True) -> None:
        self.message = error_message

    def __enter__(self) -> None:
        self._token = state.switch(pack=())

    def __exit__(self, *exc: object) -> None:
        state.restore(self._token)


class GradientEdge(tuple):  # type: ignore[type-arg]
    """A node and the number of its output: where a gradient is taken."""

    __slots__ = ()

    def __new__(cls, node: Node, output_nr: int, ownership_token: Any = None) -> GradientEdge:
        return super().__new__(cls, (node, output_nr))

    node = property(lambda self: self[0])
    output_nr = property(lambda self: self[1])


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge through which the tensor's gradient flows."""
    edge = edge_of(tensor)
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(edge.node, edge.number) if type(edge) is Port else GradientEdge(edge, 0)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call `fn` once the gradients of all `tensors` (mode "all": with the list) or of the first ("any") are known."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    found: dict[int, Any] = {}
    waiting = [t for t in tensors if t.requires_grad]
    state_of = {"done": False}

    def one(index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            if mode == "any":
                if not state_of["done"]:
                    state_of["done"] = True
                    fn(grad)
                return
            found[index] = grad
            if len(found) == len(waiting):
                grads = [found.get(id(t)) for t in tensors]
                found.clear()
                fn(grads)

        return hook

    handles = [t.register_hook(one(id(t))) for t in waiting]

    class Handle(RemovableHandle):
        def __init__(self) -> None:
            pass

        def remove(self) -> None:
            for handle in handles:
                handle.remove()

    return Handle()
