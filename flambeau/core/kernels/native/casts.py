"""Arrays in another dtype: a native function for each dtype that arrays are usually converted to.

What a function does not take, of other dtypes or strides, NumPy converts. Stands on choose.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.float8 import FLOAT8, to_float8
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Value
from flambeau.core.kernels.native.choose import native
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.kernels.native.narrow import DTYPES, HALVES, served
from flambeau.core.kernels.order import alike
from flambeau.core.silence import quiet

__all__ = ["KINDS", "NAMES", "cast_to", "converted", "recast"]

NAMES = {
    np.dtype("f4"): "float", np.dtype("f8"): "double", np.dtype("i8"): "i64",
    np.dtype("i4"): "i32", np.dtype("?"): "i1", np.dtype("u1"): "u8",
}  # fmt: skip
"""The types of generated code."""
NARROW = ("half", "bf16", "i16", "i8")
"""Types that are cast, too, compiled at their first use."""
KINDS = (*NAMES, *[DTYPES[type] for type in HALVES])
"""The dtypes between which arrays are cast by generated code; only from u8."""


def _converted(type: str) -> Callable[[Function, Value], Value]:
    """A number as one of the type."""
    if type == "i1":
        return lambda f, x: x if x.type == "i1" else x.ne(0)
    if type in HALVES:  # by way of float32, as in PyTorch
        return lambda f, x: x.to("float")
    return lambda f, x: x.to(type)


def converted(array: Any, dtype: np.dtype[Any]) -> Any:
    """NumPy's form. Floats to narrow unsigned integers go through int64, so that negative values
    wrap as in PyTorch.
    """
    if dtype.kind == "u" and array.dtype.kind == "f":
        array = array.astype("i8")
    if dtype in FLOAT8:
        return alike(to_float8(array, dtype), array)
    return alike(array.astype(dtype), array)


def recast(array: Any, dtype: Any) -> Any:
    """The array in that dtype; itself where it has it. What is no array converts itself."""
    if array.dtype == dtype:
        return array
    return cast_to(np.dtype(dtype))(array) if type(array) is np.ndarray else array.astype(dtype)


@once
def cast_to(dtype: np.dtype[Any]) -> Callable[[Any], Any]:
    """``cast(array)``: the array in that dtype, in new memory; no warning is given."""

    def plainly(array: Any) -> Any:
        return quiet(converted, array, dtype)

    halves = {DTYPES[type]: type for type in HALVES}
    name = NAMES.get(dtype) or halves.get(dtype)
    if name is None or name == "u8" or not build.available() or not served((name,)):
        return plainly
    sources = tuple(given for given in NAMES.values() if given != name)
    narrow = tuple(given for given in NARROW if given != name)
    formula = Formula(_converted(name), 1, sources, name, forms=("v",), narrow=narrow)
    return native(f"to_{name}", plainly, formula) or plainly
