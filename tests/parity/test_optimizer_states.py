"""Optimizers hand their state over: from PyTorch to flambeau and back in the middle of training.

Ten steps in float64, the state dict carried across after five; the parameters then agree with
those of PyTorch alone. What one engine refuses, the other refuses with the same type.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau

CASES: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.01}, {"lr": 0.01, "momentum": 0.9, "nesterov": True}, {"lr": 0.01, "foreach": True},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.01, "fused": True}, {"lr": 0.01, "differentiable": True},
    ],
    "Adam": [
        {}, {"amsgrad": True, "weight_decay": 0.1}, {"maximize": True}, {"foreach": True},
        {"fused": True}, {"capturable": False}, {"differentiable": True},
        {"decoupled_weight_decay": True, "weight_decay": 0.1},
    ],
    "AdamW": [{}, {"amsgrad": True, "foreach": True}, {"fused": True}],
    "Adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.1}, {"foreach": True}],
    "Adadelta": [{}, {"foreach": True, "weight_decay": 0.1, "maximize": True}],
    "Adamax": [{}, {"foreach": True, "weight_decay": 0.1, "maximize": True}],
    "NAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}, {"foreach": True}],
    "RAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}, {"foreach": True}],
    "ASGD": [{}, {"t0": 2, "foreach": True, "weight_decay": 0.1}],
    "RMSprop": [{}, {"centered": True, "momentum": 0.9}, {"foreach": True, "weight_decay": 0.1}],
    "Rprop": [{}, {"foreach": True, "maximize": True}],
    "Adafactor": [{}, {"weight_decay": 0.1, "foreach": True}],
    "LBFGS": [{"lr": 0.1, "max_iter": 4}, {"max_iter": 2, "line_search_fn": "strong_wolfe"}],
}  # fmt: skip
LISTED = [(name, options) for name, rows in CASES.items() for options in rows]
START = [np.random.RandomState(k).randn(n, 3) for k, n in ((0, 4), (1, 3))]
INPUTS = np.random.RandomState(2).randn(10, 5, 4)


def carried(library: ModuleType, value: Any) -> Any:
    """A state dict of either engine as the library's own."""
    if hasattr(value, "detach"):
        kind = getattr(library, str(value.dtype).rpartition(".")[2])
        return library.tensor(value.detach().tolist(), dtype=kind)
    if isinstance(value, dict):
        return {key: carried(library, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(carried(library, item) for item in value)
    return value


class Training:
    """Two matrices under one optimizer."""

    def __init__(self, library: ModuleType, name: str, options: Any, start: Any = START) -> None:
        self.library = library
        self.parameters = [library.nn.Parameter(library.tensor(v.copy())) for v in start]
        self.optimizer = getattr(library.optim, name)(self.parameters, **options)

    def run(self, first: int, last: int) -> None:
        for x in INPUTS[first:last]:

            def closure(x: Any = x) -> Any:
                self.optimizer.zero_grad()
                first, second = self.parameters
                loss = ((self.library.tensor(x) @ first @ second).tanh() ** 2).sum()
                loss.backward()
                return loss

            self.optimizer.step(closure)

    def values(self) -> list[Any]:
        return [p.detach().numpy().copy() for p in self.parameters]


def journey(
    name: str, options: Any, first: ModuleType, second: ModuleType
) -> tuple[list[Any], Any]:
    """The parameters after five steps in one engine and five in the other, and the state between."""
    here = Training(first, name, options)
    here.run(0, 5)
    state = here.optimizer.state_dict()
    there = Training(second, name, options, here.values())
    there.optimizer.load_state_dict(carried(second, state))
    there.run(5, 10)
    return there.values(), state


def described(value: Any) -> Any:
    """Names, shapes and dtypes of a state dict, and its plain values."""
    if hasattr(value, "detach"):
        return tuple(value.shape), str(value.dtype).rpartition(".")[2]
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    return value if not isinstance(value, float) else round(value, 6)


@pytest.mark.parametrize(("name", "options"), LISTED, ids=[f"{n}-{o}" for n, o in LISTED])
def test_states_cross(oracle: ModuleType, name: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            whole = Training(oracle, name, options)
            whole.run(0, 10)
        except Exception as error:
            with pytest.raises(type(error)):
                Training(flambeau, name, options).run(0, 10)
            return
        found, theirs = journey(name, options, oracle, flambeau)
        back, ours = journey(name, options, flambeau, oracle)
    assert described(ours) == described(theirs)
    for values in (found, back):
        for value, expected in zip(values, whole.values(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-7, atol=1e-9)
