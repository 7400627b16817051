"""Promotion: the lattice, the ranks of operands, casts. All pairs against PyTorch: tests/parity."""

from __future__ import annotations

import operator
from collections.abc import Iterator

import numpy as np
import pytest

import flambeau as torch
from flambeau.core import dtypes
from flambeau.core.dtypes import DTYPES
from flambeau.core.promotion import can_cast, number_dtype, promote_types, result_dtype

F2, F4, F8, U1, I8, B1, C8, C16 = (
    np.dtype(code) for code in ("f2", "f4", "f8", "u1", "i8", "?", "c8", "c16")
)


def test_the_lattice_is_commutative_and_idempotent() -> None:
    for a in DTYPES.values():
        assert promote_types(a, a) is a
        for b in DTYPES.values():
            try:
                found = promote_types(a, b)
            except RuntimeError:
                with pytest.raises(RuntimeError, match="attempted to promote"):
                    promote_types(b, a)
            else:
                assert promote_types(b, a) is found


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("uint8", "int8", "int16"),
        ("float16", "bfloat16", "float32"),
        ("int64", "float16", "float16"),
        ("complex64", "float64", "complex128"),
        ("uint16", "float32", "float32"),
        ("bool", "uint8", "uint8"),
    ],
)
def test_promote_types(a: str, b: str, found: str) -> None:
    assert promote_types(DTYPES[a], DTYPES[b]) is DTYPES[found]


@pytest.mark.parametrize(
    ("operands", "found"),
    [
        ([(F4, 2), (F8, 0)], F4),
        ([(U1, 1), (I8, 0)], U1),
        ([(U1, 1), (F8, 0)], F8),
        ([(F2, 1), (C16, 0)], dtypes.complex32.numpy),
        ([(F4, 1), 2.5], F4),
        ([(U1, 1), 300], U1),
        ([(U1, 1), 2.5], F4),
        ([(B1, 0), 3], I8),
        ([(I8, 0), 1j], C8),
        ([(F8, 0), 1j], C16),
        ([True, 2], I8),
        ([(F4, 1), (F8, 1), 1], F8),
    ],
)
def test_result_dtype(operands: list[object], found: np.dtype) -> None:
    assert result_dtype(operands) == found


def test_numbers_of_numpy_count_as_numbers() -> None:
    assert number_dtype(np.float64(1)) == F4
    assert number_dtype(np.int8(1)) == I8
    assert number_dtype(np.complex128(1)) == C8


def test_numbers_of_numpy_that_are_not_pythons_are_floating_ones(oracle) -> None:
    for number in (np.bool_(True), np.float16(1), np.uint8(3), np.complex128(1)):
        for make in ("ones(2, dtype=engine.int16)", "ones(2, dtype=engine.bool)", "ones(2)"):
            found = []
            for engine in (torch, oracle):
                x = eval("engine." + make)
                results = x + number, engine.mul(x, number), number * x, engine.full((2,), number)
                found.append([(str(r.dtype).split(".")[1], r.tolist()) for r in results])
            assert found[0] == found[1], (number, make)


def test_no_operands() -> None:
    with pytest.raises(TypeError, match="at least one"):
        result_dtype([])


@pytest.fixture
def _double() -> Iterator[None]:
    dtypes.set_default_dtype(dtypes.float64)
    yield
    dtypes.set_default_dtype(dtypes.float32)


@pytest.mark.usefixtures("_double")
def test_numbers_follow_the_default_dtype() -> None:
    assert result_dtype([(U1, 1), 2.5]) == F8
    assert result_dtype([(U1, 1), 1j]) == C16


def test_can_cast() -> None:
    assert can_cast(dtypes.float64, dtypes.float16)
    assert can_cast(dtypes.int64, dtypes.uint8)
    assert not can_cast(dtypes.float32, dtypes.int64)
    assert not can_cast(dtypes.uint8, dtypes.bool)
    assert not can_cast(dtypes.complex64, dtypes.float64)


def test_what_is_no_dtype_says_so() -> None:
    with pytest.raises(TypeError, match=r"argument 'type2' \(position 2\) must be torch.dtype"):
        promote_types(dtypes.int8, "a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"argument 'from_' \(position 1\)"):
        can_cast(1, dtypes.int8)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # PyTorch's
@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
def test_an_array_beside_an_operator_is_numpys(oracle, dtype) -> None:
    arrays = np.array([True, True]), np.array([2.0, 1.0]), np.array([2, 3]), np.array(2.0)
    for array in arrays:
        for name in "add sub mul truediv pow lt eq ne floordiv mod matmul iadd imul".split():
            op, found = getattr(operator, name), []
            for engine in (torch, oracle):
                x = engine.ones(2, dtype=getattr(engine, dtype))
                for pair in ((x, array), (array, x)):
                    try:
                        got = op(*pair)
                        if not isinstance(got, bool):  # `!=` of strangers
                            got = (str(got.dtype).split(".")[1], got.tolist())
                    except (TypeError, ValueError, RuntimeError) as error:
                        got = type(error)
                    found.append(got)
            assert found[:2] == found[2:], (name, array)


def test_an_array_beside_a_tensor_that_requires_grad_is_refused_but_compared(oracle) -> None:
    for engine in (torch, oracle):
        x = engine.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="numpy"):
            x + np.ones(2)
        assert (x == np.ones(2)).tolist() == [True, True]
