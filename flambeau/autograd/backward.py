"""`backward` and `grad`: what users call to send gradients down. Stands on core.engine."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from flambeau.core import engine, lower, overrides, state
from flambeau.core.context import assign, reset
from flambeau.core.crossing import ones_for
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.node import Port
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor, edge_of, wrap

__all__ = ["backward", "grad"]

PARTIAL: ContextVar[bool] = ContextVar("flambeau_partial", default=False)
"""Whether the backward under way is for some inputs only: what reentrant checkpointing cannot
serve.
"""

TensorOrTensors = Tensor | Sequence[Tensor]


def _tuple(value: Any) -> tuple[Any, ...]:
    single = (
        isinstance(value, Tensor)
        or value is None
        or hasattr(value, "output_nr")
        or hasattr(value, "__torch_function__")
    )
    return (value,) if single else tuple(value)


def _edge(value: Any) -> Any:
    """The edge of a tensor or of a `GradientEdge`."""
    if isinstance(value, Tensor):
        return edge_of(value)
    return Port(value.node, value.output_nr) if value.node.outputs > 1 else value.node


def _shape_of(value: Any) -> tuple[Any, Any]:
    """Shape and NumPy dtype of a tensor, or of the output that a `GradientEdge` names."""
    if isinstance(value, Tensor):
        return value._array.shape, value._array.dtype
    node, number = value.node, value.output_nr
    return (
        (node.shape[number], node.dtype[number]) if node.outputs > 1 else (node.shape, node.dtype)
    )


def _cotangents(name: str, outputs: tuple[Tensor, ...], grads: tuple[Any, ...]) -> list[Tensor]:
    """The gradients to start with; ones for scalars where none was given."""
    if len(grads) != len(outputs):
        raise fail(
            RuntimeError,
            name,
            f"got {len(outputs)} tensors and {len(grads)} gradients: give one for each",
        )
    found = []
    for k, (out, given) in enumerate(zip(outputs, grads, strict=True)):
        edge = _edge(out)
        shape, dtype = _shape_of(out)
        if edge is None:
            raise fail(
                RuntimeError,
                name,
                f"element {k} of tensors does not require grad and does not have a grad_fn: "
                f"nothing it was computed from "
                "requires gradient, or it was made under torch.no_grad() or from a detach()ed "
                "tensor.",
            )
        if given is None:
            if math.prod(shape) != 1:
                raise fail(
                    RuntimeError,
                    name,
                    "grad can be implicitly created only for scalar outputs: this one has shape "
                    f"{list(shape)}. Reduce it (.sum(), .mean()) or give its gradient.",
                )
            if dtype.kind in "cW":
                raise fail(
                    RuntimeError,
                    name,
                    f"grad can be implicitly created only for real scalar outputs but got "
                    f"{of(dtype)}",
                )
            if isinstance(out, Tensor) and (type(out) in lower.CLASSES or state.current().dispatch):
                found.append(lower.ones_like(out))
                continue
            found.append(
                wrap(ones_for(out._array) if isinstance(out, Tensor) else np.ones(shape, dtype))
            )
            continue
        if not isinstance(given, Tensor):
            raise fail(
                TypeError,
                name,
                f"gradients can be either Tensors, or None, but got {type(given).__name__}",
            )
        if given._array.shape != shape:
            raise fail(
                RuntimeError,
                name,
                f"Mismatch in shape: grad_output[{k}] has a shape of {list(given._array.shape)} "
                f"and output[{k}] has a shape of "
                f"{list(shape)}.",
            )
        if (given._array.dtype.kind in "cW") != (dtype.kind in "cW"):
            raise fail(
                RuntimeError,
                name,
                f"For complex Tensors, both grad_output and output are required to have the same "
                f"dtype: grad_output[{k}] is "
                f"{given.dtype}, output[{k}] is {of(dtype)}.",
            )
        found.append(given if given._array.dtype == dtype else given.to(of(dtype)))
    return found


def backward(
    tensors: TensorOrTensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
    **legacy: Any,
) -> None:
    """Sum the gradients of `tensors` into the leaves they were computed from.

    Args:
        tensors: the outputs.
        grad_tensors: a gradient for each; None for scalars.
        retain_graph: keep saved values; default `create_graph`.
        create_graph: record the backward itself.
        inputs: accumulate into these only.
        legacy: ``retain_variables``, the old name of `retain_graph`.
    """
    if legacy:
        from flambeau.compat import retain_variables

        retain_graph = retain_variables("backward", legacy, retain_graph)
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=stack_level(),
        )
        grad_tensors = grad_variables if grad_tensors is None else grad_tensors
    outputs = _tuple(tensors)
    grads = (None,) * len(outputs) if grad_tensors is None else _tuple(grad_tensors)
    cotangents = _cotangents("backward", outputs, grads)
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the "
            "parameter and its gradient "
            "which can cause a memory leak. We recommend using autograd.grad when creating the "
            "graph to avoid this. If you "
            "have to use this function, make sure to reset the .grad fields of your parameters to "
            "None after use.",
            UserWarning,
            stacklevel=stack_level(),
        )
    keep = create_graph if retain_graph is None else retain_graph
    roots = [_edge(out) for out in outputs]
    wanted = None
    if inputs is not None:
        targets = _tuple(inputs)
        if not targets:
            raise fail(RuntimeError, "backward", "'inputs' argument to backward() cannot be empty.")
        wanted = [_edge(t) for t in targets]
        for k, (t, edge) in enumerate(zip(targets, wanted, strict=True)):
            if edge is None:
                raise fail(RuntimeError, "backward", f"element {k} of inputs does not require grad")
            if isinstance(t, Tensor) and not t.is_leaf:
                t.retain_grad()
    token = assign(PARTIAL, wanted is not None)
    try:
        engine.backward(roots, cotangents, keep, create_graph, wanted, collect=False)
    finally:
        reset(PARTIAL, token)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
    **legacy: Any,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs` with respect to `inputs`, returned instead of accumulated.

    Raises:
        RuntimeError: an input that requires no gradient, or that the outputs do not depend on
            (without allow_unused).
    """
    if legacy:
        from flambeau.compat import retain_variables

        retain_graph = retain_variables("grad", legacy, retain_graph)
    if materialize_grads and allow_unused is False:
        raise fail(
            ValueError,
            "grad",
            "Expected allow_unused to be True or not passed when materialize_grads=True",
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True).",
            FutureWarning,
            stacklevel=stack_level(),
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    outs, ins = _tuple(outputs), _tuple(inputs)
    if overrides.concern((*outs, *ins), state.mode()):
        return overrides.dispatch(  # type: ignore[no-any-return]
            grad,
            (outs, ins),
            {
                "grad_outputs": grad_outputs,
                "retain_graph": retain_graph,
                "create_graph": create_graph,
                "only_inputs": only_inputs,
                "allow_unused": allow_unused,
                "is_grads_batched": is_grads_batched,
                "materialize_grads": materialize_grads,
            },
        )
    given = (None,) * len(outs) if grad_outputs is None else _tuple(grad_outputs)
    if is_grads_batched:
        return _batched(outs, ins, given, create_graph, allow_unused, materialize_grads)
    if not ins:
        raise fail(RuntimeError, "grad", "`inputs` argument to `grad()` cannot be empty.")
    wanted = [_edge(t) for t in ins]
    for edge in wanted:
        if edge is None:
            raise fail(
                RuntimeError,
                "grad",
                "One of the differentiated Tensors does not require grad: call requires_grad_() "
                "on it before it is used.",
            )
    cotangents = _cotangents("grad", outs, given)
    keep = create_graph if retain_graph is None else retain_graph
    token = assign(PARTIAL, True)
    try:
        found = engine.backward([_edge(o) for o in outs], cotangents, keep, create_graph, wanted)
    finally:
        reset(PARTIAL, token)
    results: list[Any] = []
    for k, (value, target) in enumerate(zip(found, ins, strict=True)):
        if value is None:
            if not allow_unused:
                raise fail(
                    RuntimeError,
                    "grad",
                    f"One of the differentiated Tensors appears to not have been used in the "
                    f"graph (number {k} of inputs). Set "
                    "allow_unused=True if this is the desired behavior.",
                )
            results.append(wrap(np.zeros(*_shape_of(target))) if materialize_grads else None)
        else:
            results.append(value if isinstance(value, Tensor) else wrap(value))
    return tuple(results)


def _batched(
    outs: Any, ins: Any, given: Any, create_graph: bool, allow_unused: bool, materialize: bool
) -> tuple[Tensor, ...]:
    """The backwards of all rows of the batched gradients, in one: `vmap` over them."""
    from flambeau.func.batching import vmap

    absent: list[bool] = []

    def row(*rows: Tensor) -> tuple[Tensor, ...]:
        left = iter(rows)
        cotangents = [None if g is None else next(left) for g in given]
        found = grad(
            outs, ins, cotangents, True, create_graph, True, allow_unused, False, materialize
        )
        absent[:] = [value is None for value in found]
        return tuple(value for value in found if value is not None)

    made = iter(vmap(row, randomness="same")(*[g for g in given if g is not None]))
    return tuple(None if none else next(made) for none in absent)  # type: ignore[misc]
