"""Recurrent and attention layers of parts that can be observed, beside PyTorch's."""

from __future__ import annotations

import importlib

import pytest

import flambeau

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch's, that all this will go


def room(t, name):
    return importlib.import_module(f"{t.__name__}.ao.{name}")


LSTMS = (
    {}, {"bias": False}, {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 2},
)  # fmt: skip


@pytest.mark.parametrize("settings", LSTMS)
@pytest.mark.parametrize("split", [False, True])
def test_an_lstm_is_the_plain_one(settings, split, oracle):
    told = []
    for t in (flambeau, oracle):
        t.manual_seed(0)
        plain, x = t.nn.LSTM(3, 4, **settings), t.randn(2, 5, 3)
        plain.qconfig = None
        made = room(t, "nn.quantizable").LSTM.from_float(plain, split_gates=split)
        told.append([repr(made), [(k, tuple(v.shape)) for k, v in made.state_dict().items()]])
        states = plain(x)[1]
        for given in ((x,), (x, states)):
            found, (h, c) = made(*given)
            wanted, (h0, c0) = plain(*given)
            for a, b in ((found, wanted), (h, h0), (c, c0)):
                t.testing.assert_close(a, b)
    assert told[0] == told[1]


ATTENTIONS = (
    {}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 6, "vdim": 5},
)  # fmt: skip


@pytest.mark.parametrize("settings", ATTENTIONS)
def test_attention_is_the_plain_one(settings, oracle):
    told = []
    for t in (flambeau, oracle):
        t.manual_seed(0)
        plain = t.nn.MultiheadAttention(8, 2, **settings)
        plain.qconfig = None
        made = room(t, "nn.quantizable").MultiheadAttention.from_float(plain)
        told.append([repr(made), [(k, tuple(v.shape)) for k, v in made.state_dict().items()]])
        given = (
            t.randn(4, 2, 8), t.randn(3, 2, settings.get("kdim", 8)),
            t.randn(3, 2, settings.get("vdim", 8)),
        )  # fmt: skip
        for options in ({}, {"average_attn_weights": False}):
            for a, b in zip(made(*given, **options), plain(*given, **options), strict=True):
                t.testing.assert_close(a, b)
        assert made(*given, need_weights=False)[1] is None
    assert told[0] == told[1]
    flambeau.manual_seed(0)
    plain = flambeau.nn.MultiheadAttention(8, 2, **settings)
    plain.qconfig = None
    made = room(flambeau, "nn.quantizable").MultiheadAttention.from_float(plain)
    given = [flambeau.randn(3, 2, k) for k in (8, settings.get("kdim", 8), settings.get("vdim", 8))]
    flambeau.testing.assert_close(made.dequantize()(*given)[0], plain(*given)[0])


def test_masks():
    plain = flambeau.nn.MultiheadAttention(8, 2, batch_first=True).eval()
    plain.qconfig = None
    made = room(flambeau, "nn.quantizable").MultiheadAttention.from_float(plain)
    x = flambeau.randn(2, 4, 8)
    later = flambeau.ones(4, 4).triu(1).bool()
    padding = flambeau.tensor([[False, False, False, True], [False, False, True, True]])
    each = later.expand(4, 4, 4)
    for masks in ({"attn_mask": later}, {"key_padding_mask": padding}, {"attn_mask": each}):
        for a, b in zip(made(x, x, x, **masks), plain(x, x, x, **masks), strict=True):
            flambeau.testing.assert_close(a, b)
    with pytest.raises(AssertionError, match="attn_mask"):
        made(x, x, x, is_causal=True)


def converted(t, kind):
    quantization = room(t, "quantization")

    class Model(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
            self.layer = t.nn.LSTM(8, 4) if kind == "lstm" else t.nn.MultiheadAttention(8, 2)

        def forward(self, x):
            x = self.quant(x)
            return self.dequant((self.layer(x) if kind == "lstm" else self.layer(x, x, x))[0])

    t.manual_seed(0)
    model, x = Model().eval(), t.randn(3, 2, 8)
    model.qconfig = quantization.get_default_qconfig("fbgemm")
    ready = quantization.prepare(model)
    ready(x)
    whole = quantization.convert(ready)
    names = [
        [(name, type(each).__name__) for name, each in m.named_modules()] for m in (ready, whole)
    ]
    return names, whole(x).flatten().tolist()


@pytest.mark.parametrize("kind", ["lstm", "attention"])
def test_prepare_takes_layers_apart(kind, oracle):
    (names, found), (theirs, wanted) = converted(flambeau, kind), converted(oracle, kind)
    assert names == theirs
    assert found == pytest.approx(wanted, abs=0.01)


def test_the_ways_that_are_closed():
    quantizable, whole = room(flambeau, "nn.quantizable"), room(flambeau, "nn.quantized")
    for name in ("LSTM", "MultiheadAttention"):
        with pytest.raises(NotImplementedError, match="quantized"):
            getattr(quantizable, name).from_observed(None)
        with pytest.raises(NotImplementedError, match="float"):
            getattr(whole, name).from_float(None)
        with pytest.raises(AssertionError, match="Expected"):
            getattr(whole, name).from_observed(flambeau.nn.ReLU())
        with pytest.raises(AssertionError):
            getattr(quantizable, name).from_float(flambeau.nn.ReLU())
    with pytest.raises(AssertionError, match="both"):
        weight = flambeau.ones(8, 2)
        quantizable.LSTMCell.from_params(weight, weight, flambeau.ones(8))


def test_a_cell():
    quantizable = room(flambeau, "nn.quantizable")
    plain = flambeau.nn.LSTMCell(3, 4)
    made = quantizable.LSTMCell.from_float(plain)
    x = flambeau.randn(2, 3)
    for a, b in zip(made(x), plain(x), strict=True):
        flambeau.testing.assert_close(a, b)
