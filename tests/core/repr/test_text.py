"""The text of tensors: goldens taken from PyTorch 2.13. Random ones against the oracle:
tests/parity.
"""

from __future__ import annotations

from collections.abc import Iterator

import ml_dtypes
import numpy as np
import pytest

from flambeau.core.device import META
from flambeau.core.layout import sparse_coo, sparse_csr
from flambeau.core.repr import (
    format_tensor,
    get_printoptions,
    parameter_text,
    printoptions,
    set_printoptions,
    tensor_text,
)
from tests.core.repr.standin import Node, Tensor, parts

F4 = np.float32


@pytest.fixture(autouse=True)
def _options_restored() -> Iterator[None]:
    yield
    set_printoptions(profile="default")


def row(*values: float, dtype: object = F4) -> Tensor:
    return Tensor(np.array(values, dtype))


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (row(1, 2.5, -3), "tensor([ 1.0000,  2.5000, -3.0000])"),
        (row(1, 2, 3), "tensor([1., 2., 3.])"),
        (row(1, 1e5), "tensor([1.0000e+00, 1.0000e+05])"),
        (row(1e-5), "tensor([1.0000e-05])"),
        (row(np.nan, np.inf, 0), "tensor([nan, inf, 0.])"),
        (row(1, 2, dtype=np.int64), "tensor([1, 2])"),
        (row(1, 2, dtype=np.uint8), "tensor([1, 2], dtype=torch.uint8)"),
        (row(True, False, dtype=bool), "tensor([ True, False])"),
        (row(1.5, dtype=ml_dtypes.bfloat16), "tensor([1.5000], dtype=torch.bfloat16)"),
        (row(1 + 2j, complex(0, -0.5), dtype=np.complex64), "tensor([1.+2.0000j, 0.-0.5000j])"),
        (Tensor(np.float32(3.5)), "tensor(3.5000)"),
        (Tensor(np.empty(0, F4)), "tensor([])"),
        (Tensor(np.empty((2, 0), F4)), "tensor([], size=(2, 0))"),
        (Tensor(np.empty(0, np.int64)), "tensor([], dtype=torch.int64)"),
        (Tensor(np.eye(2, dtype=F4)), "tensor([[1., 0.],\n        [0., 1.]])"),
        (
            Tensor(np.zeros((2, 1, 2), F4)),
            "tensor([[[0., 0.]],\n\n        [[0., 0.]]])",
        ),
        (Tensor(np.zeros(2000, F4)), "tensor([0., 0., 0.,  ..., 0., 0., 0.])"),
        (
            Tensor(np.empty((2, 3), np.float64), device=META),
            "tensor(..., device='meta', size=(2, 3), dtype=torch.float64)",
        ),
        (Tensor(np.ones(1, F4), requires_grad=True), "tensor([1.], requires_grad=True)"),
        (
            Tensor(np.ones(1, F4), requires_grad=True, grad_fn=Node("MulBackward0")),
            "tensor([1.], grad_fn=<MulBackward0>)",
        ),
    ],
)
def test_text(tensor: Tensor, text: str) -> None:
    assert tensor_text(tensor) == text


def test_suffixes_break_the_line() -> None:
    tensor = Tensor(np.arange(9, dtype=F4) / 7, requires_grad=True, grad_fn=Node("DivBackward0"))
    assert tensor_text(tensor) == (
        "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429],\n"
        "       grad_fn=<DivBackward0>)"
    )
    short = Tensor(np.arange(10, dtype=F4) / 7, requires_grad=True)
    assert tensor_text(short).endswith("\n        1.2857], requires_grad=True)")
    wide = Tensor(np.arange(9, dtype=np.float64) / 7, requires_grad=True)
    assert tensor_text(wide).endswith(",\n       dtype=torch.float64, requires_grad=True)")


def test_sparse() -> None:
    coo = Tensor(
        np.zeros((2, 2), F4),
        layout=sparse_coo,
        _nnz=lambda: 1,
        **parts(_indices=np.array([[0], [1]]), _values=np.array([5], F4)),
    )
    assert tensor_text(coo) == (
        "tensor(indices=tensor([[0],\n                       [1]]),\n"
        "       values=tensor([5.]),\n       size=(2, 2), nnz=1, layout=torch.sparse_coo)"
    )
    csr = Tensor(
        np.zeros((1, 2), F4),
        layout=sparse_csr,
        _nnz=lambda: 0,
        **parts(
            crow_indices=np.array([0, 0]), col_indices=np.empty(0, int), values=np.empty(0, F4)
        ),
    )
    assert tensor_text(csr) == (
        "tensor(crow_indices=tensor([0, 0]),\n       col_indices=tensor([], size=(0,)),\n"
        "       values=tensor([], size=(0,)), size=(1, 2), nnz=0,\n       layout=torch.sparse_csr)"
    )


def test_a_grad_fn_that_cannot_be_had_is_invalid() -> None:
    class Overwritten(Tensor):
        @property
        def grad_fn(self) -> None:
            raise RuntimeError

        @grad_fn.setter
        def grad_fn(self, value: object) -> None:
            pass

    Overwritten.__name__ = "Tensor"
    assert tensor_text(Overwritten(np.ones(1, F4))) == "tensor([1.], grad_fn=<Invalid>)"


def test_subclasses_and_parameters() -> None:
    class Named(Tensor):
        pass

    class Parameter(Tensor):
        pass

    class Scale(Parameter):
        pass

    ones = np.ones(2, F4)
    assert tensor_text(Named(ones)) == "Named([1., 1.])"
    assert tensor_text(Scale(ones)) == "Parameter(Scale([1., 1.]))"
    assert parameter_text(Parameter(ones)) == "Parameter containing:\ntensor([1., 1.])"
    assert tensor_text(Tensor(ones), contents="mine") == "tensor(mine)"
    assert tensor_text(Tensor(ones), tangent="t") == "tensor([1., 1.], tangent=t)"


def test_format() -> None:
    assert format_tensor(Tensor(np.float32(2.5)), ".2f") == "2.50"
    assert format_tensor(Tensor(np.int64(3)), "5d") == "    3"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor\.__format__"):
        format_tensor(Tensor(np.ones(2, F4)), ".2f")


def test_options() -> None:
    numbers = Tensor(np.array([1.5, 20], F4))
    with printoptions(precision=1, sci_mode=True):
        assert tensor_text(numbers) == "tensor([1.5e+00, 2.0e+01])"
    assert tensor_text(numbers) == "tensor([ 1.5000, 20.0000])"
    with printoptions(threshold=1, edgeitems=1):
        assert tensor_text(Tensor(np.arange(9))) == "tensor([0,  ..., 8])"
    with printoptions(linewidth=24):
        assert tensor_text(Tensor(np.arange(8))) == "tensor([0, 1, 2, 3, 4,\n        5, 6, 7])"
    with printoptions(edgeitems=0):
        assert tensor_text(Tensor(np.arange(2))) == "tensor([0, 1], size=(2,))"


def test_profiles() -> None:
    set_printoptions(profile="short")
    assert get_printoptions() == {
        "precision": 2,
        "threshold": 1000,
        "edgeitems": 2,
        "linewidth": 80,
        "sci_mode": None,
    }
    set_printoptions(profile="full")
    assert get_printoptions()["threshold"] == float("inf")


def test_sci_mode_returns_to_automatic() -> None:
    set_printoptions(sci_mode=True)
    set_printoptions(precision=2)
    assert get_printoptions()["sci_mode"] is None
