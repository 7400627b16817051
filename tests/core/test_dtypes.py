"""The dtypes: identity, pickling, limits, the type rules of the declaration."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest

from flambeau.core import dtypes
from flambeau.core.dtypes import DTYPES, finfo, iinfo, of


@pytest.fixture(autouse=True)
def _default_restored() -> Iterator[None]:
    yield
    dtypes.set_default_dtype(dtypes.float32)


@pytest.mark.parametrize("kind", DTYPES.values(), ids=str)
def test_one_object_per_type(kind: dtypes.dtype) -> None:
    assert of(kind.numpy) is kind
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert copy.deepcopy([kind])[0] is kind
    assert getattr(dtypes, kind.name) is kind
    assert kind.itemsize == kind.numpy.itemsize
    assert repr(kind) == f"torch.{kind.name}"


def test_of_takes_what_numpy_takes_for_a_dtype() -> None:
    assert of(np.float32) is dtypes.float32
    assert of("i8") is dtypes.int64
    assert of(np.dtype("longlong")) is dtypes.int64


@pytest.mark.parametrize(
    ("array_type", "error", "words"),
    [
        ("U3", TypeError, "can't convert np.ndarray of type numpy.str_"),
        ("O", TypeError, "numpy.object_"),
        ("M8[s]", TypeError, "numpy.datetime64"),
        (">f4", ValueError, "byte order"),
    ],
)
def test_of_refuses(array_type: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        of(np.dtype(array_type))


def test_a_dtype_is_neither_made_nor_changed() -> None:
    with pytest.raises(TypeError, match="cannot create"):
        dtypes.dtype()
    with pytest.raises(AttributeError, match="not writable"):
        dtypes.float32.itemsize = 3


def test_real_and_complex_kin() -> None:
    assert dtypes.float32.to_complex() is dtypes.complex64
    assert dtypes.complex128.to_real() is dtypes.float64
    assert dtypes.int8.to_real() is dtypes.int8
    with pytest.raises(RuntimeError, match="Unknown Complex ScalarType for Char"):
        dtypes.int8.to_complex()


def test_legacy_names() -> None:
    assert dtypes.TENSOR_NAMES["torch.FloatTensor"] is dtypes.float32
    assert dtypes.TENSOR_NAMES["torch.ByteTensor"] is dtypes.uint8
    assert dtypes.tensor_type_name(dtypes.int64) == "torch.LongTensor"
    assert (
        dtypes.tensor_type_name(dtypes.int64, "cuda", sparse=True) == "torch.cuda.sparse.LongTensor"
    )


def test_limits() -> None:
    single = finfo(dtypes.float32)
    reference = np.finfo(np.float32)
    assert (single.eps, single.max, single.min, single.tiny) == (
        reference.eps,
        reference.max,
        reference.min,
        reference.tiny,
    )
    assert finfo(dtypes.complex64) == single
    assert iinfo(dtypes.uint64).max == 2**64 - 1
    assert iinfo(dtypes.int16).min == -(2**15)
    with pytest.raises(TypeError, match="unhashable"):
        hash(single)


@pytest.mark.parametrize("kind", [dtypes.int32, dtypes.bool])
def test_finfo_refuses_integers(kind: dtypes.dtype) -> None:
    with pytest.raises(TypeError, match="requires a floating point input type"):
        finfo(kind)


def test_iinfo_refuses() -> None:
    with pytest.raises(TypeError, match="requires an integer input type"):
        iinfo(dtypes.float32)
    with pytest.raises(TypeError, match=r"torch\.bool is not supported"):
        iinfo(dtypes.bool)
    with pytest.raises(TypeError, match=r"must be torch\.dtype, not int"):
        iinfo(3)


@pytest.mark.parametrize("value", [dtypes.int32, dtypes.complex64, dtypes.float8_e5m2, "float32"])
def test_default_dtype_refuses(value: object) -> None:
    with pytest.raises(TypeError):
        dtypes.set_default_dtype(value)
    assert dtypes.default() is dtypes.float32


def test_default_dtype_moves_the_complex_default_and_the_rules() -> None:
    integers = np.dtype(np.int32)
    assert dtypes.FLOAT.resolve("sin", integers)[0] == np.float32
    dtypes.set_default_dtype(dtypes.float64)
    assert dtypes.default_complex() is dtypes.complex128
    assert dtypes.FLOAT.resolve("sin", integers) == (np.float64, np.float64)


F4, I4, B1, C8 = (np.dtype(code) for code in ("f4", "i4", "?", "c8"))
E5 = dtypes.float8_e5m2.numpy


@pytest.mark.parametrize(
    ("rule", "promoted", "computed", "result"),
    [
        (dtypes.NUMBER, B1, "?", "?"),
        (dtypes.NUMERIC, I4, "i4", "i4"),
        (dtypes.FLOAT, B1, "f4", "f4"),
        (dtypes.FLOATING, C8, "c8", "c8"),
        (dtypes.COMPARE, C8, "c8", "?"),
        (dtypes.ORDER, I4, "i4", "?"),
        (dtypes.INTEGRAL, B1, "?", "?"),
        (dtypes.LOGICAL, F4, "f4", "?"),
        (dtypes.REAL, I4, "i4", "i4"),
        (dtypes.REAL_FLOAT, I4, "f4", "f4"),
        (dtypes.ABS, C8, "c8", "f4"),
        (dtypes.SUM, B1, "i8", "i8"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_rules(rule: dtypes.Rule, promoted: np.dtype, computed: str, result: str) -> None:
    assert rule.resolve("op", promoted) == (np.dtype(computed), np.dtype(result))


@pytest.mark.parametrize(
    ("rule", "promoted", "error"),
    [
        (dtypes.NUMBER, E5, NotImplementedError),
        (dtypes.NUMERIC, B1, RuntimeError),
        (dtypes.FLOATING, I4, NotImplementedError),
        (dtypes.ORDER, C8, NotImplementedError),
        (dtypes.INTEGRAL, F4, NotImplementedError),
        (dtypes.REAL, C8, NotImplementedError),
        (dtypes.ABS, B1, NotImplementedError),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_rules_refuse(rule: dtypes.Rule, promoted: np.dtype, error: type[Exception]) -> None:
    with pytest.raises(error, match='"op" not implemented for') as caught:
        rule.resolve("op", promoted)
    assert type(caught.value) is error
