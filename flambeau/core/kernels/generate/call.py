"""How NumPy-side code calls a kernel that is made at run time: a module for each function and
number type, made at its first call. Stands on jit and native.launch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import SIZES, Module
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.native.launch import launcher
from flambeau.core.kernels.native.narrow import DTYPES, HALVES, WORKING, served

if TYPE_CHECKING:
    from flambeau.core.kernels.generate import gemm

__all__ = [
    "HALF_TYPES", "NUMBERS", "TYPES", "Kernel", "beside", "dense", "past", "rows_and_others",
    "tiled",
]  # fmt: skip

TYPES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
HALF_TYPES = {DTYPES[type]: type for type in HALVES}
"""16-bit floats: kernels that serve them read them wide and round once."""
NUMBERS = {**TYPES, **HALF_TYPES}
SINGLE = np.dtype("f4")


PAST = 8 << 20
"""Bytes of a result from which on rows are written past the caches: layer normalisation of 8 MB in
0.85 of the time, of 16 in 0.75, of 4 in 1.35, its result read afterwards.
"""
LINE = 64


def past(out: Any, width: int) -> bool:
    """Whether a contiguous result of rows is too large for the caches, and all its lines whole."""
    return bool(
        out.nbytes >= PAST and width * out.itemsize % LINE == 0 and out.ctypes.data % LINE == 0
    )


def dense(first: Any, *others: Any, types: Mapping[Any, str] = TYPES) -> bool:
    """Whether all are contiguous and of one float dtype that code is made for; None is."""
    dtype = first.dtype
    if dtype not in types or not first.flags.c_contiguous:
        return False
    for each in others:
        if each is not None and not (each.dtype is dtype and each.flags.c_contiguous):
            return False
    return True


def rows_and_others(rows: tuple[Any, ...], others: tuple[Any, ...]) -> Any:
    """`beside` of rows that are all `dense`; else None."""
    return beside(rows[0].dtype, others) if dense(*rows, types=NUMBERS) else None


def beside(dtype: Any, others: tuple[Any, ...]) -> Any:
    """What a kernel takes beside arrays of a dtype, contiguous and in the dtype that these are
    computed in, and that dtype; None unless all others are of one of the two.
    """
    own = dtype if dtype in TYPES else SINGLE
    kinds = {each.dtype for each in others if each is not None}
    if len(kinds) > 1 or not kinds <= {dtype, own}:
        return None
    if own not in kinds:
        others = tuple(each if each is None else recast(each, own) for each in others)
    if all(each is None or each.flags.c_contiguous for each in others):
        return others, own
    return None


def tiled(dtype: np.dtype[Any], write: Callable[[gemm.Shape], Module]) -> dict[str, int] | None:
    """The functions of a module that is written for this machine's tiles, loaded now; None where no
    code is made for the dtype.
    """
    type = TYPES.get(dtype)
    if type is None or not build.available():
        return None
    from flambeau.core.kernels.generate import gemm

    target = build.host()
    try:
        return build.load(write(gemm.shape_of(type, target.bits, target.masked)))
    except build.Unavailable:
        return None


class Kernel:
    """Functions ``void (ptr context, i64 thread, i64 threads)`` by name.

    Args:
        write: ``write(name, type, lanes)`` gives the module of a function for a number type.
        types: the number types by dtype.
    """

    def __init__(
        self, write: Callable[[str, str, int], Module], types: Mapping[Any, str] = TYPES
    ) -> None:
        self.write, self.types = write, types
        self.found: dict[Any, int | None] = {}
        self.launch: Callable[..., None] = _unready

    def ready(self, dtype: Any, name: str) -> bool:
        """Whether there is code for a number type; it is made now where it is the first time."""
        try:
            return self.found[dtype, name] is not None
        except KeyError:
            pass
        found = None
        type = self.types[dtype]
        if build.available() and served((type,)):
            width = build.host().lanes(SIZES[WORKING[type] if type in HALVES else type])
            try:
                found = build.load(self.write(name, type, width))[name]
                self.launch = launcher()
            except build.Unavailable:
                found = None
        self.found[dtype, name] = found
        return found is not None

    def run(self, dtype: Any, name: str, work: int, *words: Any) -> None:
        """Run a function that is ready.

        Args:
            dtype: of the numbers.
            name: the function's.
            work: numbers it goes through, by which threads are asked for.
            words: its context: arrays, ints, floats, None for no array.
        """
        self.launch(self.found[dtype, name], work, *words)


def _unready(*words: Any) -> None:
    raise AssertionError("ready() was not asked")
