"""Colours as users write them, as RGB triples: one for each object drawn."""

from __future__ import annotations

from typing import Any

from flambeau.vision.pillow import pillow

__all__ = ["Color", "parse_colors"]

Color = str | tuple[int, int, int]

_PALETTE = (2**25 - 1, 2**15 - 1, 2**21 - 1)


def parse_colors(
    colors: list[Color] | Color | None, count: int, *, unit: bool = False
) -> list[tuple[Any, ...]]:
    """RGB triples of ``count`` objects.

    Args:
        colors: one colour for all, a list with one for each, or None for a palette.
        unit: give values in [0, 1] instead of [0, 255].

    Raises:
        ValueError: too few colours, or something that is no colour.
    """
    if colors is None:
        each: list[Any] = [tuple(i * p % 255 for p in _PALETTE) for i in range(count)]
    elif isinstance(colors, list):
        if len(colors) < count:
            raise ValueError(f"colors: {count} objects are drawn, the list has {len(colors)}.")
        each = colors
    elif isinstance(colors, str) or (isinstance(colors, tuple) and len(colors) == 3):
        each = [colors] * count
    else:
        raise ValueError(
            f"colors: expected a name, an RGB triple or a list of these, got {colors!r}."
        )
    getrgb = pillow("ImageColor").getrgb
    triples = [getrgb(color) if isinstance(color, str) else tuple(color) for color in each]
    return [tuple(v / 255 for v in triple) for triple in triples] if unit else triples
