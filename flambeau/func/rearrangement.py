"""`rearrange`: dimensions named, split, joined and put in another order by a pattern such as
``"b (h w) c -> b c h w"``.

Reference: A. Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations with Einstein-like
Notation", 2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["rearrange"]

TOKEN = re.compile(r"\s*(\.\.\.|[()]|\w+)")
DOTS = "..."

Groups = list[list[str]]


def _side(text: str, pattern: str) -> Groups:
    """One side of the pattern: a list of names for each dimension; `1` is an empty list."""
    groups: Groups = []
    inner: list[str] | None = None
    seen: set[str] = set()
    at = 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise _error(f"unknown character in the pattern {pattern!r}")
        token, at = match[1], match.end()
        if token == "(":
            if inner is not None:
                raise _error(f"brackets cannot be nested: {pattern!r}")
            inner = []
        elif token == ")":
            if inner is None:
                raise _error(f"brackets are not balanced: {pattern!r}")
            groups.append(inner)
            inner = None
        elif token.isdigit():
            if token != "1":
                raise _error(f"the only number a pattern may hold is 1, got {token}")
            if inner is None:
                groups.append([])
        elif token in seen:
            raise _error(f"{token!r} stands twice on one side of {pattern!r}")
        else:
            seen.add(token)
            if inner is None:
                groups.append([token])
            else:
                inner.append(token)
    if inner is not None:
        raise _error(f"brackets are not balanced: {pattern!r}")
    return groups


def _error(message: str) -> Exception:
    return fail(ValueError, "rearrange", message + ".")


def rearrange(
    tensor: Tensor | list[Tensor] | tuple[Tensor, ...], pattern: str, **axes_lengths: int
) -> Tensor:
    """The tensor with its dimensions as the right side of the pattern names them.

    Args:
        tensor: a tensor; several are stacked first, along a new first dimension.
        pattern: ``left -> right``. Names are dimensions, ``(a b)`` is one made of two, ``...``
            any number of them, 1 a dimension of one.
        axes_lengths: the sizes that the tensor's shape leaves open.

    Raises:
        ValueError: the pattern is no pattern, or does not fit the tensor.

    Example:
        >>> rearrange(flambeau.zeros(2, 6), "b (h w) -> b w h", h=3).shape
        torch.Size([2, 2, 3])
    """
    if not isinstance(tensor, Tensor):
        tensor = flambeau.stack(list(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise _error("Pattern must contain a single '->' separator")
    left, right = (_side(text, pattern) for text in sides)
    names = [{n for group in side for n in group} for side in (left, right)]
    if DOTS in names[1] - names[0]:
        raise _error(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    if names[0] ^ names[1]:
        raise _error(
            "Identifiers only on one side of rearrange expression (should be on both): "
            f"{names[0] ^ names[1]}"
        )
    if unknown := set(axes_lengths) - names[0]:
        raise _error(f"Identifiers in axes_lengths that the pattern lacks: {sorted(unknown)}")
    sizes, dots = _sizes(left, tensor.shape, dict(axes_lengths), pattern)

    order = [n for group in left for n in group]
    split = [s for n in order for s in (dots if n == DOTS else [sizes[n]])]
    places, count = {}, 0
    for name in order:
        width = len(dots) if name == DOTS else 1
        places[name] = list(range(count, count + width))
        count += width
    wanted = [k for group in right for n in group for k in places[n]]
    joined: list[int] = []
    for group in right:
        if group == [DOTS]:
            joined += dots
        else:
            parts = [math.prod(dots) if n == DOTS else sizes[n] for n in group]
            joined.append(math.prod(parts))
    return tensor.reshape(split).permute(wanted).reshape(joined)


def _sizes(
    left: Groups, shape: Sequence[int], known: dict[str, int], pattern: str
) -> tuple[dict[str, int], list[int]]:
    """The size of every name, and those the dots stand for."""
    free = len(shape) - len([g for g in left if g != [DOTS]])
    has_dots = any(DOTS in group for group in left)
    if free < 0 or (free and not has_dots):
        raise _error(
            f"the pattern {pattern!r} names {len(left)} dimensions, the tensor has {len(shape)}"
        )
    dots: list[int] = []
    at = 0
    for group in left:
        if group == [DOTS]:
            dots = list(shape[at : at + free])
            at += free
            continue
        size, at = shape[at], at + 1
        open_names = [n for n in group if n not in known]
        given = math.prod(known[n] for n in group if n in known)
        if len(open_names) > 1:
            raise _error(
                f"cannot infer the sizes of two dimensions at once: {open_names}. Give all but "
                "one by name"
            )
        if open_names:
            if given == 0 or size % given:
                raise _error(f"a dimension of {size} cannot be split into parts of {given}")
            known[open_names[0]] = size // given
        elif given != size:
            raise _error(f"a dimension of {size} was said to be {given}")
    return known, dots
