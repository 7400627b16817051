"""Activations: known values, gradients to second order, in-place forms, refusals."""

import math

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck

ROWS = [
    ("relu", F.relu, lambda x: max(x, 0)),
    ("leaky_relu", lambda x: F.leaky_relu(x, 0.2), lambda x: x if x > 0 else 0.2 * x),
    ("elu", lambda x: F.elu(x, 0.7), lambda x: x if x > 0 else 0.7 * math.expm1(x)),
    ("celu", lambda x: F.celu(x, 2.0), lambda x: x if x > 0 else 2 * math.expm1(x / 2)),
    (
        "selu",
        F.selu,
        lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    ),
    ("gelu", F.gelu, lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2)))),
    ("silu", F.silu, lambda x: x / (1 + math.exp(-x))),
    ("mish", F.mish, lambda x: x * math.tanh(math.log1p(math.exp(x)))),
    ("softplus", F.softplus, lambda x: math.log1p(math.exp(x))),
    ("softsign", F.softsign, lambda x: x / (1 + abs(x))),
    ("tanhshrink", F.tanhshrink, lambda x: x - math.tanh(x)),
    ("logsigmoid", F.logsigmoid, lambda x: -math.log1p(math.exp(-x))),
    ("sigmoid", torch.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    ("hardtanh", F.hardtanh, lambda x: min(max(x, -1), 1)),
    ("relu6", F.relu6, lambda x: min(max(x, 0), 6)),
    ("hardsigmoid", F.hardsigmoid, lambda x: min(max(x + 3, 0), 6) / 6),
    ("hardswish", F.hardswish, lambda x: x * min(max(x + 3, 0), 6) / 6),
    ("hardshrink", F.hardshrink, lambda x: x if abs(x) > 0.5 else 0),
    ("softshrink", F.softshrink, lambda x: math.copysign(max(abs(x) - 0.5, 0), x)),
    ("threshold", lambda x: F.threshold(x, 0.1, 2.0), lambda x: x if x > 0.1 else 2.0),
]
POINTS = [-7.3, -2.4, -0.7, -0.3, 0.25, 0.8, 2.2, 6.5]


@pytest.mark.parametrize(("name", "function", "formula"), ROWS, ids=[row[0] for row in ROWS])
def test_values_and_gradients(name, function, formula):
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(
        function(x).detach().numpy(), [formula(p) for p in POINTS], rtol=1e-12, atol=1e-14
    )
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_gelu_by_tanh_is_near_gelu():
    x = torch.linspace(-4, 4, 33, dtype=torch.float64, requires_grad=True)
    near = F.gelu(x, approximate="tanh")
    assert (near - F.gelu(x)).abs().max() < 1e-3
    assert gradcheck(lambda t: F.gelu(t, approximate="tanh"), (x,))


def test_glu_halves_its_dimension():
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    expected = x[:, :2] * torch.sigmoid(x[:, 2:])
    assert torch.equal(F.glu(x), expected) or (F.glu(x) - expected).abs().max() < 1e-15
    assert gradcheck(F.glu, (x,))
    with pytest.raises(RuntimeError, match="must be even"):
        F.glu(x, 0)


def test_prelu_has_a_slope_for_each_channel():
    x = torch.tensor([[-1.0, -2.0], [3.0, -4.0]], requires_grad=True)
    weight = torch.tensor([0.5, 0.1], requires_grad=True)
    out = F.prelu(x, weight)
    assert out.tolist() == [[-0.5, pytest.approx(-0.2)], [3.0, pytest.approx(-0.4)]]
    out.sum().backward()
    assert weight.grad.tolist() == [-1.0, -6.0]


@pytest.mark.parametrize(
    "name", ["relu", "elu", "selu", "celu", "leaky_relu", "hardtanh", "silu", "mish", "hardswish"]
)
def test_in_place_gives_the_same(name):
    x = torch.tensor(POINTS)
    kept = x.clone()
    assert getattr(F, name)(x, inplace=True) is x
    assert torch.equal(x, getattr(F, name)(kept))


def test_saturation_neither_overflows_nor_loses_the_tail():
    x = torch.tensor([-88.5, -20.0, 100.0])
    np.testing.assert_allclose(
        torch.sigmoid(x).numpy(), [3.672301610145117e-39, 2.0611537e-09, 1.0], rtol=2e-2
    )
    assert F.softplus(torch.tensor([200.0])).item() == 200.0
    assert F.logsigmoid(torch.tensor([-200.0])).item() == -200.0


def test_integers_are_refused_where_pytorch_refuses_them():
    with pytest.raises(NotImplementedError):
        F.elu(torch.tensor([1]))
    assert F.threshold(torch.tensor([1, 5]), 2, 7).tolist() == [7, 5]
    assert F.hardtanh(torch.tensor([1, 5]), 0, 3).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("elu", math.nan),
        ("celu", math.nan),
        ("selu", math.nan),
        ("hardswish", math.nan),
        ("hardtanh", 0.0),
        ("relu6", 0.0),
        ("hardshrink", 0.0),
        ("softshrink", 0.0),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_at_nan_and_minus_zero(name, passed, dtype, oracle):
    found = []
    for engine in (torch, oracle):
        x = engine.tensor(
            [math.nan, -0.0, 2.0] * 64, dtype=getattr(engine, str(dtype).split(".")[1])
        ).requires_grad_()
        y = getattr(engine.nn.functional, name)(x)
        y.sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    (ours, slopes), (theirs, theirs_slopes) = found
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    np.testing.assert_allclose(slopes, theirs_slopes, rtol=1e-6)
    assert np.isnan(slopes[0]) if math.isnan(passed) else slopes[0] == passed
    if name != "softshrink":
        assert (np.signbit(ours[1::3]) == np.signbit(theirs[1::3])).all()


def test_the_angle_turns_nowhere_at_the_origin():
    y, x = torch.zeros(2, requires_grad=True), torch.tensor([0.0, 2.0], requires_grad=True)
    torch.atan2(y, x).sum().backward()
    assert y.grad.tolist() == [0.0, 0.5]
    assert x.grad.abs().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_gradients_of_halves_are_rounded_once(oracle, kind):
    names = "silu mish hardswish hardsigmoid elu selu celu softplus leaky_relu tanh sigmoid"
    for name in names.split():
        found = []
        for t in (oracle, torch):
            x = (t.arange(300.0).sin() * 3).to(getattr(t, kind)).requires_grad_()
            g = (t.arange(300.0).cos() * 3).to(getattr(t, kind))
            function = getattr(t, name, None) or getattr(t.nn.functional, name)
            found.append(t.autograd.grad(function(x), x, g)[0].tolist())
        wrong = sum(a != b for a, b in zip(*found, strict=True))
        assert wrong <= 1, name  # PyTorch's own exponential may be a digit off


def test_what_relu_cuts_stays_zero_whatever_arrives():
    for create_graph in (False, True):
        x = torch.tensor([-1.0, 2.0], requires_grad=True)
        y = x.relu()
        y.detach().numpy()  # seen from outside: the recorded rule runs
        g = torch.tensor([float("nan"), 1.0])
        assert torch.autograd.grad(y, x, g, create_graph=create_graph)[0].tolist() == [0, 1]


@pytest.mark.parametrize(
    "write",
    [
        lambda t, x, s: t.nn.functional.leaky_relu_(x, s),
        lambda t, x, s: t.nn.functional.leaky_relu(x, s, inplace=True),
        lambda t, x, s: t.nn.functional.elu_(x, s),
        lambda t, x, s: t.nn.functional.celu(x, s, inplace=True),
        lambda t, x, s: t.rrelu_(x, s, s, False),
    ],
)
def test_written_in_place_a_negative_slope_has_no_gradient(write, oracle):
    for t in (torch, oracle):
        for slope in (0.5, -0.5):
            x = t.tensor([-1.0, 2.0], requires_grad=True)
            y = write(t, x.clone(), slope)
            if slope > 0:
                y.sum().backward()
                continue
            with pytest.raises(RuntimeError, match="negative slope"):
                y.sum().backward()
        write(t, x.detach(), -0.5)
