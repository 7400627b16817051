"""Quantisation by graphs beside PyTorch's: what is observed, what computes with integers, and the
numbers."""

from __future__ import annotations

import importlib

import pytest

import flambeau


def network(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn, self.relu = t.nn.Conv2d(1, 4, 3), t.nn.BatchNorm2d(4), t.nn.ReLU()
            self.pool, self.fc, self.out = t.nn.MaxPool2d(2), t.nn.Linear(36, 8), t.nn.Linear(8, 3)

        def forward(self, x):
            x = self.pool(self.relu(self.bn(self.conv(x))))
            return self.out(t.nn.functional.relu(self.fc(t.flatten(x, 1))))

    return Net(), t.randn(2, 1, 8, 8)


def residual(t):
    class Residual(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = t.nn.Linear(4, 4), t.nn.Linear(4, 4)

        def forward(self, x):
            y = self.a(x)
            return t.relu(self.b(y) + y)

    return Residual(), t.randn(3, 4)


def nested(t):
    class Nested(t.nn.Module):
        def __init__(self):
            super().__init__()
            layers = t.nn.Linear(4, 4), t.nn.ReLU(), t.nn.Dropout(), t.nn.Linear(4, 2)
            self.sub = t.nn.Sequential(*layers)

        def forward(self, x):
            x = t.cat([x, x * 2], 0).view(-1, 4) * 0.5
            return self.sub(x).softmax(-1) + t.sigmoid(x[:, :2]).mean()

    return Nested(), t.randn(3, 4)


PROGRAMS = {"network": network, "residual": residual, "nested": nested}


def rooms(t):
    room = importlib.import_module(f"{t.__name__}.ao.quantization")
    return room, importlib.import_module(f"{t.__name__}.ao.quantization.quantize_fx")


def layers(model):
    return [(name, type(each).__name__) for name, each in model.named_modules()]


def quantised(t, name, mode):
    room, fx = rooms(t)
    t.manual_seed(0)
    model, x = PROGRAMS[name](t)
    if mode == "static":
        mapping = room.get_default_qconfig_mapping("fbgemm")
        ready = fx.prepare_fx(model.eval(), mapping, (x,))
    elif mode == "qat":
        mapping = room.get_default_qat_qconfig_mapping("fbgemm")
        ready = fx.prepare_qat_fx(model.train(), mapping, (x,))
    else:
        mapping = room.QConfigMapping().set_module_name("a", room.default_dynamic_qconfig)
        ready = fx.prepare_fx(model.eval(), mapping, (x,))
    found = [ready.code, layers(ready)]
    ready(x)
    whole = fx.convert_fx(ready.eval())
    return [*found, whole.code, layers(whole), sorted(whole.state_dict())], whole(x).tolist()


CASES = [(n, m) for n in PROGRAMS for m in ("static", "qat")] + [("residual", "dynamic")]


@pytest.mark.filterwarnings("ignore")  # PyTorch's, that all this will go
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_as_in_pytorch(name, mode, oracle):
    (ours, numbers), (theirs, wanted) = (
        quantised(t, name, mode) for t in (flambeau, oracle)
    )  # fmt: skip
    if name != "nested":
        assert ours == theirs
    else:
        assert ours[:2] == theirs[:2]
    for row, expected in zip(numbers, wanted, strict=True):
        assert row == pytest.approx(expected, abs=0.02)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["network", "nested"])
def test_fused_as_in_pytorch(name, oracle):
    texts = []
    for t in (flambeau, oracle):
        t.manual_seed(0)
        model, _ = PROGRAMS[name](t)
        made = rooms(t)[1].fuse_fx(model.eval())
        texts.append((made.code, layers(made), repr(made)))
    assert texts[0] == texts[1]


def functions(t):
    F = t.nn.functional

    class Functions(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = t.nn.Parameter(t.randn(4, 4))
            self.k = t.nn.Parameter(t.randn(2, 1, 3, 3))

        def forward(self, x):
            return F.linear(F.relu(F.conv2d(x, self.k, None, [1, 1], [1, 1], [1, 1], 1)), self.w)

    return Functions(), t.randn(2, 1, 4, 4)


@pytest.mark.filterwarnings("ignore")
def test_functions_with_weights_compute_with_integers(oracle):
    numbers = []
    for t in (flambeau, oracle):
        room, fx = rooms(t)
        t.manual_seed(0)
        model, x = functions(t)
        ready = fx.prepare_fx(model.eval(), room.get_default_qconfig_mapping("fbgemm"), (x,))
        ready(x)
        whole = fx.convert_fx(ready)
        assert "quantized.conv2d_relu" in whole.code and "quantized.linear" in whole.code
        assert not whole._parameters
        numbers.append(whole(x).flatten().tolist())
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-5)


def test_mappings(oracle):
    given = []
    for t in (flambeau, oracle):
        room, _ = rooms(t)
        config = room.default_qconfig
        mapping = (
            room.QConfigMapping()
            .set_global(config)
            .set_object_type(t.nn.Linear, None)
            .set_module_name("a.b", None)
            .set_module_name_regex("a.*", config)
            .set_module_name_object_type_order("a", t.nn.Linear, 1, None)
        )
        again = room.QConfigMapping.from_dict(mapping.to_dict())
        text = str(again).replace("flambeau", "torch")
        given.append([text.replace("modules.", ""), sorted(mapping.to_dict())])
        assert str(again) == str(mapping)
    assert given[0][1] == given[1][1]
    assert [line[:14] for line in given[0][0].splitlines()] == [
        line[:14] for line in given[1][0].splitlines()
    ]


def test_the_most_particular_entry_counts():
    room, fx = rooms(flambeau)
    chosen = room.QConfigMapping().set_global(room.default_qconfig).set_module_name("b", None)
    model, x = residual(flambeau)
    ready = fx.prepare_fx(model.eval(), chosen, (x,))
    assert ready.a.qconfig is not None and ready.b.qconfig is None
    first = room.QConfigMapping().set_module_name_object_type_order(
        "", flambeau.nn.Linear, 1, room.default_qconfig
    )
    ready = fx.prepare_fx(residual(flambeau)[0].eval(), first, (x,))
    assert ready.a.qconfig is None and ready.b.qconfig is not None


def test_what_is_refused():
    room, fx = rooms(flambeau)
    model, x = network(flambeau)
    only = room.QConfigMapping().set_object_type(flambeau.nn.Linear, room.default_qconfig)
    with pytest.raises(LookupError, match="same qconfigs"):
        fx.prepare_fx(model.eval(), only, (x,))
    with pytest.raises(NotImplementedError, match="backend_config"):
        fx.fuse_fx(model, backend_config=object())
    with pytest.raises(NotImplementedError, match="custom_config"):
        fx.fuse_fx(model, {"input_quantized_indexes": [0]})
    model.kept = 3
    assert fx.fuse_fx(model, {"preserved_attributes": ["kept"]}).kept == 3
