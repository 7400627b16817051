"""The four operations: `alpha` multiplies in the dtype of the sum."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau


@pytest.mark.parametrize("name", ["add", "sub", "rsub"])
@pytest.mark.parametrize(("first", "second"), [("float32", "bfloat16"), ("float64", "int64")])
def test_alpha_multiplies_in_the_dtype_of_the_sum(
    name: str, first: str, second: str, oracle: Any
) -> None:
    found = []
    for engine in (flambeau, oracle):
        x = engine.linspace(-1, 1, 9, dtype=getattr(engine, first))
        y = engine.arange(1, 10).to(getattr(engine, second))
        pair = (y, x) if name == "rsub" else (x, y)
        made = getattr(engine, name)(*pair, alpha=0.001)
        found.append((str(made.dtype), made.double()))
    assert found[0][0] == found[1][0]
    assert found[0][1].tolist() == pytest.approx(found[1][1].tolist(), rel=1e-7)
