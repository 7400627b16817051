"""The optimizers' base: groups, checkpoints, hooks, pickling, errors."""

from __future__ import annotations

import copy
import pickle
import warnings
from types import ModuleType
from typing import Any

import pytest

import flambeau
from flambeau.optim import SGD, Adafactor, Adam, Muon
from flambeau.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


def parameter(*shape: int) -> Any:
    return flambeau.zeros(*shape).requires_grad_()


def test_repr_equals_pytorchs(oracle: ModuleType) -> None:
    def text(torch: Any) -> str:
        p, q = torch.zeros(2).requires_grad_(), torch.zeros(2).requires_grad_()
        return repr(
            torch.optim.SGD([{"params": [p]}, {"params": [q], "lr": 0.5}], lr=0.1, momentum=0.9)
        )

    assert text(flambeau) == text(oracle)


def test_groups_take_options_and_refuse_nonsense() -> None:
    p, q = parameter(2), parameter(3)
    optimizer = SGD([p], lr=0.1)
    optimizer.add_param_group({"params": q, "lr": 0.5})
    assert optimizer.param_groups[1]["params"] == [q]
    assert optimizer.param_groups[1]["lr"] == 0.5
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [p]})
    with pytest.raises(TypeError, match="must be a dict"):
        optimizer.add_param_group([p])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ordered collections"):
        optimizer.add_param_group({"params": {parameter(1)}})
    with pytest.raises(ValueError, match="with/without names"):
        optimizer.add_param_group({"params": [("w", parameter(1))]})
    with pytest.raises(TypeError, match="iterable of Tensors or dicts"):
        SGD(p, lr=0.1)
    with pytest.raises(ValueError, match="empty parameter list"):
        SGD([], lr=0.1)
    with pytest.raises(TypeError, match="can only optimize Tensors"):
        SGD([1.0], lr=0.1)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="non-leaf"):
        SGD([p * 2], lr=0.1)


@pytest.mark.parametrize("kind", [Adafactor, Adam, Muon, SGD])
def test_a_learning_rate_of_more_than_one_element_is_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="1-element"):
        kind([parameter(2, 2)], lr=flambeau.tensor([0.1, 0.2]))


def test_duplicates_in_a_group_warn() -> None:
    p = parameter(2)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        SGD([p, p], lr=0.1)


def test_names_are_kept() -> None:
    optimizer = SGD([("w", parameter(2)), ("b", parameter(1))], lr=0.1)
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["w", "b"]


def test_zero_grad() -> None:
    p = parameter(2)
    p.grad = flambeau.ones(2)
    optimizer = SGD([p], lr=0.1)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_hooks_run_in_order_and_can_be_removed() -> None:
    seen: list[str] = []
    p = parameter(2)
    optimizer = SGD([p], lr=0.1)
    handles = [
        register_optimizer_step_pre_hook(lambda *_: seen.append("all before")),
        optimizer.register_step_pre_hook(lambda *_: seen.append("before")),
        optimizer.register_step_post_hook(lambda *_: seen.append("after")),
        register_optimizer_step_post_hook(lambda *_: seen.append("all after")),
    ]
    optimizer.step()
    assert seen == ["all before", "before", "after", "all after"]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(seen) == 4


def test_state_dict_hooks_may_replace() -> None:
    optimizer = SGD([parameter(2)], lr=0.1)
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    optimizer.register_load_state_dict_pre_hook(
        lambda o, state: {k: v for k, v in state.items() if k != "extra"}
    )
    state = optimizer.state_dict()
    assert state["extra"] == 1
    optimizer.load_state_dict(state)


def test_load_refuses_other_layouts() -> None:
    one, two = SGD([parameter(2)], lr=0.1), SGD([parameter(2), parameter(2)], lr=0.1)
    with pytest.raises(ValueError, match="doesn't match the size"):
        one.load_state_dict(two.state_dict())
    two.add_param_group({"params": parameter(1)})
    with pytest.raises(ValueError, match="different number of parameter groups"):
        one.load_state_dict(two.state_dict())


def test_a_copy_goes_on_alike() -> None:
    p = parameter(3)
    optimizer = Adam([p], lr=0.1)
    p.grad = flambeau.ones(3)
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        q = other.param_groups[0]["params"][0]
        q.grad = flambeau.ones(3)
        other.step()
        assert other.state[q]["step"].item() == 2
    optimizer.step()
    assert p.tolist() == q.tolist()


def test_closure_runs_with_gradients() -> None:
    p = flambeau.ones(2).requires_grad_()
    optimizer = SGD([p], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with flambeau.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 2.0
    assert p.tolist() == pytest.approx([0.8, 0.8])


def test_users_own_optimizer() -> None:
    class Mine(Optimizer):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.add_(p.grad, alpha=-group["lr"])

    p = parameter(2)
    p.grad = flambeau.ones(2)
    optimizer = Mine([p])
    calls: list[int] = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    optimizer.step()
    assert p.tolist() == pytest.approx([-0.1, -0.1])
    assert calls == [1]


def test_no_warning_in_an_ordinary_step() -> None:
    p, q = parameter(2), parameter(2)
    optimizer = Adam([p, q], lr=0.1)
    p.grad, q.grad = flambeau.full((2,), float("inf")), flambeau.zeros(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()


def test_what_is_not_iterable_is_told_with_its_mend() -> None:
    model: Any = flambeau.nn.Linear(2, 2)
    for params, told in (
        (model, r"SGD.*'Linear' object is not iterable.*Give its parameters\(\)"),
        (model.parameters, r"SGD.*'method' object is not iterable.*Call it"),
        (3, r"SGD.*'int' object is not iterable.*Give a list"),
    ):
        with pytest.raises(TypeError, match=told):
            SGD(params, lr=0.1)
