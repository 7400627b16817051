"""Small writes by index as native functions against the NumPy forms, and what they leave to them."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.declare import OPERATIONS
from flambeau.core.kernels.native import row_picks, small_puts
from flambeau.core.ops import index as _slices  # noqa: F401  (declares what is written here)
from flambeau.core.ops import scatter as _elements  # noqa: F401
from flambeau.core.ops import take as _flat  # noqa: F401

RNG = np.random.default_rng(5)


def _served(*args: object) -> object:
    raise AssertionError("the native form does not serve")


def _refused(*args: object) -> object:
    raise ValueError


def _given(name: str, dtype: str) -> tuple[np.ndarray, tuple[object, ...]]:
    x = RNG.integers(0, 5, (3, 4, 2)).astype(dtype)
    elements = RNG.integers(0, 4, (2, 3, 2))
    rows = RNG.integers(0, 4, 5)[::-1]
    flat = RNG.integers(-24, 24, (2, 3))
    source = RNG.integers(0, 5, (3, 4, 3)).astype(dtype).transpose(0, 2, 1).transpose(0, 2, 1)
    slices = RNG.integers(0, 5, (5, 3, 2)).astype(dtype).transpose(1, 0, 2)
    return x, {
        "_scatter": (1, elements, source),
        "_scatter_number": (-2, elements, 3),
        "scatter_add": (1, elements, source),
        "index_copy": (1, rows, slices),
        "index_add": (1, rows, slices, 1),
        "_index_fill": (1, rows - 4, 2),
        "put": (flat, RNG.integers(0, 5, (2, 3)).astype(dtype), False),
    }[name]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
@pytest.mark.parametrize("name", small_puts.PUTS)
def test_writes_are_those_of_numpy(name: str, dtype: str) -> None:
    x, given = _given(name, dtype)
    native = small_puts.native(name, _served)
    if native is _served:
        pytest.skip("no code can be generated")
    kernel = OPERATIONS[name].kernel
    plain = given if name != "_index_fill" else (*given[:2], np.array(given[2]))
    wanted = kernel(x, *plain)
    before = x.copy()
    found = native(x, *given)
    assert np.array_equal(found, wanted)
    assert np.array_equal(x, before)
    assert found.dtype == x.dtype
    assert native(x, *given, x) is x
    assert np.array_equal(x, wanted)


@pytest.mark.parametrize("name", small_puts.PUTS)
def test_writes_that_are_left_to_others(name: str) -> None:
    x, given = _given(name, "float32")
    native = small_puts.native(name, _refused)
    if native is _refused:
        pytest.skip("no code can be generated")
    at = 0 if name == "put" else 1
    far = [*given]
    far[at] = np.where(np.arange(far[at].size).reshape(far[at].shape) == 2, 100, far[at])  # type: ignore[attr-defined]
    narrow = [*given]
    narrow[at] = narrow[at].astype("i4")  # type: ignore[attr-defined]
    before = x.copy()
    for odd in ((x, *far), (x, *far, x), (x, *narrow), (x, *given, x.copy()), (x.T, *given)):
        with pytest.raises(ValueError):
            native(*odd)
    if name in ("_scatter", "scatter_add"):
        with pytest.raises(ValueError):  # it is read while it is written
            native(x, 1, given[1], x, x)
    assert np.array_equal(x, before)


def test_take_is_that_of_numpy() -> None:
    x = RNG.integers(0, 9, (3, 4)).astype("f4")
    flat = row_picks.native("take", _served)
    if flat is _served:
        pytest.skip("no code can be generated")
    index = RNG.integers(-12, 12, (2, 5))
    assert np.array_equal(flat(x, index), x.reshape(-1).take(index))
    with pytest.raises(IndexError):
        torch.ones(3).take(torch.tensor([3]))


def test_histories_of_small_writes() -> None:
    index = torch.tensor([[0, 2], [1, 0]])
    for name, given in (("scatter_", (torch.ones(2, 2),)), ("scatter_add_", (torch.ones(2, 2),))):
        x, src = torch.ones(2, 3, requires_grad=True), given[0].requires_grad_()
        y = x * 2
        assert getattr(y, name)(1, index, src) is y
        assert y._version == 1
        (y * torch.arange(6.0).view(2, 3)).sum().backward()
        kept = [2.0 * k for k in range(6)]
        wiped = [0.0, 2.0, 0.0, 0.0, 0.0, 10.0] if name == "scatter_" else kept
        assert x.grad.flatten().tolist() == wiped  # type: ignore[union-attr]
        assert src.grad.tolist() == [[0.0, 2.0], [4.0, 3.0]]
    x = torch.ones(3, requires_grad=True)
    (x * 1).index_fill_(0, torch.tensor([1]), 5).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 1.0]  # type: ignore[union-attr]
    filled = x.index_fill(0, torch.tensor([-1]), 2.5)
    assert filled.tolist() == [1.0, 1.0, 2.5]
    assert type(filled.grad_fn).__name__ == "IndexFillBackward0"
