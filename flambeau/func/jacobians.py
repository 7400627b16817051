"""`jacrev`, `jacfwd`, `hessian`: whole Jacobians, all rows or columns at once (or in chunks).

Stands on levels and batching.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core import state
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, wrap
from flambeau.func.batching import vmap
from flambeau.func.gradients import Argnums, _leave_alone, chosen, level_inputs, split_aux
from flambeau.func.levels import differentiable, leave, open_graph, pull, push, transforming
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["hessian", "jacfwd", "jacrev"]


def _basis(tensor: Tensor) -> Tensor:
    """The unit tensors of a tensor's shape, one after another."""
    size = tensor._array.size
    return wrap(np.eye(size, dtype=tensor._array.dtype).reshape(size, *tensor._array.shape))


def _jacobian(
    name: str,
    func: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    blocks: Callable[[list[Any], list[Tensor], bool], list[list[Tensor]]],
) -> Callable[..., Any]:
    """A function that returns d(output)/d(input) for every pair; `blocks` computes them."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = state.grad_enabled()
        positions = chosen(name, argnums, args)
        inner = list(args)
        entered: list[Tensor] = []
        specs = []
        for k in positions:
            inner[k], some = level_inputs(name, args[k])
            entered += some
            specs.append(tree_flatten(args[k])[1])
        with transforming():
            output, aux = split_aux(name, func(*inner, **kwargs), has_aux)
            flat, spec = tree_flatten(output)
            if any(not isinstance(o, Tensor) for o in flat):
                raise fail(
                    RuntimeError,
                    name,
                    f"expected f(*args) to return only tensors, got "
                    f"{[type(o).__name__ for o in flat]}",
                )
            for value in (*entered, *flat):
                if value.is_complex():
                    raise fail(
                        RuntimeError,
                        name,
                        "Expected all inputs and outputs to be real but received a complex tensor",
                    )
            stays = outer and open_graph(flat, entered)
            table = blocks(flat, entered, stays)
        results = []
        for row in table:
            start = 0
            trees = []
            for each in specs:
                trees.append(
                    tree_unflatten(
                        [leave(j, stays) for j in row[start : start + each.num_leaves]], each
                    )
                )
                start += each.num_leaves
            results.append(trees[0] if isinstance(argnums, int) else tuple(trees))
        found = tree_unflatten(results, spec)
        if has_aux:
            return found, tree_map(lambda leaf: _leave_alone(leaf, outer, entered), aux)
        return found

    return wrapper


def _by_rows(
    outputs: list[Any], inputs: list[Tensor], recording: bool, chunk_size: int | None
) -> list[list[Tensor]]:
    table = []
    for o in outputs:
        shapes = [(*o.shape, *x.shape) for x in inputs]
        if not differentiable(o) or not o.numel():
            table.append([_zeros(shape, x) for shape, x in zip(shapes, inputs, strict=True)])
            continue

        def row(unit: Tensor, o: Tensor = o) -> tuple[Tensor, ...]:
            return tuple(pull([o], inputs, [unit], recording))

        rows = vmap(row, randomness="same", chunk_size=chunk_size)(_basis(o))
        table.append([r.reshape(shape) for r, shape in zip(rows, shapes, strict=True)])
    return table


def _by_columns(
    outputs: list[Any],
    inputs: list[Tensor],
    recording: bool,
    randomness: str,
) -> list[list[Tensor]]:
    along = push(outputs, inputs)
    table: list[list[Tensor]] = [[] for _ in outputs]
    for k, x in enumerate(inputs):

        def column(unit: Tensor, k: int = k) -> tuple[Tensor, ...]:
            tangents = [
                unit if j == k else ops.zeros_like(other.detach()) for j, other in enumerate(inputs)
            ]
            return tuple(along(tangents, recording))

        shapes = [(*o.shape, *x.shape) for o in outputs]
        if not x.numel():
            for row, shape, o in zip(table, shapes, outputs, strict=True):
                row.append(_zeros(shape, o))
            continue
        columns = vmap(column, out_dims=-1, randomness=randomness)(_basis(x))
        for row, shape, c in zip(table, shapes, columns, strict=True):
            row.append(c.reshape(shape))
    return table


def _zeros(shape: Any, like: Tensor) -> Tensor:
    return wrap(np.zeros(tuple(shape), like._array.dtype))


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that returns the Jacobian by reverse mode: one backward for each element of the
    output.

    Shape: ``output.shape + input.shape`` for every pair of output and input.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise fail(ValueError, "jacrev", "`chunk_size` should be greater than 0.")

    def blocks(outputs: list[Any], inputs: list[Tensor], recording: bool) -> list[list[Tensor]]:
        return _by_rows(outputs, inputs, recording, chunk_size)

    return _jacobian("jacrev", func, argnums, has_aux, blocks)


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that returns the Jacobian by Jacobian-vector products: one for each element of the
    input.

    Shape: ``output.shape + input.shape`` for every pair of output and input.
    """

    def blocks(outputs: list[Any], inputs: list[Tensor], recording: bool) -> list[list[Tensor]]:
        return _by_columns(outputs, inputs, recording, randomness)

    return _jacobian("jacfwd", func, argnums, has_aux, blocks)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the Hessian of `func`: the Jacobian of its Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)
