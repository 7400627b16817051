"""Random numbers inside `vmap`: one draw for all samples ("same"), one for each ("different"),
none ("error").

Draws for each sample come in one go, in the samples' order. Stands on array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.batch.array import ACTIVE, Batched, Level, align

__all__ = ["check_draw", "draw_into", "draw_new", "draw_whole", "each_draw", "repeating"]


def check_draw() -> None:
    """Whether random numbers may be drawn now.

    Raises:
        RuntimeError: a level was entered with ``randomness="error"``.
    """
    if any(level.randomness == "error" for level in ACTIVE.get()):
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )


def _different() -> list[Level]:
    return [level for level in ACTIVE.get() if level.randomness == "different"]


def draw_new(make: Callable[[], Any]) -> Any:
    """What ``make()`` draws (an array or several), once for every sample that draws by itself."""
    levels = _different()
    if not levels:
        return make()
    sizes = tuple(level.size for level in levels)
    rows = [make() for _ in np.ndindex(*sizes)]
    numbers = tuple(level.number for level in levels)

    def stacked(column: Any) -> Any:
        if column[0] is None:
            return None
        whole = np.stack(column)
        return Batched(whole.reshape((*sizes, *whole.shape[1:])), numbers)

    if isinstance(rows[0], tuple):
        return tuple(map(stacked, zip(*rows, strict=True)))
    return stacked(rows)


def draw_whole(shape: tuple[int, ...], dtype: Any, draw: Callable[[Any], Any]) -> Any:
    """A new array of `shape` for every sample, all of them drawn in one go."""
    levels = _different()
    sizes = tuple(level.size for level in levels)
    whole = np.empty((*sizes, *shape), dtype)
    draw(whole)
    return Batched(whole, tuple(level.number for level in levels)) if levels else whole


def draw_into(name: str, array: Any, draw: Callable[[Any], Any]) -> None:
    """``draw(memory)`` over an array or a batch.

    Raises:
        RuntimeError: the samples should differ, but the array is one for all.
    """
    levels = _different()
    if type(array) is not Batched and not levels:
        draw(array)
        return
    own = array.levels if type(array) is Batched else ()
    if any(level.number not in own for level in levels):
        raise RuntimeError(
            f"vmap: {name}: Cannot ask for different inplace randomness on an unbatched tensor. "
            "This will appear like same randomness. If this is necessary for your usage, please "
            "file an issue with functorch: make the tensor of a batched one (x.new_empty(...)), "
            "or draw out of place."
        )
    if len(levels) == len(own):
        draw(array.data)
        return
    drawn = np.empty((*(level.size for level in levels), *array.shape), array.dtype)
    draw(drawn)
    fresh = Batched(drawn, tuple(level.number for level in levels)) if levels else drawn
    _, (target, source) = align((array, fresh))
    np.copyto(target, source)


def each_draw(value: Any) -> Any:
    """A random kernel's argument with every level that draws by itself."""
    levels = _different()
    if not isinstance(value, (np.ndarray, Batched)) or not levels:
        return value
    own = value.levels if type(value) is Batched else ()
    data = value.data if type(value) is Batched else value
    sizes = dict(zip(own, data.shape, strict=False))
    sizes |= {level.number: level.size for level in levels}
    every = tuple(sorted(sizes))
    data = data[tuple(slice(None) if n in own else None for n in every)]
    return Batched(np.broadcast_to(data, (*(sizes[n] for n in every), *value.shape)), every)


def repeating(function: Callable[..., Any], stream: Any) -> Callable[..., Any]:
    """A random kernel that draws the same numbers at every call, where the samples share them."""
    if _different() or not ACTIVE.get():
        return function
    state = stream.get_state()

    def call(*args: Any) -> Any:
        stream.set_state(state)
        return function(*args)

    return call
