"""Memory that nobody wrote, under deterministic algorithms, against PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau
import flambeau.utils.deterministic

DTYPES = "float32 float64 bfloat16 float16 int8 uint8 int64 bool complex64".split()
FORMS = {
    "empty": lambda of, kind: of.empty(3, dtype=kind),
    "empty, large": lambda of, kind: of.empty(2, 20000, dtype=kind)[1, -2:],
    "empty, channels last": lambda of, kind: of.empty(
        1, 2, 1, 2, dtype=kind, memory_format=of.channels_last
    ),
    "empty_like": lambda of, kind: of.empty_like(of.zeros(2, 2, dtype=kind).t()),
    "empty_like, another dtype": lambda of, kind: of.empty_like(of.zeros(2), dtype=kind),
    "empty_strided": lambda of, kind: of.empty_strided((2, 2), (1, 2), dtype=kind),
    "empty_permuted": lambda of, kind: of.empty_permuted((2, 3), (1, 0), dtype=kind),
    "new_empty": lambda of, kind: of.zeros(2, dtype=kind).new_empty(2),
    "new_empty_strided": lambda of, kind: of.zeros(2, dtype=kind).new_empty_strided((2,), (1,)),
    "resize_": lambda of, kind: of.ones(2, dtype=kind).resize_(4),
    "out": lambda of, kind: of.empty(3, dtype=kind, out=of.ones(3, dtype=kind)),
    "Tensor": lambda of, kind: of.Tensor(3).to(kind),
    "zeros": lambda of, kind: of.zeros(3, dtype=kind),
    "full": lambda of, kind: of.full((3,), 1, dtype=kind),
}


def _values(of: Any, form: str, dtype: str, filled: bool = True) -> str:
    kind = getattr(of, dtype)
    of.use_deterministic_algorithms(True)
    of.utils.deterministic.fill_uninitialized_memory = filled
    try:
        return str(FORMS[form](of, kind).tolist())
    finally:
        of.use_deterministic_algorithms(False)
        of.utils.deterministic.fill_uninitialized_memory = True


@pytest.mark.parametrize("form", FORMS)
def test_undefined_memory_shows(oracle: Any, form: str) -> None:
    kinds = DTYPES if form != "Tensor" else DTYPES[:4]  # NaN is no integer
    for dtype in kinds:
        assert _values(flambeau, form, dtype) == _values(oracle, form, dtype), dtype


def test_it_is_a_setting() -> None:
    room = flambeau.utils.deterministic
    assert room.fill_uninitialized_memory is True
    with pytest.raises(TypeError):
        room.fill_uninitialized_memory = 1
    assert "nan" in _values(flambeau, "empty_strided", "float32")
    assert "nan" not in _values(flambeau, "resize_", "float32", filled=False)
    assert not flambeau.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("make", ["empty", "zeros", "ones"])
@pytest.mark.parametrize("shape", [(2**50,), (2**62,), (2**40, 2**40)])
def test_memory_that_is_not_there_is_a_runtime_error(make: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        getattr(flambeau, make)(shape)
