"""The usual calls of zeros, ones, empty and their kin: small tensors on the processor, in the
thread's ordinary mode. Stands on entry.process, device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.device import device as Device
from flambeau.core.dtypes import of
from flambeau.core.entry import process
from flambeau.core.kernels.float8 import cast
from flambeau.core.kernels.jit import build

__all__ = ["Filled", "fits", "is_here", "plainly"]

WORD = 8
"""Bytes that the native function writes at once."""


def is_here(device: Any) -> bool:
    """Whether it names the processor's memory."""
    kind = type(device)
    return (kind is Device and device.type == "cpu") or (kind is str and device == "cpu")


def plainly(opts: dict[str, Any]) -> bool:
    """Whether a factory's options say nothing: none, or the processor as the device, or no device
    (the short way is that of the mode in which there is no other).
    """
    if not opts:
        return True
    if len(opts) > 1 or "device" not in opts:
        return False
    device = opts["device"]
    return device is None or is_here(device)


FITTING: dict[Any, tuple[Any, float, float]] = {
    np.dtype("f4"): (float, -3e38, 3e38), np.dtype("f8"): (float, -1e308, 1e308),
    np.dtype("i8"): (int, -(2**62), 2**62), np.dtype("?"): (bool, False, True),
}  # fmt: skip
"""By dtype: the Python numbers that it holds, of one type and between two."""


def fits(number: Any, kind: Any) -> bool:
    """Whether a number is of the dtype's own kind, and small enough, or no finite one."""
    type_of, low, high = FITTING.get(kind, (None, 0, 0))
    return type(number) is type_of and (low <= number <= high or number - number != 0)


def _unserved(*size: Any) -> None:
    """There is no short way."""


class Filled(dict[Any, Callable[..., Any]]):
    """By NumPy dtype: ``short(*sizes)`` or ``short(tuple)`` gives a tensor of one value, or None
    where the long way must look.

    Args:
        value: the number; None for undefined content.
        like: it is ``short(tensor)``, with that one's sizes.
        draw: gives what fills new memory: called with the array and the `trailing` last arguments.
    """

    __slots__ = ("draw", "like", "trailing", "value")

    def __init__(
        self, value: int | None, *, like: bool = False,
        draw: Callable[[], Callable[..., Any] | None] | None = None, trailing: int = 0,
    ) -> None:  # fmt: skip
        self.value, self.like, self.draw, self.trailing = value, like, draw, trailing

    def __missing__(self, kind: Any) -> Callable[..., Any]:
        self[kind] = found = self._made(kind) or _unserved
        return found

    def _made(self, kind: Any) -> Callable[..., Any] | None:
        if not isinstance(kind, np.dtype) or kind.itemsize > WORD:
            return None
        kind = of(kind).numpy
        block = cast(np.full(WORD // kind.itemsize, self.value or 0), kind)
        pattern = int(block.view("u8")[0])
        words = {"kind": id(kind), "pattern": pattern, "blank": self.value is None}
        words |= {"like": self.like}
        if self.draw is not None:
            if (draw := self.draw()) is None:
                return None
            build.keep(draw)
            words |= {"draw": id(draw), "trailing": self.trailing}
        return process.made("filled", None, words)  # type: ignore[no-any-return]
