"""Running the hooks of a node: on the gradients of its outputs, before it, after it; and a node on
its own. Stands on node and tensor.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from flambeau.core.accumulate import accumulate
from flambeau.core.errors import fail
from flambeau.core.node import AccumulateGrad, Hooks, Node
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor, wrap

__all__ = ["run_after", "run_before", "run_tensor_hooks", "warn_if_has_hooks"]


def _tensor(grad: Any) -> Any:
    if grad is None or isinstance(grad, Tensor):
        return grad
    return wrap(
        np.asarray(grad) if isinstance(grad, np.generic) else grad
    )  # NumPy's 0-d results are scalars


def _back(grad: Any, graph: bool) -> Any:
    return grad if graph or grad is None or not isinstance(grad, Tensor) else grad._array


def run_tensor_hooks(node: Node, hooks: Hooks, given: Any, graph: bool) -> Any:
    """Tensor hooks in their order, then what `retain_grad` keeps."""
    several = node.outputs > 1
    grads = list(given) if several else [given]
    for number in sorted({*hooks.tensor, *hooks.retain}):
        grad = _tensor(grads[number])
        if grad is None:
            continue
        for hook in tuple(hooks.tensor.get(number, {}).values()):
            result = hook(grad)
            if result is not None:
                check_hook(hook, grad, result)
                grad = result
        keeper = hooks.retain.get(number)
        target = keeper() if keeper is not None else None
        if target is not None:
            kept = (
                grad
                if graph
                else wrap(grad._array.copy())
                if not hasattr(grad._array, "is_sparse_data")
                else grad
            )
            target._grad = kept if target._grad is None else target._grad + kept
        grads[number] = _back(grad, graph)
    return grads if several else grads[0]


def check_hook(hook: Any, grad: Tensor, result: Any) -> None:
    """A hook may replace a gradient by one of the same kind.

    Raises:
        RuntimeError: it returned something else, or another shape or dtype.
    """
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(result, Tensor):
        raise fail(
            TypeError,
            "hook",
            f"expected Tensor, but hook '{name}' returned '{type(result).__name__}'",
        )
    if result._array.shape != grad._array.shape:
        raise fail(
            RuntimeError,
            "hook",
            f"hook '{name}' has changed the size of value: got {list(result._array.shape)}, "
            f"the gradient has {list(grad._array.shape)}",
        )
    if result._array.dtype != grad._array.dtype:
        raise fail(
            RuntimeError,
            "hook",
            f"hook '{name}' has changed the type of value (was {grad._array.dtype} got "
            f"{result._array.dtype})",
        )


def run_before(node: Node, hooks: Hooks, given: Any, graph: bool) -> Any:
    """`register_prehook`: gets and may replace the gradients of the outputs."""
    several = node.outputs > 1
    ports = node.outputs_seen()
    grads = tuple(_tensor(g) for g in ([given[k] for k in ports] if several else (given,)))
    for hook in tuple(hooks.before.values()):
        result = hook(grads)
        if result is not None:
            grads = result if isinstance(result, tuple) else (result,)
    back = [_back(g, graph) for g in grads]
    return _spread(node.outputs, ports, back) if several else back[0]


def _spread(count: int, places: Sequence[int], values: Sequence[Any]) -> list[Any]:
    """The values that hooks saw, each at its place among all."""
    found = [None] * count
    for place, value in zip(places, values, strict=True):
        found[place] = value
    return found


def _turned(node: Node, grads: Any) -> Any:
    """Gradients as PyTorch's node has them: a matrix that its graph transposes first is seen
    transposed.
    """
    op = getattr(node, "op", None)
    places = op.flags.get("turned") if op is not None else None
    if places is None:
        return grads
    return tuple(
        g.t() if k in places and g is not None and g.ndim == 2 else g for k, g in enumerate(grads)
    )


def run_after(node: Node, hooks: Hooks, results: Any, given: Any, graph: bool) -> Any:
    """`register_hook`: gets the gradients of both sides, may replace those of the inputs."""
    every = _turned(node, tuple(_tensor(g) for g in results))
    places = node.edges_seen() if len(every) == len(node.edges) else range(len(every))
    grad_inputs = tuple(every[k] for k in places)
    several = node.outputs > 1
    grad_outputs = tuple(
        _tensor(g) for g in ([given[k] for k in node.outputs_seen()] if several else (given,))
    )
    for hook in tuple(hooks.after.values()):
        result = hook(grad_inputs, grad_outputs)
        if result is not None:
            if not isinstance(result, tuple):
                raise fail(
                    TypeError,
                    "hook",
                    f"expected tuple, but hook returned '{type(result).__name__}'",
                )
            if len(result) != len(grad_inputs):
                raise fail(
                    RuntimeError,
                    "hook",
                    f"hook returned an incorrect number of values: {len(result)}, expected "
                    f"{len(grad_inputs)}",
                )
            grad_inputs = result
    turned = _turned(node, _spread(len(every), places, grad_inputs))
    return [_back(g, graph) for g in turned]


def warn_if_has_hooks(tensor: Any) -> None:
    """Pickling leaves hooks behind: warn for each that `utils.hooks.unserializable_hook` has not
    marked as meant to stay.
    """
    for hook in dict(tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized. If this is expected, "
                "decorate the function with @torch.utils.hooks.unserializable_hook to suppress "
                "this warning.",
                UserWarning,
                stacklevel=stack_level(),
            )


def _alone(self: Node, *grads: Any) -> Any:
    """The gradients of the inputs from those of the outputs; a leaf's node adds its own to `.grad`.

    Raises:
        TypeError: not as many gradients as outputs.
    """
    ports = self.outputs_seen()
    if len(grads) != len(ports):
        raise TypeError(f"expected {len(ports)} arguments, got {len(grads)} instead")
    if isinstance(self, AccumulateGrad):
        accumulate(self, grads[0], True, None)
        return ()
    several = self.outputs > 1
    given = _spread(self.outputs, ports, grads) if several else grads[0]
    every = _turned(self, tuple(_tensor(g) for g in self.run(given, True, True)))
    places = self.edges_seen() if len(every) == len(self.edges) else range(len(every))
    found = tuple(every[k] for k in places)
    return found[0] if len(found) == 1 else found


Node.__call__ = _alone  # type: ignore[method-assign]
