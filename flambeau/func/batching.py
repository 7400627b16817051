"""`vmap`: a function of one sample as a function of a batch. The samples are taken one after the
other, so that whatever works on a sample works on a batch, and nested calls nest. Stands on
declare's operations and random.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
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


def _joined(rows: list[list[Any]], spec: TreeSpec, out_dims: Dims, empty: bool) -> Any:
    """The results of all samples, stacked along `out_dims`."""
    if isinstance(out_dims, (int, type(None))):
        dims: list[Any] | None = [out_dims] * spec.num_leaves
    elif spec.type is None and isinstance(out_dims, (tuple, list)) and len(out_dims) == 1:
        dims = [out_dims[0]]
    else:
        dims = spread(tuple(out_dims) if spec.type is tuple else out_dims, spec)
    if dims is None:
        raise fail(
            ValueError,
            "vmap",
            f"out_dims is not compatible with the structure of outputs. out_dims is {out_dims} "
            f"but outputs has structure {spec}.",
        )
    columns = []
    for k, dim in enumerate(dims):
        members = [row[k] for row in rows]
        for member in members:
            if not isinstance(member, Tensor):
                raise fail(
                    ValueError,
                    "vmap",
                    f"the function must only return Tensors, got type {type(member)} as a return.",
                )
        if dim is None:
            columns.append(members[0])
            continue
        if not -members[0].ndim - 1 <= dim <= members[0].ndim:
            raise fail(
                IndexError,
                "vmap",
                f"Dimension out of range: out_dims={dim} for an output with {members[0].ndim} "
                f"dimensions per sample",
            )
        whole = ops.stack(members, dim)
        columns.append(whole.narrow(dim, 0, 0) if empty else whole)
    return tree_unflatten(columns, spec)


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
        chunk_size: accepted; samples are always taken one by one.

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
        from flambeau.random import get_rng_state, set_rng_state

        leaves, spec, dims, size = _mapped(in_dims, args)
        before: Any = get_rng_state() if randomness != "different" else None
        rows = []
        shape: TreeSpec | None = None
        for k in range(size or 1):
            if k and randomness == "same":
                set_rng_state(before)
            sample = [
                leaf
                if dim is None
                else leaf.select(dim, k)
                if size
                else leaf.new_zeros([n for j, n in enumerate(leaf.shape) if j != dim])
                for leaf, dim in zip(leaves, dims, strict=True)
            ]
            flat, shape = tree_flatten(func(*tree_unflatten(sample, spec), **kwargs))
            rows.append(flat)
        if randomness == "error" and not bool((get_rng_state() == before).all()):
            set_rng_state(before)
            raise fail(
                RuntimeError,
                "vmap",
                "called random operation while in randomness error mode. Please either use the "
                "'same' or 'different' randomness "
                "flags on vmap or perform the randomness operation out of vmap",
            )
        assert shape is not None
        return _joined(rows, shape, out_dims, not size)

    return wrapper
