"""Every optimizer against PyTorch's: values, state, options, over the flat, the single and the
loaded way.
"""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.tensor import wrap

SHAPES = [(7, 5), (7,), (3, 7), (), (2, 3, 4)]
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"betas": (0.4, 0.6), "maximize": True}),
    ("Adam", {"fused": True}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("RMSprop", {"centered": True, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.1, "maximize": True}),
    ("Adadelta", {"weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"weight_decay": 0.1}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("ASGD", {"weight_decay": 0.1, "t0": 2, "lambd": 0.1}),
    ("Rprop", {"etas": (0.4, 1.3), "maximize": True}),
]
TOLERANCE = {"float32": 2e-5, "complex64": 2e-5, "float64": 5e-12, "float16": 0.1}


def train(
    torch: Any, name: str, options: dict[str, Any], dtype: str, way: str
) -> tuple[list[Any], Any]:
    """Six steps with the same random gradients in either engine."""
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> Any:
        values = rng.standard_normal(shape)
        if dtype.startswith("complex"):
            values = values + 1j * rng.standard_normal(shape)
        return torch.from_numpy(np.asarray(values).astype(dtype))

    params = [draw(shape).requires_grad_() for shape in SHAPES]
    if way == "tensor lr":
        options = {**options, "lr": torch.tensor(0.01)}
    optimizer = getattr(torch.optim, name)(params, **options)
    for step in range(6):
        optimizer.zero_grad()
        for number, (p, shape) in enumerate(zip(params, SHAPES, strict=True)):
            grad = draw(shape)
            if not (way == "gaps" and (step + number) % 3 == 0):
                p.grad = grad
        optimizer.step()
        if way == "reload" and step == 2:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = getattr(torch.optim, name)(params, **options)
            optimizer.load_state_dict(saved)
    return params, optimizer


def close(ours: Any, theirs: Any, dtype: str) -> None:
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("way", ["plain", "gaps", "reload", "tensor lr"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_values(
    oracle: ModuleType, name: str, options: dict[str, Any], dtype: str, way: str
) -> None:
    if options.get("fused") and dtype == "complex64":
        pytest.skip("fused is for real parameters in both engines")
    if way == "tensor lr" and (dtype == "float16" or name == "Rprop"):
        pytest.skip("the oracle's own rounding of a tensor rate differs")
    theirs, their_optimizer = train(oracle, name, options, dtype, way)
    ours, our_optimizer = train(flambeau, name, options, dtype, way)
    # A tensor rate is float32: so are the numbers computed from it.
    grade = "float32" if way == "tensor lr" else dtype
    for p, q in zip(ours, theirs, strict=True):
        close(p, q, grade)
    a, b = our_optimizer.state_dict(), their_optimizer.state_dict()
    assert list(a["state"]) == list(b["state"])
    assert repr(our_optimizer) == repr(their_optimizer)
    for key in a["state"]:
        assert list(a["state"][key]) == list(b["state"][key])
        for entry, value in b["state"][key].items():
            close(
                a["state"][key][entry],
                value,
                "float32" if entry in ("step", "eta", "mu") else grade,
            )


def test_one_by_one_and_together_agree() -> None:
    """A frozen or replaced tensor falls back; the result is the same as that of separate
    optimizers.
    """
    rng = np.random.default_rng(1)
    values = [rng.standard_normal((4, 3)).astype("float32") for _ in range(3)]
    together = [wrap(v.copy()).requires_grad_() for v in values]
    alone = [wrap(v.copy()).requires_grad_() for v in values]
    one = flambeau.optim.Adam(together, lr=0.1)
    several = [flambeau.optim.Adam([p], lr=0.1) for p in alone]
    for step in range(8):
        if step == 3:
            together[0].data = wrap(together[0].detach().numpy().copy())
        if step == 5:
            one.state[together[1]]["exp_avg"].zero_()
            several[1].state[alone[1]]["exp_avg"].zero_()
        for p, q in zip(together, alone, strict=True):
            grad = rng.standard_normal((4, 3)).astype("float32")
            p.grad, q.grad = wrap(grad), wrap(grad.copy())
        one.step()
        for optimizer in several:
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_flat_runs_do_not_show() -> None:
    """Parameters stay where they were; versions rise; state tensors keep their own storage."""
    p, q = (wrap(np.ones((2, 2), "float32")).requires_grad_() for _ in range(2))
    exported = p.detach().numpy()
    optimizer = flambeau.optim.Adam([p, q], lr=0.1)
    for _ in range(2):
        before = p._version
        p.grad, q.grad = wrap(np.ones((2, 2), "float32")), wrap(np.ones((2, 2), "float32"))
        optimizer.step()
        assert p._version == before + 1
    assert exported.base is p._array or exported is p._array or np.shares_memory(exported, p._array)
    np.testing.assert_array_equal(exported, p.detach().numpy())
    state = optimizer.state[q]["exp_avg"]
    assert state.untyped_storage().nbytes() == 16
    assert state.storage_offset() == 0


def test_overlapping_parameters_go_one_after_the_other(oracle: ModuleType) -> None:
    def run(torch: Any) -> Any:
        base = torch.from_numpy(np.ones(6, "float32"))
        first, second = base.requires_grad_(), base.detach()[2:].requires_grad_()
        optimizer = torch.optim.SGD([first, second], lr=0.1, weight_decay=0.5)
        for _ in range(3):
            first.grad = torch.from_numpy(np.ones(6, "float32"))
            second.grad = torch.from_numpy(np.ones(4, "float32"))
            optimizer.step()
        return base.detach().numpy()

    np.testing.assert_allclose(run(flambeau), run(oracle), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("Adam", {"lr": -1}, "Invalid learning rate: -1"),
        ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ("SGD", {"momentum": -0.5}, "Invalid momentum value: -0.5"),
        ("SGD", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ("Adadelta", {"rho": 1.1}, "Invalid rho value: 1.1"),
        ("Rprop", {"etas": (1.0, 0.5)}, "Invalid eta values: 1.0, 0.5"),
        ("Adafactor", {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
        ("Muon", {"adjust_lr_fn": "other"}, "Adjust learning rate function other is not supported"),
    ],
)
def test_bad_options(oracle: ModuleType, name: str, options: dict[str, Any], text: str) -> None:
    for torch in (oracle, flambeau):
        p = torch.zeros(2, 2).requires_grad_()
        with pytest.raises(ValueError, match=text):
            getattr(torch.optim, name)([p], **options)


def test_capturable_is_refused_on_the_cpu() -> None:
    p = flambeau.zeros(2).requires_grad_()
    p.grad = flambeau.zeros(2)
    optimizer = flambeau.optim.Adam([p], capturable=True)
    with pytest.raises(AssertionError, match="capturable=True"):
        optimizer.step()
