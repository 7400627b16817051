"""`autograd.Function` inside transforms: what it must declare, and its own way of batching.

Stands on core.crossing and core.batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.batch.array import ACTIVE, Batched
from flambeau.core.crossing import enter_level, leave_level
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["VmapInfo", "apply_by_level", "call_rule", "check_form"]


class VmapInfo(NamedTuple):
    """What a Function's `vmap` is told: how many samples there are, and how they draw."""

    batch_size: int
    randomness: str


def check_form(cls: Any, base: Any) -> None:
    """Whether the Function is written in the form that transforms take.

    Raises:
        RuntimeError: its `forward` takes `ctx`.
    """
    if cls.setup_context is base.setup_context:
        raise fail(
            RuntimeError,
            cls.__name__,
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, "
            "jacrev, ...), it must override the setup_context staticmethod: write "
            "forward(*args) without ctx, and save in setup_context(ctx, inputs, output).",
        )


def apply_by_level(cls: Any, base: Any, args: tuple[Any, ...]) -> Any:
    """The call on a batch by the Function's own `vmap`; NotImplemented where the ordinary call does
    (no batch among the arguments, or the rule is to be generated).

    Raises:
        RuntimeError: neither `vmap` nor `generate_vmap_rule`, or both.
    """
    if not _mapped(tree_flatten(args)[0]):
        return NotImplemented
    own = cls.vmap is not base.vmap
    if cls.generate_vmap_rule and own:
        raise fail(
            RuntimeError,
            cls.__name__,
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overriden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            "overriden vmap staticmethod to avoid ambiguity.",
        )
    if cls.generate_vmap_rule:
        return NotImplemented
    if not own:
        raise fail(
            RuntimeError,
            cls.__name__,
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True.",
        )
    return call_rule(cls.__name__, cls.vmap, args)


def _mapped(leaves: list[Any]) -> list[bool]:
    """Which of the arguments differ from sample to sample of the innermost vmap; none: empty."""
    level = ACTIVE.get()[-1].number
    mapped = [
        isinstance(x, Tensor) and type(x._array) is Batched and level in x._array.levels
        for x in leaves
    ]
    return mapped if any(mapped) else []


def call_rule(name: str, rule: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What `rule(info, in_dims, *args)` makes of the innermost vmap's batches, which it sees as
    plain tensors; NotImplemented where no argument is a batch.

    Args:
        rule: gives the output and its dimensions.

    Raises:
        RuntimeError: the rule gives something else.
    """
    level = ACTIVE.get()[-1]
    leaves, spec = tree_flatten(args)
    mapped = _mapped(leaves)
    if not mapped:
        return NotImplemented
    plain = [
        leave_level(x, level.number, 0, level.size) if m else x
        for x, m in zip(leaves, mapped, strict=True)
    ]
    in_dims = tree_unflatten([0 if m else None for m in mapped], spec)
    token = ACTIVE.set(ACTIVE.get()[:-1])
    try:
        result = rule(VmapInfo(level.size, level.randomness), in_dims, *tree_unflatten(plain, spec))
    finally:
        ACTIVE.reset(token)
    return _entered(name, result, level.number)


def _entered(name: str, result: Any, level: int) -> Any:
    if not isinstance(result, tuple) or len(result) != 2:
        raise fail(
            RuntimeError,
            name,
            "Expected the vmap staticmethod to have two returns, an output and out_dims with "
            f"pytree structure compatible with the output; got a {type(result).__name__}.",
        )
    output, out_dims = result
    if isinstance(output, tuple):
        dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(output)
        return tuple(_one(o, d, level) for o, d in zip(output, dims, strict=True))
    return tree_map(lambda o: _one(o, out_dims, level), output)


def _one(output: Any, dim: Any, level: int) -> Any:
    if dim is None or not isinstance(output, Tensor):
        return output
    return enter_level(output, level, dim % output.ndim)
