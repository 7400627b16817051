"""Dtypes at the edge of what an operation takes: PyTorch's answer, or its refusal."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import flambeau as torch


def _pairs(of: Any, *values: complex) -> Any:
    return of.tensor(values, dtype=of.complex64).to(of.complex32)


def _slope(of: Any, function: Any) -> Any:
    x = _pairs(of, 1 + 2j, 3 - 1j).requires_grad_()
    made = function(x)
    return of.autograd.grad(made, x, of.ones_like(made) * (2 if made.is_floating_point() else 2j))[
        0
    ]


def _small(of: Any, kind: str, *shapes: tuple[int, ...]) -> list[Any]:
    return [(of.ones(shape).cumsum(-1) + 3).to(getattr(of, kind)) for shape in shapes]


FORMS = {
    "nan_to_num 0-d": lambda of: of.nan_to_num(of.tensor(complex("nan+infj"))),
    "nan_to_num": lambda of: of.nan_to_num(of.tensor([complex("nan+infj"), 1j]), 2.0, 3.0),
    "unique complex": lambda of: of.unique(of.tensor([1 + 1j, 2])),
    "unique_consecutive complex": lambda of: of.unique_consecutive(of.tensor([1 + 1j, 2])),
    "trace bool": lambda of: of.trace(of.ones(2, 2, dtype=of.bool)),
    "trace uint8": lambda of: of.trace(of.ones(2, 2, dtype=of.uint8)),
    "bincount 2-d": lambda of: of.bincount(of.empty((0, 2), dtype=of.int64)),
    "bincount empty": lambda of: of.bincount(of.empty((0,), dtype=of.int64), minlength=2),
    "flip of nothing": lambda of: of.flip(of.ones(2)),
    "flip along none": lambda of: of.flip(of.ones(2), ()),
    "ranking": lambda of: of.nn.functional.margin_ranking_loss(
        of.tensor([1, 2]), of.tensor([2, 1]), of.tensor([1, -1])
    ),
    "power": lambda of: of.tensor(3) ** -1,
    "std slope": lambda of: of.autograd.grad(
        of.std(x := of.tensor([1j, 1j], requires_grad=True)), x
    )[0],
    "complex32 sgn": lambda of: _pairs(of, 1 + 2j, 0, 3j).sgn(),
    "complex32 isreal": lambda of: _pairs(of, 1 + 2j, 3).isreal(),
    "complex32 bool": lambda of: _pairs(of, 2j, 0).bool(),
    "complex32 float": lambda of: _pairs(of, 1 + 2j).float(),
    "complex32 copy": lambda of: of.zeros(1).copy_(_pairs(of, 1 + 2j)),
    "complex32 norm": lambda of: _pairs(of, 1 + 2j, 3).norm(),
    "complex32 alpha": lambda of: of.add(_pairs(of, 1), _pairs(of, 2j), alpha=2.5),
    "complex32 abs_": lambda of: _pairs(of, 1j).abs_(),
    "complex32 index_fill": lambda of: _pairs(of, 1, 2).index_fill(0, of.tensor([1]), 1j),
    "complex32 slope of mul": lambda of: _slope(of, lambda x: x * x),
    "complex32 slope of abs": lambda of: _slope(of, lambda x: x.abs()),
    "complex32 slope of as_strided": lambda of: _slope(of, lambda x: x.as_strided((2,), (1,))),
    "complex32 backward": lambda of: (_pairs(of, 1j).requires_grad_() * 1)[0].backward(),
    "int8 addmv": lambda of: of.addmv(*_small(of, "int8", (2,), (2, 3), (3,)), alpha=0.6, beta=1.5),
    "uint8 addbmm": lambda of: of.addbmm(
        *_small(of, "uint8", (2, 2), (4, 2, 3), (4, 3, 2)), alpha=2.7
    ),
    "int16 sums that wrap": lambda of: of.addmm(
        *(of.full((2, 2), 32767, dtype=of.int16) for _ in range(3))
    ),
    "full of a complex number": lambda of: of.full((2,), 1j, dtype=of.float32),
    "scalar of a complex number": lambda of: of.scalar_tensor(1j, dtype=of.int64),
    "rsub": lambda of: of.Tensor.__rsub__(2.0, of.ones(2)) is NotImplemented or None,
}


@pytest.mark.filterwarnings("ignore:ComplexHalf support:UserWarning")
@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("form", FORMS)
def test_corner(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        try:
            found = FORMS[form](of)
        except Exception as error:
            return type(error).__name__
        if found is True or found is None:
            return found
        return str(found.dtype), tuple(found.shape), str(found.tolist())

    assert run(torch) == run(oracle)


GIVEN = {
    "number": 1j,
    "list": [1j],
    "mixed": [1, 2j],
    "NumPy's": np.complex64(1j),
    "NumPy's, wide": np.complex128(1j),
    "NumPy's in a list": [np.complex64(1j)],
    "array": np.array([1j]),
}


@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("kind", ["float32", "float16", "int64", "uint8", "bool", "complex64"])
def test_complex_data_for_a_dtype(oracle: Any, given: str, kind: str) -> None:
    def run(of: Any) -> Any:
        try:
            return of.tensor(GIVEN[given], dtype=getattr(of, kind)).tolist()
        except Exception as error:
            return type(error).__name__

    assert run(torch) == run(oracle)


@pytest.mark.parametrize("kind", ["float32", "int64", "bool"])
@pytest.mark.parametrize("through", ["to", "copy_"])
def test_lost_imaginary_parts_are_warned_about(kind: str, through: str) -> None:
    """Once in a process, by either way; the truth of a number loses nothing."""
    x, dtype = torch.tensor([1 + 2j]), getattr(torch, kind)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            x.to(dtype) if through == "to" else torch.zeros(1, dtype=dtype).copy_(x)
    expected = (
        [] if kind == "bool" else ["Casting complex values to real discards the imaginary part"]
    )
    assert [str(each.message) for each in said] == expected
