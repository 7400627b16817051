"""`DistributedDataParallel`: every process trains the module on its own batches; gradients are
averaged over all of them at the end of each backward."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.node import AccumulateGrad
from flambeau.core.tensor import Tensor
from flambeau.distributed.collectives import all_reduce, broadcast
from flambeau.distributed.groups import resolve
from flambeau.nn.modules.module import Module
from flambeau.utils._pytree import tree_leaves

__all__ = ["DistributedDataParallel", "GradBucket"]


class GradBucket:
    """The gradients of all parameters in one flat tensor, as communication hooks get them."""

    def __init__(self, buffer: Tensor, parameters: list[Tensor]) -> None:
        self._buffer, self._parameters = buffer, parameters

    def index(self) -> int:
        """Its number: there is one."""
        return 0

    def is_last(self) -> bool:
        """Whether none comes after it."""
        return True

    def buffer(self) -> Tensor:
        """The flat tensor."""
        return self._buffer

    def set_buffer(self, buffer: Tensor) -> None:
        """Put another flat tensor in its place."""
        self._buffer = buffer

    def gradients(self) -> list[Tensor]:
        """The gradients as views of it."""
        sizes = [p.numel() for p in self._parameters]
        pieces = self._buffer.split(sizes)
        return [piece.view(p.shape) for piece, p in zip(pieces, self._parameters, strict=True)]

    def parameters(self) -> list[Tensor]:
        """The parameters they belong to."""
        return list(self._parameters)


class DistributedDataParallel(Module):
    """A module whose gradients are the mean over all processes'.

    Args:
        module: the module; its parameters and buffers become those of rank 0.
        broadcast_buffers: buffers are rank 0's before each forward in training.
        process_group: the processes; all by default.
        find_unused_parameters: parameters that an output does not depend on count as done.

    Raises:
        RuntimeError: no parameter requires a gradient.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool = True,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        **ignored: Any,
    ) -> None:
        super().__init__()
        wanted = [p for p in module.parameters() if p.requires_grad]
        if not wanted:
            raise fail(
                RuntimeError,
                "DistributedDataParallel",
                "DistributedDataParallel is not needed when a module doesn't have any parameters "
                "that require a gradient: call the module itself.",
            )
        self.module = module
        self.process_group = resolve(process_group)
        self.broadcast_buffers = broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.require_backward_grad_sync = True
        self._wanted: list[Tensor] = list(wanted)
        self._awaited: set[int] = set()
        self._begun = False
        self._hook: tuple[Any, Callable[..., Any]] | None = None
        if init_sync:
            self._take_from_first([*module.parameters(), *module.buffers()])
        for parameter in wanted:
            parameter.register_post_accumulate_grad_hook(self._arrived)

    def _take_from_first(self, tensors: list[Tensor]) -> None:
        for tensor in tensors:
            broadcast(tensor.data, group=self.process_group, group_src=0)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The module's output; its backward will average gradients."""
        if self.broadcast_buffers and self.training and self.require_backward_grad_sync:
            self._take_from_first(list(self.module.buffers()))
        if flambeau.is_grad_enabled() and self.require_backward_grad_sync:
            self._check_last()
        output = self.module(*inputs, **kwargs)
        if flambeau.is_grad_enabled() and self.require_backward_grad_sync:
            waited = {id(p) for p in self._wanted}
            if self.find_unused_parameters:
                waited &= _reached(output)
            self._awaited, self._begun = waited, False
        return output

    def _check_last(self) -> None:
        """Raise where the last backward left parameters out: their gradients, and so all, were not
        averaged.

        Raises:
            RuntimeError: names them.
        """
        if not self._awaited or not self._begun:
            return
        left = [n for n, p in self.module.named_parameters() if id(p) in self._awaited]
        raise fail(
            RuntimeError,
            "DistributedDataParallel",
            "Expected to have finished reduction in the prior iteration before starting a new one: "
            f"its backward did not reach {', '.join(left)}. Use every parameter in computing the "
            "loss, or pass find_unused_parameters=True.",
        )

    def _arrived(self, parameter: Tensor) -> None:
        if not self.require_backward_grad_sync:
            return
        self._begun = True
        self._awaited.discard(id(parameter))
        if not self._awaited:
            self._average()

    def _average(self) -> None:
        with flambeau.no_grad():
            grads = [p.grad if p.grad is not None else flambeau.zeros_like(p) for p in self._wanted]
            bucket = GradBucket(flambeau.cat([g.reshape(-1) for g in grads]), self._wanted)
            if self._hook is None:
                flat = bucket.buffer()
                all_reduce(flat, group=self.process_group)
                flat /= self.process_group.size()
            else:
                state, hook = self._hook
                bucket.set_buffer(hook(state, bucket).wait())
            for parameter, mean in zip(self._wanted, bucket.gradients(), strict=True):
                if parameter.grad is None:
                    parameter.grad = mean.clone()
                else:
                    parameter.grad.copy_(mean)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """The block in which backward only accumulates, and nothing is averaged."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def register_comm_hook(self, state: Any, hook: Callable[..., Any]) -> None:
        """Let ``hook(state, bucket)`` join the gradients; it gives a Future of the flat tensor."""
        self._hook = state, hook

    @contextlib.contextmanager
    def join(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """Processes with fewer batches.

        Raises:
            NotImplementedError: always; give all processes as many, as DistributedSampler does.
        """
        raise NotImplementedError(
            "DistributedDataParallel.join is not built: give every process as many batches, as "
            "DistributedSampler does."
        )
        yield


def _reached(output: Any) -> set[int]:
    """The ids of the leaves that an output depends on."""
    nodes = [t.grad_fn for t in tree_leaves(output) if isinstance(t, Tensor) and t.requires_grad]
    seen: set[int] = set()
    found: set[int] = set()
    while nodes:
        node = nodes.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, AccumulateGrad):
            found.add(id(node.variable))
        nodes.extend(next_node for next_node, _ in node.next_functions)
    return found
