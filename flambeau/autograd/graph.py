"""Hooks on what the graph saves: `saved_tensors_hooks`, `save_on_cpu`, and `torch.autograd.graph`.
Stands on core.state.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

from flambeau.core import engine, state
from flambeau.core.context import assign, reset
from flambeau.core.errors import fail
from flambeau.core.handles import RemovableHandle
from flambeau.core.light import sweep_lightly
from flambeau.core.node import Node, edge_node, exposed
from flambeau.core.storage import touch
from flambeau.core.tensor import Tensor, edge_of

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


_DISABLED: ContextVar[str | None] = ContextVar("flambeau_hooks_disabled", default=None)


class saved_tensors_hooks:
    """Within the block, every tensor saved for backward goes through `pack_hook`, and through
    `unpack_hook` when it is needed.

    Args:
        pack_hook: tensor to anything.
        unpack_hook: what `pack_hook` gave to a tensor.
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        message = _DISABLED.get()
        if message is not None:
            raise RuntimeError(message)
        self._tokens.append(
            state.switch(pack=(*state.current().pack, (self.pack_hook, self.unpack_hook)))
        )

    def __exit__(self, *exc: object) -> None:
        state.restore(self._tokens.pop())


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors on the cpu: a copy of each."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.detach().clone(), lambda tensor: tensor)


class disable_saved_tensors_hooks:
    """Within the block, entering `saved_tensors_hooks` is an error.

    Args:
        error_message: what the error says.
        fail_if_non_empty: entering this block is an error too where hooks are active.
    """

    def __init__(self, error_message: str, fail_if_non_empty: bool = True) -> None:
        self.message = error_message
        self.fail_if_non_empty = fail_if_non_empty

    def __enter__(self) -> None:
        if self.fail_if_non_empty and state.current().pack:
            raise RuntimeError(self.message)
        self._token = assign(_DISABLED, self.message)

    def __exit__(self, *exc: object) -> None:
        reset(_DISABLED, self._token)


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Count a write that was made behind the library's back, so that saved values are checked
    against it.
    """
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        touch(each, "increment_version")


class allow_mutation_on_saved_tensors:
    """Within the block, saved tensors may be written in place: each is kept as a copy."""

    def __enter__(self) -> allow_mutation_on_saved_tensors:
        self._hooks = saved_tensors_hooks(lambda tensor: tensor.detach().clone(), lambda kept: kept)
        self._hooks.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._hooks.__exit__(*exc)

    def clear(self) -> None:
        """Nothing is kept outside the graph."""


class GradientEdge(NamedTuple):
    """A node and the number of its output: where a gradient is taken."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge through which the tensor's gradient flows."""
    edge = edge_of(tensor)
    if edge is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    node, number = edge_node(edge)
    return GradientEdge(exposed(node), number)


def _sweep_under_way() -> dict[str, Any]:
    """What the backward that calls this hook knows."""
    frame = sys._getframe(2)
    sweeps = engine._sweep.__code__, sweep_lightly.__code__
    while frame is not None and frame.f_code not in sweeps:
        frame = frame.f_back  # type: ignore[assignment]
    return {} if frame is None else frame.f_locals


def backward_is_running() -> bool:
    """Whether the caller was reached from a backward of this thread."""
    return bool(_sweep_under_way())


def _runs(sweep: dict[str, Any], nodes: dict[int, Node]) -> list[int]:
    """Which of the nodes a backward will run."""
    if not sweep:
        return list(nodes)
    needed, waits = sweep.get("needed"), sweep.get("waits")
    if waits is None:
        waits = engine._count([edge_node(edge)[0] for edge in sweep["roots"]])
    return [k for k, node in nodes.items() if node in waits and (needed is None or node in needed)]


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call `fn` once the gradients of all `tensors` (mode "all": with the list) or of the first
    ("any") are known.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    waiting = [k for k, t in enumerate(tensors) if t.requires_grad]
    nodes = {k: edge_node(edge_of(tensors[k]))[0] for k in waiting}
    sweeps: dict[Any, Any] = {}

    def one(index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            sweep = _sweep_under_way()
            kept = sweeps.get("sweep")
            if kept is None or kept[0] is not sweep.get("leaves"):
                kept = sweeps["sweep"] = (sweep.get("leaves"), {}, _runs(sweep, nodes))
            found: dict[int, Tensor] = kept[1]
            first = not found
            found[index] = grad
            if mode == "any":
                if first:
                    fn(grad)
            elif len(found) == len(kept[2]):
                fn([found.get(k) for k in range(len(tensors))])
                sweeps.clear()

        return hook

    handles = [tensors[k].register_hook(one(k)) for k in waiting]

    class Handle(RemovableHandle):
        def __init__(self) -> None:
            pass

        def remove(self) -> None:
            for handle in handles:
                handle.remove()

    return Handle()


def region_activation_memory_budget(budget: float) -> NoReturn:
    """A budget for what a compiled region keeps.

    Raises:
        RuntimeError: always; it belongs to PyTorch's compiler.
    """
    raise fail(
        RuntimeError,
        "region_activation_memory_budget",
        "can only be used inside a torch.compile region: use torch.utils.checkpoint.",
    )
