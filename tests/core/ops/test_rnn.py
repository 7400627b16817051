"""Recurrent layers: one kernel over the sequence equals the cell step by step."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd import gradcheck, gradgradcheck

nn = torch.nn
KINDS = [
    ("LSTM", {}),
    ("GRU", {}),
    ("RNN", {"nonlinearity": "tanh"}),
    ("RNN", {"nonlinearity": "relu"}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_layer_is_its_cell_repeated(kind, options):
    layer = getattr(nn, kind)(2, 3, **options).double()
    cell = getattr(nn, kind + "Cell")(2, 3, **options).double()
    cell.load_state_dict(
        {name.removesuffix("_l0"): value for name, value in layer.state_dict().items()}
    )
    x = torch.randn(4, 2, 2, dtype=torch.float64)
    state = None
    steps = []
    for row in x:
        state = cell(row, state)
        steps.append(state[0] if kind == "LSTM" else state)
    np.testing.assert_allclose(
        layer(x)[0].detach().numpy(), torch.stack(steps).detach().numpy(), atol=1e-12
    )


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_gradients_to_second_order(kind, options):
    layer = getattr(nn, kind)(2, 2, num_layers=2, bidirectional=True, **options).double()
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = layer.weight_hh_l0

    def run(t, w):
        return (
            torch.func.functional_call(layer, {"weight_hh_l0": w}, (t,))[0]
            if w is not weight
            else layer(t)[0]
        )

    assert gradcheck(run, (x, weight))
    assert gradgradcheck(lambda t: layer(t)[0], (x,))


def test_packed_sequences_stop_where_they_end():
    layer = nn.LSTM(2, 3, proj_size=2, batch_first=True)
    x = torch.randn(2, 4, 2)
    packed = nn.utils.rnn.pack_padded_sequence(x, [4, 2], batch_first=True)
    out, (h, c) = layer(packed)
    padded, lengths = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
    short, (h_short, _) = layer(x[1:, :2])
    np.testing.assert_allclose(padded[1, :2].detach().numpy(), short[0].detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(h[0, 1].detach().numpy(), h_short[0, 0].detach().numpy(), atol=1e-6)
    assert padded[1, 2:].abs().sum() == 0


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("first", [False, True])
def test_a_sequence_without_steps(oracle, kind, first):
    for of in (oracle, torch):
        layer = getattr(of.nn, kind)(2, 3, batch_first=first)
        for shape in [(4, 0, 2) if first else (0, 4, 2), (0, 2)]:
            with pytest.raises(RuntimeError, match="sequence length"):
                layer(of.ones(shape))


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
@pytest.mark.parametrize("shape", [(4, 1), (1, 3)])
def test_a_cells_state_is_never_broadcast(oracle, kind, shape):
    for of in (oracle, torch):
        cell, good, bad = getattr(of.nn, kind)(2, 3), of.ones(4, 3), of.ones(shape)
        for state in [(bad, good), (good, bad)] if kind == "LSTMCell" else [bad]:
            with pytest.raises(RuntimeError):
                cell(of.ones(4, 2), state)


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_several_gradients_at_once(kind, options):
    layer, x = getattr(nn, kind)(2, 3, **options).double(), torch.randn(4, 2, 2).double()
    x.requires_grad_()
    inputs = (x, *layer.parameters())
    seeds = torch.randn(3, 4, 2, 3).double()
    together = torch.autograd.grad(
        layer(x)[0], inputs, seeds, is_grads_batched=True, retain_graph=True
    )
    for k, seed in enumerate(seeds):
        alone = torch.autograd.grad(layer(x)[0], inputs, seed)
        for both, one in zip(together, alone, strict=True):
            torch.testing.assert_close(both[k], one)
