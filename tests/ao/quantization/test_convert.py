"""Models of integers against PyTorch's: what they print, keep and compute, from the same seed."""

from __future__ import annotations

import importlib
import io
import re
import warnings
from types import ModuleType
from typing import Any

import pytest

import flambeau


def network(torch: ModuleType) -> Any:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.quant = quantization.QuantStub()
            self.conv = torch.nn.Conv2d(1, 3, 3)
            self.bn = torch.nn.BatchNorm2d(3)
            self.relu = torch.nn.ReLU()
            self.pool = torch.nn.MaxPool2d(2)
            self.sum = torch.ao.nn.quantized.FloatFunctional()
            self.fc = torch.nn.Linear(27, 4)
            self.dequant = quantization.DeQuantStub()

        def forward(self, x: Any) -> Any:
            x = self.pool(self.relu(self.bn(self.conv(self.quant(x)))))
            x = self.sum.add(x, x)
            return self.dequant(self.fc(x.reshape(x.shape[0], -1)))

    return Network()


def after_training(torch: ModuleType, fused: bool, backend: str) -> list[Any]:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")
    model = network(torch).eval()
    if fused:
        model = quantization.fuse_modules(model, [["conv", "bn", "relu"]])
    model.qconfig = quantization.get_default_qconfig(backend)
    made = quantization.prepare(model)
    shown = repr(made)
    made(torch.randn(4, 1, 8, 8))
    made = quantization.convert(made)
    x = torch.randn(3, 1, 8, 8)
    return [shown, repr(made), list(made.state_dict()), made(x).tolist(), *loaded(torch, made, x)]


def loaded(torch: ModuleType, made: Any, x: Any) -> list[Any]:
    """Whether a saved state gives the same results in another model of integers."""
    kept = io.BytesIO()
    torch.save({k: v for k, v in made.state_dict().items() if "packed" not in k}, kept)
    state = made.state_dict()
    expected = made(x)
    made.load_state_dict(state)
    return [len(kept.getvalue()) > 0, bool((made(x) == expected).all())]


def in_training(torch: ModuleType, fused: bool, backend: str) -> list[Any]:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")
    model = network(torch).train()
    if fused:
        model = quantization.fuse_modules_qat(model, [["conv", "bn", "relu"]])
    model.qconfig = quantization.get_default_qat_qconfig(backend)
    model = quantization.prepare_qat(model)
    shown = repr(model)
    step = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        loss = model(torch.randn(4, 1, 8, 8)).square().sum()
        step.zero_grad()
        loss.backward()
        step.step()
    made = quantization.convert(model.eval())
    return [shown, repr(made), loss.item(), made(torch.randn(2, 1, 8, 8)).tolist()]


def dynamic(torch: ModuleType, dtype: str, kind: str) -> list[Any]:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")
    nn = torch.nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = getattr(nn, kind)(5, 4, num_layers=2, bidirectional=True)
            self.head = nn.Linear(8, 2)

        def forward(self, x: Any) -> Any:
            out, state = self.layer(x)
            return self.head(out), state

    model = quantization.quantize_dynamic(
        Model(), {nn.LSTM, nn.GRU, nn.Linear}, dtype=getattr(torch, dtype)
    )
    out, state = model(torch.randn(3, 2, 5))
    states = state if isinstance(state, tuple) else (state,)
    return [repr(model), out.tolist(), *(s.tolist() for s in states), list(model.state_dict())]


def cells(torch: ModuleType) -> list[Any]:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")
    nn = torch.nn
    given = nn.ModuleList(
        [nn.LSTMCell(3, 4), nn.GRUCell(3, 4), nn.RNNCell(3, 4, nonlinearity="relu")]
    )
    made = quantization.quantize_dynamic(given)
    x = torch.randn(2, 3)
    h, c = made[0](x)
    return [repr(made), h.tolist(), c.tolist(), made[1](x, h).tolist(), made[2](x).tolist()]


def pointwise(torch: ModuleType) -> list[Any]:
    quantization = importlib.import_module(f"{torch.__name__}.ao.quantization")
    nn = torch.nn
    layers = [
        nn.ELU(), nn.Hardswish(), nn.LeakyReLU(0.1), nn.ReLU6(), nn.LayerNorm(4), nn.Dropout(),
        nn.ReLU(), nn.Tanh(),
    ]  # fmt: skip
    model = nn.Sequential(quantization.QuantStub(), *layers, quantization.DeQuantStub()).eval()
    model.qconfig = quantization.default_qconfig
    made = quantization.quantize(model, lambda m, x: m(x), (torch.randn(5, 4),))
    return [repr(made), made(torch.randn(3, 4)).tolist()]


def operations(torch: ModuleType) -> list[Any]:
    q = torch.quantize_per_tensor(torch.tensor([-1.0, 0.3, 2.5, 12]), 0.1, 10, torch.quint8)
    quantized = torch.ops.quantized
    made = [quantized.add(q, q, 0.2, 5), quantized.mul_relu(q, q, 0.5, 3)]
    made += [quantized.add_relu(q, q, 0.2, 5), quantized.cat([q, q], 0, 0.3, 7)]
    made += [quantized.add(q, y) for y in (0.5, -0.7, 3, 20, -20)]
    made += [quantized.mul(q, y) for y in (0.5, -0.7, 20)]
    made += [torch.sigmoid(q), torch.tanh(q)]
    functional = torch.ao.nn.quantized.QFunctional()
    made += [functional.add(q, q), functional.mul_scalar(q, -2.0), functional.cat([q, q])]
    return [repr(functional), *(repr(each) for each in made)]


def words(torch: ModuleType) -> list[Any]:
    room = importlib.import_module(f"{torch.__name__}.ao.quantization")
    kinds = [room.PerTensor(), room.PerAxis(0), room.PerRow(), room.PerToken(), room.PerGroup(4)]
    sizes = [str(room.get_block_size((4, 8), kind)) for kind in kinds]
    enums = [room.MappingType, room.ZeroPointDomain, room.TorchAODType, room.QuantType]
    names = "weight_observer per_channel_weight_observer fused_wt_fake_quant fused_per_channel_wt_fake_quant"
    made = [getattr(room, f"{name}_range_neg_127_to_127")() for name in names.split()]
    return [repr(kinds), *sizes, *(repr(list(each)) for each in enums), *map(repr, made)]


CASES = [
    *(
        (after_training, (fused, backend))
        for fused in (True, False)
        for backend in ("x86", "qnnpack")
    ),  # fmt: skip
    *(
        (in_training, (fused, backend))
        for fused in (True, False)
        for backend in ("fbgemm", "qnnpack")
    ),  # fmt: skip
    *((dynamic, (dtype, kind)) for dtype in ("qint8", "float16") for kind in ("LSTM", "GRU")),
    (cells, ()),
    (pointwise, ()),
    (operations, ()),
    (words, ()),
]


def near(actual: Any, expected: Any) -> bool:
    """Equal but for the last digits of a number, and of those printed in a text."""
    if isinstance(expected, str):
        number = r"-?\d+\.\d*(?:e-?\d+)?"
        texts = [re.sub(number, "#", text) for text in (actual, expected)]
        found = [[float(n) for n in re.findall(number, text)] for text in (actual, expected)]
        return texts[0] == texts[1] and near(*found)
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(near, actual, expected))
    return bool(actual == pytest.approx(expected, rel=2e-4, abs=2e-6))


@pytest.mark.parametrize(("program", "arguments"), CASES, ids=lambda v: getattr(v, "__name__", str(v)))  # fmt: skip
def test_programs(oracle: ModuleType, program: Any, arguments: Any) -> None:
    results = []
    for torch in (flambeau, oracle):
        importlib.import_module(f"{torch.__name__}.ao.nn.quantized")
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # quantised tensors are deprecated in PyTorch
            results.append(program(torch, *arguments))
    for actual, expected in zip(*results, strict=True):
        assert near(actual, expected), (actual, expected)


@pytest.mark.filterwarnings("ignore")
def test_observers_go_before_hooks_and_leave_with_them(oracle: ModuleType) -> None:
    def told(torch: ModuleType) -> list[Any]:
        room = importlib.import_module(f"{torch.__name__}.ao.quantization")
        seen: list[Any] = []
        model = torch.nn.Sequential(
            room.QuantStub(), torch.nn.Linear(2, 2), torch.nn.Sigmoid(), room.DeQuantStub()
        )
        model[1].register_forward_hook(hook := lambda *args: seen.append(1))
        model.qconfig = room.default_qat_qconfig
        model = room.prepare_qat(model.train())
        kinds = [type(each.activation_post_process).__name__ for each in model[:3]]
        order = [each is hook for each in model[1]._forward_hooks.values()]
        model(torch.ones(1, 2))
        model = room.convert(model.eval())
        model(torch.ones(1, 2))
        left = [len(each._forward_hooks) for each in model]
        return [kinds, order, left, [hasattr(e, "activation_post_process") for e in model], seen]

    assert told(flambeau) == told(oracle)


@pytest.mark.filterwarnings("ignore")
def test_classes_of_the_users_observe_and_convert_themselves(oracle: ModuleType) -> None:
    def told(torch: ModuleType) -> list[Any]:
        room = importlib.import_module(f"{torch.__name__}.ao.quantization")

        class Plain(torch.nn.Module):
            def forward(self, x):
                return x + 1

        class Observed(Plain):
            from_float = classmethod(lambda kind, plain: _with(kind(), qconfig=plain.qconfig))

        class Whole(torch.nn.Module):
            from_observed = classmethod(
                lambda kind, seen: _with(kind(), saw=hasattr(seen, "activation_post_process"))
            )

            def forward(self, x):
                return x

        model = torch.nn.Sequential(room.QuantStub(), torch.nn.Sequential(Plain())).eval()
        model.qconfig = room.default_qconfig
        model = room.prepare(
            model,
            prepare_custom_config_dict={"float_to_observed_custom_module_class": {Plain: Observed}},
        )
        found = [type(model[1][0]).__name__, hasattr(model[1][0], "activation_post_process")]
        model(torch.ones(2))
        model = room.convert(
            model,
            convert_custom_config_dict={
                "observed_to_quantized_custom_module_class": {Observed: Whole}
            },
        )
        return [*found, type(model[1][0]).__name__, model[1][0].saw]

    assert told(flambeau) == told(oracle) == ["Observed", True, "Whole", True]


def _with(thing: Any, **fields: Any) -> Any:
    vars(thing).update(fields)
    return thing


@pytest.mark.filterwarnings("ignore")
def test_transposed_convolutions_by_channel_are_refused_at_once(oracle: ModuleType) -> None:
    for torch in (flambeau, oracle):
        room = importlib.import_module(f"{torch.__name__}.ao.quantization")
        model = torch.nn.Sequential(torch.nn.ConvTranspose2d(1, 1, 1)).eval()
        model.qconfig = room.get_default_qconfig("fbgemm")
        with pytest.raises(AssertionError, match="Per channel weight observer"):
            room.prepare(model)
