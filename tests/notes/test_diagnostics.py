"""What the notes stumble over is told with its cause, the line and the mend (rows marked D)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import flambeau as torch
from flambeau import nn


def _places(*texts, raised):
    for text in texts:
        assert text in str(raised.value)


@pytest.mark.parametrize(
    ("row", "line", "meant"),
    [
        (6, "torch.ones(1).requires_grads_()", "requires_grad_"),
        (39, "torch.ones(1).Sort()", "sort"),
        (52, "torch.Mm", "mm"),
        (62, "torch.ones(1).backwards()", "backward"),
        (64, "torch.ones(1).Backward()", "backward"),
        (100, "torch.manualseed(0)", "manual_seed"),
        (103, "torch.nn.lstm", "LSTM"),
        (104, "torch.nn.conv1d", "Conv1d"),
        (107, "torch.nn.Linear(1, 1).register_bufer", "register_buffer"),
    ],
)
def test_a_misspelt_name_is_told_the_right_one(row, line, meant):
    program = f"import flambeau as torch\n{line}"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert f"Did you mean: '{meant}'?" in found.stderr


@pytest.mark.parametrize("name", ["expand", "view", "reshape"])
@pytest.mark.parametrize("sizes", [(2, 3), ((2, 3),), (6,)])
def test_row_037_sizes_where_a_tensor_is_expected(oracle, name, sizes):
    for engine in (torch, oracle):
        with pytest.raises(TypeError) as raised:
            getattr(engine.ones(6), f"{name}_as")(*sizes)
        if engine is torch:
            _places("must be one Tensor", f"for sizes use {name}(...)", raised=raised)


@pytest.mark.parametrize(
    "join",
    [
        lambda t, m: t + m,
        lambda t, m: m + t,
        lambda t, m: t - m,
        lambda t, m: m - t,
        lambda t, m: t @ m,
    ],
)
@pytest.mark.parametrize("form", ["coo_matrix", "csr_matrix", "coo_array", "csr_array"])
def test_row_059_a_scipy_matrix_and_a_tensor(oracle, join, form):
    scipy = pytest.importorskip("scipy.sparse")
    matrix = getattr(scipy, form)(np.eye(2, dtype=np.float32))
    with pytest.raises(TypeError):
        join(oracle.ones(2, 2), matrix)
    with pytest.raises(TypeError) as raised:
        join(torch.ones(2, 2), matrix)
    _places(form, "torch.from_scipy(matrix)", "test_diagnostics.py", raised=raised)
    assert (matrix @ torch.ones(2, 2)).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_row_009_scipy_there_and_back():
    scipy = pytest.importorskip("scipy.sparse")
    dense = np.array([[0.0, 2.0], [3.0, 0.0]])
    for form in ("coo", "csr", "csc"):
        matrix = getattr(scipy, f"{form}_array")(dense)
        made = torch.from_scipy(matrix)
        assert str(made.layout) == f"torch.sparse_{form}"
        assert made.to_scipy().format == form
        assert made.to_scipy().toarray().tolist() == made.to_dense().tolist() == dense.tolist()


def test_row_029_the_nan_gradient_of_where():
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    late = torch.where(x > 0, x.log(), 0.0)
    told = torch.why_nan_grad(late.sum())
    for text in (
        "LogBackward0",
        "Where at test_diagnostics.py",
        "late = torch.where(x > 0, x.log(), 0.0)",
        "where(c, f(where(c, x, 1)), 0)",
    ):
        assert text in told
    assert x.grad is None
    with (
        torch.autograd.set_detect_anomaly(True),
        pytest.warns(UserWarning),
        pytest.raises(RuntimeError) as raised,
    ):
        torch.where(x > 0, x.log(), 0.0).sum().backward()
    _places("Where at test_diagnostics.py", raised=raised)
    early = torch.where(x > 0, torch.where(x > 0, x, 1.0).log(), 0.0)
    assert "no operation makes a NaN" in torch.why_nan_grad(early.sum())
    early.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]


def test_row_029_other_nans_have_no_where():
    x = torch.zeros(2, requires_grad=True)
    assert "Where" not in torch.why_nan_grad((x / x).sum())
    chosen = torch.where(x >= 0, x / x, 0.0)
    assert "Where" not in torch.why_nan_grad(chosen.sum())
    assert "nothing that requires" in torch.why_nan_grad(x.detach().sum())


def test_row_061_why_there_is_no_gradient():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    for tensor, reason in (
        (y, "not a leaf"),
        (torch.tensor([1]), "torch.int64"),
        (y.detach(), "does not require a gradient"),
        (x, "no backward has reached it"),
    ):
        assert reason in torch.why_no_grad(tensor)
    assert "test_diagnostics.py" in torch.why_no_grad(y)


def test_row_078_the_saver_and_the_writer_are_named():
    a = torch.ones(2, requires_grad=True)
    b = a * 1
    c = a * b
    b += 1
    with pytest.raises(RuntimeError) as raised:
        c.sum().backward()
    _places("`c = a * b`", "`b += 1`", "save a clone()", raised=raised)


def test_row_082_both_backwards_are_named():
    x = torch.ones(2, requires_grad=True)
    y = x**2
    y.sum().backward()
    with pytest.raises(RuntimeError) as raised:
        y.mean().backward()
    _places("`y = x**2`", "`y.sum().backward()`", "retain_graph=True", "detach()", raised=raised)


@pytest.mark.parametrize("row", [86, 93])
def test_rows_086_093_a_write_behind_the_graphs_back_is_noticed(row):
    x = torch.ones(2, requires_grad=True)
    y = x**2
    if row == 86:
        x.detach().numpy()[0] = 0
    else:
        x.data.fill_(0)
    with pytest.raises(RuntimeError, match="wrong without a word") as raised:
        y.sum().backward()
    _places("NumPy array" if row == 86 else "`x.data.fill_(0)`", "`y = x**2`", raised=raised)
    with torch.compat.strict():
        y.sum().backward()  # as PyTorch: silent, and wrong


class _Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 2)]
        self.heads = {"a": nn.Linear(2, 1)}
        self.scale = torch.ones(1, requires_grad=True)
        self.bias = (nn.Parameter(torch.ones(1)),)


def test_row_098_what_a_module_holds_unregistered():
    told = torch.unregistered(nn.Sequential(_Listed()))
    assert told == [
        "0.layers is a list that holds a Linear: make it an nn.ModuleList",
        "0.heads is a dict that holds a Linear: make it an nn.ModuleDict",
        "0.scale is a plain tensor that requires a gradient: make it an nn.Parameter",
        "0.bias is a tuple that holds a Parameter: make it an nn.ParameterList",
    ]


def test_row_098_an_optimizer_without_parameters_names_them():
    with pytest.raises(ValueError, match="empty parameter list") as raised:
        torch.optim.SGD(_Listed().parameters(), lr=0.1)
    _places("layers is a list", "nn.ModuleList", raised=raised)


def test_row_098_a_state_dict_that_does_not_fit_names_them():
    state = {"layers.0.weight": torch.ones(2, 2)}
    with pytest.raises(RuntimeError, match="Unexpected key") as raised:
        _Listed().load_state_dict(state)
    _places("Not registered: layers is a list", raised=raised)


def test_row_098_nothing_is_told_of_what_is_known():
    model = nn.Sequential(nn.Linear(1, 1))
    model.known = [model[0]]
    model.sizes = [1, 2]
    model.weights = [model[0].weight]
    model.register_buffer("mean", torch.ones(1))
    assert torch.unregistered(model) == []
