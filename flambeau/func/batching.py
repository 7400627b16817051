"""`vmap`: a function of one sample as a function of a batch.

The function runs once, on tensors that hold all samples and show one (core.batch); an operation
without a batching rule takes them one by one. Stands on core.crossing and core.batch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flambeau.core import state
from flambeau.core.batch.array import ACTIVE, Batched, Level
from flambeau.core.context import assign, reset
from flambeau.core.crossing import enter_level, leave_level
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.state import next_sequence
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

__all__ = ["vmap"]

Dims = Any


def spread(prefix: Any, spec: TreeSpec) -> list[Any] | None:
    """The leaves of `prefix` repeated so that there is one for each leaf of `spec`; None where they
    do not fit.
    """
    if prefix is None or isinstance(prefix, int):
        return [prefix] * spec.num_leaves
    if spec.type is None or type(prefix) is not spec.type:
        return None
    children = list(prefix.values()) if isinstance(prefix, dict) else list(prefix)
    if len(children) != len(spec.children_specs):
        return None
    found: list[Any] = []
    for child, inner in zip(children, spec.children_specs, strict=True):
        part = spread(child, inner)
        if part is None:
            return None
        found += part
    return found


def _mapped(in_dims: Dims, args: tuple[Any, ...]) -> tuple[list[Any], TreeSpec, list[Any], int]:
    """The flat arguments, their tree, the mapped dimension of each, and the batch size.

    Raises:
        ValueError: dimensions that do not fit the arguments, or batch sizes that differ.
    """
    if not isinstance(in_dims, (int, tuple)):
        raise fail(
            ValueError,
            "vmap",
            f"expected `in_dims` to be int or a (potentially nested) tuple matching the structure "
            f"of inputs, got: {type(in_dims)}.",
        )
    if not args:
        raise fail(
            ValueError,
            "vmap",
            "got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs.",
        )
    leaves, spec = tree_flatten(args)
    dims = spread(in_dims, spec)
    if dims is None:
        raise fail(
            ValueError,
            "vmap",
            f"in_dims is not compatible with the structure of inputs. in_dims has structure "
            f"{in_dims} but inputs has structure {spec}.",
        )
    sizes = []
    for k, (leaf, dim) in enumerate(zip(leaves, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise fail(
                ValueError,
                "vmap",
                f"Got in_dim={dim} for an input but in_dim must be either an integer dimension or "
                f"None.",
            )
        if not isinstance(leaf, Tensor):
            raise fail(
                ValueError,
                "vmap",
                f"Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot "
                f"vmap over non-Tensor arguments, "
                "please use None as the respective in_dim",
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise fail(
                ValueError,
                "vmap",
                f"Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
                f"{leaf.ndim} so expected in_dim to "
                f"satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}.",
            )
        dims[k] = dim % leaf.ndim
        sizes.append(leaf.shape[dims[k]])
    if not sizes:
        raise fail(
            ValueError, "vmap", "at least one input must be mapped over: all in_dims are None."
        )
    if len(set(sizes)) > 1:
        raise fail(
            ValueError,
            "vmap",
            f"Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension",
        )
    return leaves, spec, dims, sizes[0]


def _left(results: list[Any], spec: TreeSpec, out_dims: Dims, level: int, size: int) -> Any:
    """The results outside of the level, each with its batch along its `out_dim`.

    Raises:
        ValueError: `out_dims` that do not fit, or results that are no tensors.
    """
    dims = _out_dims(out_dims, spec)
    if dims is None:
        raise fail(
            ValueError,
            "vmap",
            f"out_dims is not compatible with the structure of outputs. out_dims is {out_dims} "
            f"but outputs has structure {spec}.",
        )
    for value in results:
        if not isinstance(value, Tensor):
            raise fail(
                ValueError,
                "vmap",
                f"the function must only return Tensors, got type {type(value)} as a return.",
            )
    found = []
    for value, dim in zip(results, dims, strict=True):
        if dim is None:
            if type(value._array) is Batched and level in value._array.levels:
                raise fail(
                    ValueError,
                    "vmap",
                    "out_dims=None for an output that differs from sample to sample: give the "
                    "dimension along which to stack it.",
                )
            found.append(value)
            continue
        if not -value.ndim - 1 <= dim <= value.ndim:
            raise fail(
                IndexError,
                "vmap",
                f"Dimension out of range (expected to be in range of [{-value.ndim - 1}, "
                f"{value.ndim}], but got {dim}): out_dims of an output with {value.ndim} "
                f"dimensions per sample",
            )
        found.append(leave_level(value, level, dim % (value.ndim + 1), size))
    return tree_unflatten(found, spec)


def _out_dims(out_dims: Dims, spec: TreeSpec) -> list[Any] | None:
    if isinstance(out_dims, (int, type(None))):
        return [out_dims] * spec.num_leaves
    if spec.type is None and isinstance(out_dims, (tuple, list)) and len(out_dims) == 1:
        return [out_dims[0]]
    return spread(tuple(out_dims) if spec.type is tuple else out_dims, spec)


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over a dimension of its arguments and stacks the results.

    Args:
        func: a function of one sample; returns tensors, or a tree of them.
        in_dims: which dimension of each argument is the batch; None for arguments that all samples
            share. May be nested like the arguments.
        out_dims: where the batch dimension goes in the outputs.
        randomness: "different" draws for every sample, "same" the same for all, "error" refuses
            random operations.
        chunk_size: how many samples to take at once; None: all.

    Raises:
        ValueError: `in_dims` or `out_dims` that do not fit.
        RuntimeError: a random operation under ``randomness="error"``.
    """
    if randomness not in ("error", "different", "same"):
        raise fail(
            RuntimeError,
            "vmap",
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}",
        )
    if chunk_size is not None and chunk_size <= 0:
        raise fail(
            ValueError, "vmap", f"chunk_size should be None or greater than 0. (got {chunk_size})"
        )

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        leaves, spec, dims, size = _mapped(in_dims, args)
        if any(getattr(mode, "every_operation", False) for mode in state.current().dispatch):
            return _one_by_one(func, leaves, spec, dims, size, out_dims, kwargs)
        if chunk_size is None or size <= chunk_size:
            return _once(func, leaves, spec, dims, size, out_dims, randomness, kwargs)
        return _by_chunks(func, leaves, spec, dims, size, out_dims, randomness, kwargs, chunk_size)

    return wrapper


def _once(
    func: Callable[..., Any],
    leaves: list[Any],
    spec: TreeSpec,
    dims: list[Any],
    size: int,
    out_dims: Dims,
    randomness: str,
    kwargs: dict[str, Any],
) -> Any:
    """All samples at once."""
    level = Level(next_sequence(), size, randomness)
    token = assign(ACTIVE, (*ACTIVE.get(), level))
    try:
        inner = [
            leaf if dim is None else enter_level(leaf, level.number, dim)
            for leaf, dim in zip(leaves, dims, strict=True)
        ]
        results, shape = tree_flatten(func(*tree_unflatten(inner, spec), **kwargs))
    finally:
        reset(ACTIVE, token)
    return _left(results, shape, out_dims, level.number, size)


def _one_by_one(
    func: Callable[..., Any],
    leaves: list[Any],
    spec: TreeSpec,
    dims: list[Any],
    size: int,
    out_dims: Dims,
    kwargs: dict[str, Any],
) -> Any:
    """One sample after the other, for a mode that is to see every operation: what is done with all
    samples at once is done below the operations.
    """
    columns = []
    shape: TreeSpec | None = None
    for k in range(size):
        sample = [
            leaf if dim is None else leaf.select(dim, k)
            for leaf, dim in zip(leaves, dims, strict=True)
        ]
        flat, shape = tree_flatten(func(*tree_unflatten(sample, spec), **kwargs))
        columns.append(flat)
    return _joined(ops.stack, columns, out_dims, shape)


def _joined(
    join: Callable[..., Any], parts: list[list[Any]], out_dims: Dims, shape: TreeSpec | None
) -> Any:
    """The leaves of all parts, each kind along its dimension; those of none are the first's."""
    assert shape is not None
    places = _out_dims(out_dims, shape) or []
    joined = [
        column[0] if dim is None else join(list(column), dim)
        for column, dim in zip(zip(*parts, strict=True), places, strict=True)
    ]
    return tree_unflatten(joined, shape)


def _by_chunks(
    func: Callable[..., Any],
    leaves: list[Any],
    spec: TreeSpec,
    dims: list[Any],
    size: int,
    out_dims: Dims,
    randomness: str,
    kwargs: dict[str, Any],
    chunk_size: int,
) -> Any:
    """`chunk_size` samples at a time, the results joined."""
    from flambeau.random import get_rng_state, set_rng_state

    before = get_rng_state() if randomness == "same" else None
    parts = []
    shape: TreeSpec | None = None
    for start in range(0, size, chunk_size):
        if before is not None:
            set_rng_state(before)
        count = min(chunk_size, size - start)
        some = [
            leaf if dim is None else leaf.narrow(dim, start, count)
            for leaf, dim in zip(leaves, dims, strict=True)
        ]
        made = _once(func, some, spec, dims, count, out_dims, randomness, kwargs)
        flat, shape = tree_flatten(made)
        parts.append(flat)
    return _joined(ops.cat, parts, out_dims, shape)
