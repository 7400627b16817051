"""What `set_printoptions` sets: precision, summarising, line width, scientific notation.

The options are the process's, as PyTorch's are. Stands on errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from flambeau.core.errors import fail

__all__ = ["PrintOptions", "current", "get_printoptions", "printoptions", "set_printoptions"]


class PrintOptions(NamedTuple):
    """How tensors print.

    Args:
        precision: digits after the point.
        threshold: tensors with more elements are summarised with ``...``.
        edgeitems: how many entries a summary shows at each end of a dimension.
        linewidth: where lines break.
        sci_mode: scientific notation: always, never, or (None) where the values ask for it.
    """

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options = [PrintOptions()]


def current() -> PrintOptions:
    """The options in force."""
    return _options[0]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print. What is None stays, except `sci_mode`, which returns to automatic.

    Args:
        precision: digits after the point (4).
        threshold: element count above which a tensor is summarised (1000).
        edgeitems: entries shown at each end of a summarised dimension (3).
        linewidth: characters per line (80).
        profile: ``"default"``, ``"short"`` or ``"full"``, before the other arguments.
        sci_mode: True always scientific, False never, None by the values.

    Raises:
        ValueError: no such profile.
    """
    options = _options[0]
    if profile is not None:
        if profile not in _PROFILES:
            raise fail(
                ValueError,
                "set_printoptions",
                f"profile is {profile!r}, expected one of {', '.join(map(repr, _PROFILES))}",
            )
        start = _PROFILES[profile]
        options = options._replace(
            precision=start.precision,
            threshold=start.threshold,
            edgeitems=start.edgeitems,
            linewidth=start.linewidth,
        )
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options[0] = options._replace(sci_mode=sci_mode, **changed)


def get_printoptions() -> dict[str, Any]:
    """The options in force as a dict, fit for ``set_printoptions(**options)``."""
    return _options[0]._asdict()


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` for the length of a ``with`` block."""
    before = _options[0]
    set_printoptions(**options)
    try:
        yield
    finally:
        _options[0] = before
