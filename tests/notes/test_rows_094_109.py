"""Rows 94 to 109 of the notes: parameters, modules, layers' shapes, losses."""

from __future__ import annotations

import numpy as np
import pytest


def test_row_094_a_parameter_is_a_tensor(torch):
    parameter = torch.nn.Parameter(torch.ones(1))
    assert isinstance(parameter, torch.Tensor)
    assert isinstance(parameter, torch.autograd.Variable)
    assert not issubclass(torch.nn.Parameter, torch.autograd.Variable)


def test_row_095_only_parameters_are_registered_and_moved(torch):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.plain = torch.autograd.Variable(torch.FloatTensor([10]), requires_grad=True)
            self.known = torch.nn.Parameter(torch.FloatTensor([10]))

        def forward(self, x):
            return x * self.plain * self.known

    model = Model()
    (parameter,) = model.parameters()
    assert repr(parameter) == "Parameter containing:\ntensor([10.], requires_grad=True)"
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.ones(1)).backward()
    optimizer.step()
    assert model.plain.item() == 10.0
    assert model.known.item() == 9.0


def test_row_096_parameters_after_init_and_of_floats(torch):
    class Early(torch.nn.Module):
        def __init__(self):
            self.weight = torch.nn.Parameter(torch.ones(1))

    with pytest.raises(AttributeError, match="__init__"):
        Early()
    with pytest.raises(RuntimeError, match="complex"):
        torch.nn.Parameter(torch.tensor([1]))


def test_row_097_apply_reaches_children_first(torch):
    inner = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU())
    seen = []
    torch.nn.Sequential(inner).apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_row_098_a_list_registers_nothing(torch):
    model = torch.nn.Module()
    model.layers = [torch.nn.Linear(1, 1)]
    assert list(model.parameters()) == []
    model.layers = torch.nn.ModuleList(model.layers)
    model.add_module("last", torch.nn.Linear(1, 1))
    names = ["layers.0.weight", "layers.0.bias", "last.weight", "last.bias"]
    assert list(model.state_dict()) == names
    with pytest.raises(KeyError):
        model.add_module("a.b", torch.nn.ReLU())


def _normalised(x, axes):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5)])
def test_row_099_101_batch_norm_of_one_dimension(torch, shape):
    x = torch.randn(*shape)
    layer = torch.nn.BatchNorm1d(3)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    wanted = _normalised(x.double().numpy(), axes)
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted, atol=1e-5)
    assert [name for name, _ in layer.named_buffers()] == [
        "running_mean",
        "running_var",
        "num_batches_tracked",
    ]
    with pytest.raises(ValueError, match="more than 1 value"):
        layer(torch.randn(1, 3))


def test_row_100_the_seeded_stream(torch):
    torch.manual_seed(0)
    np.testing.assert_allclose(torch.rand(3), [0.4963, 0.7682, 0.0885], atol=5e-5)
    np.testing.assert_allclose(torch.randn(3), [0.3643, 0.1344, 0.1642], atol=5e-5)
    assert torch.nn.BatchNorm1d(2).weight.tolist() == [1.0, 1.0]


def test_row_102_batch_norm_of_two_dimensions(torch):
    x = torch.randn(4, 3, 2, 5)
    layer = torch.nn.BatchNorm2d(3, momentum=1.0)
    wanted = x.double().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), _normalised(wanted, (0, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), wanted.var((0, 2, 3), ddof=1), rtol=1e-5)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _lstm(x, weights):
    """One direction of one layer over x of (T, B, I), a step and a gate at a time."""
    w, u, b, c = (np.asarray(part.detach()) for part in weights)
    hidden = cell = np.zeros((x.shape[1], u.shape[1]))
    out = []
    for step in x:
        i, f, g, o = np.split(step @ w.T + hidden @ u.T + b + c, 4, 1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        hidden = _sigmoid(o) * np.tanh(cell)
        out.append(hidden)
    return np.stack(out)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_row_103_lstm(torch, batch_first, layers, bidirectional):
    options = {"batch_first": batch_first, "bidirectional": bidirectional}
    net, x = torch.nn.LSTM(3, 4, layers, **options), torch.randn(5, 2, 3)
    out, (h, c) = net(x.transpose(0, 1) if batch_first else x)
    wanted, last = x.numpy(), []
    for layer in range(layers):
        both = []
        for end in ("", "_reverse")[: 1 + bidirectional]:
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = [getattr(net, f"{name}_l{layer}{end}") for name in names]
            turned = _lstm(wanted[::-1] if end else wanted, weights)
            last.append(turned[-1])
            both.append(turned[::-1] if end else turned)
        wanted = np.concatenate(both, 2)
    out = out.transpose(0, 1) if batch_first else out
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(h.detach().numpy(), np.stack(last), atol=1e-5)
    assert c.shape == h.shape == (layers * (1 + bidirectional), 2, 4)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_row_103_lstm_unbatched_and_projected(torch):
    assert torch.nn.LSTM(3, 4)(torch.randn(5, 3))[0].shape == (5, 4)
    out, (h, c) = torch.nn.LSTM(3, 4, proj_size=2)(torch.randn(5, 2, 3))
    assert (out.shape, h.shape, c.shape) == ((5, 2, 2), (1, 2, 2), (1, 2, 4))
    with pytest.raises(AttributeError, match="lstm"):
        _ = torch.nn.lstm


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2)]
)
def test_row_104_105_106_convolutions(torch, rank, stride, padding, dilation, groups):
    kind = getattr(torch.nn, f"Conv{rank}d")
    layer = kind(2, 4, 2, stride, padding, dilation, groups).double()
    x = torch.randn(2, 2, *(5, 4, 3)[:rank]).double()
    assert layer.weight.shape == (4, 2 // groups) + (2,) * rank
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    padded = np.pad(x.numpy(), [(0, 0)] * 2 + [(padding, padding)] * rank)
    shape = [(n - dilation - 1) // stride + 1 for n in padded.shape[2:]]
    wanted = np.empty((2, 4, *shape))
    for n, c, *place in np.ndindex(*wanted.shape):
        group = c // (4 // groups) * (2 // groups)
        window = tuple(slice(p * stride, p * stride + dilation + 1, dilation) for p in place)
        part = padded[(n, slice(group, group + 2 // groups), *window)]
        wanted[(n, c, *place)] = (part * weight[c]).sum() + bias[c]
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted, atol=1e-12)


def test_row_107_buffers(torch):
    model = torch.nn.Module()
    model.register_buffer("kept", torch.zeros(1))
    model.register_buffer("passing", torch.zeros(1), persistent=False)
    assert list(model.state_dict()) == ["kept"]
    assert list(model.parameters()) == []
    assert model.double().passing.dtype is torch.float64


def test_row_108_cross_entropy(torch):
    cross_entropy = torch.nn.functional.cross_entropy
    x, label = torch.randn(3, 4), torch.tensor([0, 3, -100])
    logs = x.double().log_softmax(1).numpy()
    wanted = [-logs[0, 0], -logs[1, 3], 0.0]
    each = cross_entropy(x, label, reduction="none")
    np.testing.assert_allclose(each.numpy(), wanted, rtol=1e-5)
    np.testing.assert_allclose(cross_entropy(x, label).item(), sum(wanted) / 2, rtol=1e-5)
    with pytest.warns(UserWarning, match="reduction"):
        assert cross_entropy(x, label, reduce=False).shape == (3,)
    with pytest.warns(UserWarning, match="reduction"):
        total = cross_entropy(x, label, size_average=False)
    np.testing.assert_allclose(total.item(), sum(wanted), rtol=1e-5)
    with pytest.raises(RuntimeError):
        cross_entropy(x, label.int())
    with pytest.raises(RuntimeError):
        cross_entropy(x, label[:, None])
    with pytest.raises(IndexError):
        cross_entropy(x, torch.tensor([0, 4, 1]))


def test_row_109_losses(torch):
    functional = torch.nn.functional
    x, y = torch.rand(3, 2), torch.rand(3, 1)
    with pytest.warns(UserWarning, match="size"):
        functional.mse_loss(x, y)
    with pytest.raises(ValueError, match="size"):
        functional.binary_cross_entropy(x, y)
    with pytest.raises(ValueError, match="size"):
        functional.binary_cross_entropy_with_logits(x, y)
    with pytest.warns(UserWarning, match="batchmean"):
        functional.kl_div(x, x, reduction="mean")
    assert functional.binary_cross_entropy(torch.zeros(1), torch.ones(1)).item() == 100.0
    for name in ("NLLLoss2d", "CTCLoss", "HuberLoss", "GaussianNLLLoss", "TripletMarginLoss"):
        assert issubclass(getattr(torch.nn, name), torch.nn.Module)
