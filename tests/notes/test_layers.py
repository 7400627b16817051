"""Rows 99 to 106 of the notes in all their options: norms, LSTM and convolutions against loops."""

from __future__ import annotations

import numpy as np
import pytest

R = np.random.default_rng(0)


def _tensor(torch, *shape):
    return torch.from_numpy(R.standard_normal(shape))


def _close(found, wanted, tolerance=1e-10):
    assert tuple(found.shape) == np.shape(wanted)
    np.testing.assert_allclose(found.detach().numpy(), wanted, atol=tolerance)


# --- batch normalization: per channel, over all dimensions but the second ---


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_row_099_101_102_batch_norm(torch, rank, affine, momentum, track):
    kind = getattr(torch.nn, f"BatchNorm{max(rank, 1)}d")
    options = {"affine": affine, "momentum": momentum, "track_running_stats": track, "eps": 1e-3}
    layer = kind(3, **options).double()
    mean, variance = np.zeros(3), np.ones(3)
    for step in range(1, 3):
        x = _tensor(torch, 4, 3, *(2, 5, 2)[:rank])
        if affine:
            layer.weight.data.copy_(_tensor(torch, 3))
            layer.bias.data.copy_(_tensor(torch, 3))
        a, wanted = x.numpy(), np.empty(x.shape)
        for c in range(3):
            channel = [a[at] for at in np.ndindex(a.shape) if at[1] == c]
            here = sum(channel) / len(channel)
            squares = sum((v - here) ** 2 for v in channel)
            wanted[:, c] = (a[:, c] - here) / np.sqrt(squares / len(channel) + 1e-3)
            if affine:
                wanted[:, c] = wanted[:, c] * layer.weight[c].item() + layer.bias[c].item()
            rate = 1 / step if momentum is None else momentum
            mean[c] += rate * (here - mean[c])
            variance[c] += rate * (squares / (len(channel) - 1) - variance[c])
        _close(layer(x), wanted)
    layer.eval()
    if not track:
        assert layer.running_mean is None
        _close(layer(x), wanted)
        return
    _close(layer.running_mean, mean)
    _close(layer.running_var, variance)
    assert layer.num_batches_tracked.item() == 2
    shape = (1, 3) + (1,) * rank
    wanted = (a - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 1e-3)
    if affine:
        scale, shift = (t.detach().numpy().reshape(shape) for t in (layer.weight, layer.bias))
        wanted = wanted * scale + shift
    _close(layer(x), wanted)


def test_row_102_the_memory_format_changes_nothing_but_strides(torch):
    x = _tensor(torch, 2, 3, 4, 5)
    layer = torch.nn.BatchNorm2d(3).double()
    plain, last = layer(x), layer(x.to(memory_format=torch.channels_last))
    _close(last, plain.detach().numpy())
    assert last.is_contiguous(memory_format=torch.channels_last)


# --- LSTM ---


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _direction(x, weights, h, c):
    """x (T, I), h and c vectors: the outputs of each step, the last hidden and cell state."""
    w, u, b, d, r = weights
    outputs = []
    for step in x:
        i, f, g, o = np.split(w @ step + u @ h + b + d, 4)  # the order of the gates
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        h = h if r is None else r @ h
        outputs.append(h)
    return np.array(outputs), h, c


def _weights(net, layer, end):
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    w, u = state[f"weight_ih_l{layer}{end}"], state[f"weight_hh_l{layer}{end}"]
    zero = np.zeros(len(w))
    return (
        w,
        u,
        state.get(f"bias_ih_l{layer}{end}", zero),
        state.get(f"bias_hh_l{layer}{end}", zero),
        state.get(f"weight_hr_l{layer}{end}"),
    )


def _lstm(net, x, h0, c0):
    """One sequence x (T, I) through all layers and directions."""
    last_h, last_c = [], []
    for layer in range(net.num_layers):
        both = []
        for end in ("", "_reverse")[: 1 + net.bidirectional]:
            k = len(last_h)
            out, h, c = _direction(x[::-1] if end else x, _weights(net, layer, end), h0[k], c0[k])
            both.append(out[::-1] if end else out)
            last_h.append(h)
            last_c.append(c)
        x = np.concatenate(both, 1)
    return x, np.array(last_h), np.array(last_c)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("form", ["plain", "batch_first", "unbatched", "packed"])
@pytest.mark.parametrize("projected", [0, 2])
def test_row_103_lstm(torch, layers, both, bias, form, projected):
    net = torch.nn.LSTM(
        3, 4, layers, bias=bias, batch_first=form == "batch_first", bidirectional=both,
        proj_size=projected,
    ).double()  # fmt: skip
    count, size = layers * (1 + both), projected or 4
    lengths = [1] if form == "unbatched" else [5, 3] if form == "packed" else [5, 5]
    if form == "unbatched":
        lengths = [5]
    x = _tensor(torch, 5, len(lengths), 3)
    h0, c0 = _tensor(torch, count, len(lengths), size), _tensor(torch, count, len(lengths), 4)
    alone = [
        _lstm(net, x.numpy()[:n, k], h0.numpy()[:, k], c0.numpy()[:, k])
        for k, n in enumerate(lengths)
    ]
    if form == "unbatched":
        out, (h, c) = net(x[:, 0], (h0[:, 0], c0[:, 0]))
        for found, wanted in zip((out, h, c), alone[0], strict=True):
            _close(found, wanted)
        return
    if form == "packed":
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths))
        out, (h, c) = net(packed, (h0, c0))
        out, _ = torch.nn.utils.rnn.pad_packed_sequence(out)
    elif form == "batch_first":
        out, (h, c) = net(x.transpose(0, 1), (h0, c0))
        out = out.transpose(0, 1)
    else:
        out, (h, c) = net(x, (h0, c0))
    for k, (n, (outputs, last_h, last_c)) in enumerate(zip(lengths, alone, strict=True)):
        _close(out[:n, k], outputs)
        _close(h[:, k], last_h)
        _close(c[:, k], last_c)


def test_row_103_dropout_is_between_layers_and_in_training_only(torch):
    net = torch.nn.LSTM(3, 4, 2, dropout=0.5).double()
    x = _tensor(torch, 5, 1, 3)
    zeros = np.zeros((2, 4))
    wanted = _lstm(net, x.numpy()[:, 0], zeros, zeros)[0]
    assert not np.allclose(net(x)[0][:, 0].detach().numpy(), wanted)
    _close(net.eval()(x)[0][:, 0], wanted)


# --- convolutions ---


def _convolved(x, weight, bias, stride, dilation, groups):
    """x (N, C, *L) already padded, a window at a time."""
    rank, out = x.ndim - 2, weight.shape[0]
    reach = [(k - 1) * d for k, d in zip(weight.shape[2:], dilation, strict=True)]
    shape = [(n - r - 1) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    found = np.empty((len(x), out, *shape))
    inside = weight.shape[1]
    for n, c, *place in np.ndindex(*found.shape):
        first = c // (out // groups) * inside
        window = tuple(
            slice(p * s, p * s + r + 1, d)
            for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
        )
        found[(n, c, *place)] = (x[(n, slice(first, first + inside), *window)] * weight[c]).sum()
    return found + bias.reshape((1, out) + (1,) * rank)


MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [0, 1, "same", "valid"])
@pytest.mark.parametrize("bias", [True, False])
def test_row_104_105_106_convolutions(torch, rank, mode, padding, bias):
    kernel, dilation = (3, 2, 3)[:rank], (1, 2, 1)[:rank]
    stride = (1,) * rank if padding == "same" else (2, 1, 1)[:rank]
    layer = getattr(torch.nn, f"Conv{rank}d")(
        4, 6, kernel, stride, padding, dilation, 2, bias, mode
    ).double()
    x = _tensor(torch, 2, 4, *(5, 4, 4)[:rank])
    sides = {
        "same": [
            ((k - 1) * d // 2, (k - 1) * d - (k - 1) * d // 2)
            for k, d in zip(kernel, dilation, strict=True)
        ],
        "valid": [(0, 0)] * rank,
    }.get(padding) or [(padding, padding)] * rank
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), *sides], MODES[mode])
    weight = layer.weight.detach().numpy()
    shift = layer.bias.detach().numpy() if bias else np.zeros(6)
    wanted = _convolved(padded, weight, shift, stride, dilation, 2)
    _close(layer(x), wanted)
    _close(layer(x[0]), wanted[0])  # without a batch


@pytest.mark.parametrize("rank", [2, 3])
def test_row_105_106_the_memory_format_changes_nothing_but_strides(torch, rank):
    layer = getattr(torch.nn, f"Conv{rank}d")(3, 4, 2).double()
    last = (torch.channels_last, torch.channels_last_3d)[rank - 2]
    x = _tensor(torch, 2, 3, *(4, 5, 3)[:rank])
    plain, found = layer(x), layer(x.to(memory_format=last))
    _close(found, plain.detach().numpy())
    assert rank == 3 or found.is_contiguous(memory_format=last)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "extra"), [(1, 0, 0), (2, 1, 1), (3, 0, 2)])
def test_row_104_105_106_transposed_convolutions_spread(torch, rank, stride, padding, extra):
    layer = getattr(torch.nn, f"ConvTranspose{rank}d")(4, 2, 2, stride, padding, extra, 2).double()
    x = _tensor(torch, 2, 4, *(4, 3, 2)[:rank])
    a, weight, bias = x.numpy(), layer.weight.detach().numpy(), layer.bias.detach().numpy()
    whole = [(n - 1) * stride + 2 + extra for n in a.shape[2:]]
    spread = np.zeros((2, 2, *whole))
    for n, c, *place in np.ndindex(*a.shape):
        for k in np.ndindex((2,) * rank):
            at = tuple(p * stride + j for p, j in zip(place, k, strict=True))
            spread[(n, c // 2, *at)] += a[(n, c, *place)] * weight[(c, 0, *k)]
    cut = tuple(slice(padding, size - padding) for size in whole)
    wanted = spread[(slice(None), slice(None), *cut)] + bias.reshape((1, 2) + (1,) * rank)
    _close(layer(x), wanted)
