"""Infinities and NaNs in complex arithmetic are where PyTorch's compiled code puts them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import flambeau as torch

PARTS = (float("inf"), float("-inf"), float("nan"), 0.0, 1.0, -2.5, 1.5)
NUMBERS = [complex(a, b) for a in PARTS for b in PARTS]
PAIRS = list(itertools.product(NUMBERS, repeat=2))

OF_TWO = {
    "add": lambda of, a, b: a + b,
    "sub": lambda of, a, b: a - b,
    "rsub": lambda of, a, b: of.rsub(a, b),
    "mul": lambda of, a, b: a * b,
    "div": lambda of, a, b: a / b,
    "pow": lambda of, a, b: a**b,
    "logaddexp": lambda of, a, b: of.logaddexp(a, b),
    "addcmul": lambda of, a, b: of.addcmul(b, a, b),
    "addcdiv": lambda of, a, b: of.addcdiv(b, a, b),
    "in place": lambda of, a, b: a.add_(b),
    "log1p": lambda of, a, b: a.log1p(),
    "number last": lambda of, a, b: a + 2.5,
    "number first": lambda of, a, b: 2.5 + a,
    "number less": lambda of, a, b: 2.5 - a,
    "number power": lambda of, a, b: (2 + 1j) ** a,
}


@pytest.mark.parametrize("form", OF_TWO)
def test_special_values(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        a, b = (of.tensor(values, dtype=of.complex128) for values in zip(*PAIRS, strict=True))
        found = OF_TWO[form](of, a, b)
        return oracle.tensor([[z.real, z.imag] for z in found.tolist()], dtype=oracle.float64)

    oracle.testing.assert_close(run(torch), run(oracle), equal_nan=True, rtol=1e-10, atol=1e-10)
