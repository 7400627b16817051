"""Elements of nested data: the dtype they promote to, and how each is written into a given one."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import flambeau

DTYPES = (
    None, "float32", "float16", "bfloat16", "float8_e4m3fn", "int64", "uint8", "uint16", "uint64",
    "bool", "complex64",
)  # fmt: skip
DATA = (
    "None", "'a'", "1j", "1 << 63", "1 << 64", "1.5", "-1", "[None]", "[1, None]", "['a']",
    "[1, 'a']", "[[1], ['a']]", "[1j]", "[1 + 0j]", "[object()]", "[{}]", "[1 << 63]", "[1 << 64]",
    "[-(1 << 63) - 1]", "[1 << 1100]", "[-1]", "[300]", "[1.5]", "[float('nan')]", "[1e300]",
    "[True, 2.5]", "[np.float32(1.5)]", "[np.float64(1.5), 2.0]", "[2.0, np.float64(1.5)]",
    "[np.float16(1.5), 2]", "[np.int32(1), 2]", "[np.bool_(True)]", "[np.uint64(1 << 63)]",
    "[np.complex64(1)]", "[Decimal('1.5')]", "[Fraction(1, 2)]", "[t.tensor(1.5)]",
    "[t.tensor(1.5), 2.0]", "[t.tensor(1), 2.5]", "[t.tensor([1])]", "[t.tensor([1.0, 2.0])]",
    "[t.tensor(1j)]", "[t.tensor(1j), 1]", "[t.tensor([1.0]), [2.0]]", "[[2.0], t.tensor([1.0])]",
    "[t.tensor(1.0, dtype=t.bfloat16), t.tensor(1.0, dtype=t.float16)]", "[range(3), (1, 2, 3)]",
    "[np.array([1.0, 2.0]), [1, 2]]", "[[1, 2], np.array([1.0, 2.0])]", "[np.array([])]",
    "[[], [1]]", "[(), ()]", "[1, [2]]", "[[1], 2]", "[[1, 2], [3]]",
    "[t.tensor([1.0]), np.array(1.0)]", "[np.array([1, 2]), 1]",
)  # fmt: skip


@pytest.mark.parametrize("code", DATA)
def test_elements(code, oracle):
    for kind in DTYPES:
        found = []
        for t in (flambeau, oracle):
            names = {"t": t, "np": np, "Decimal": Decimal, "Fraction": Fraction}
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # NumPy's, of complex numbers made real
                    made = t.tensor(eval(code, names), dtype=kind and getattr(t, kind))
            except Exception as problem:
                found.append(type(problem))
            else:
                found.append((str(made.dtype), made.shape, repr(made.tolist())))
        assert found[0] == found[1], kind


def test_a_sequence_that_holds_itself_has_too_many_dimensions(oracle):
    endless: list = []
    endless.append(endless)
    for engine in (flambeau, oracle):
        for make in (engine.tensor, engine.as_tensor):
            with pytest.raises(ValueError, match="too many dimensions"):
                make(endless)
