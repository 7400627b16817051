"""Factories given no device make tensors on the one in force."""

import numpy as np
import pytest

import flambeau

FACTORIES = {
    "empty": lambda torch, x: torch.empty(3),
    "zeros": lambda torch, x: torch.zeros(2, 3),
    "full": lambda torch, x: torch.full((2,), 3.0),
    "rand": lambda torch, x: torch.rand(2),
    "randint": lambda torch, x: torch.randint(3, (2,)),
    "randperm": lambda torch, x: torch.randperm(4),
    "arange": lambda torch, x: torch.arange(3),
    "linspace": lambda torch, x: torch.linspace(0, 1, 3),
    "eye": lambda torch, x: torch.eye(2),
    "tensor": lambda torch, x: torch.tensor([1, 2]),
    "as_tensor": lambda torch, x: torch.as_tensor([1.0]),
    "as_tensor of an array": lambda torch, x: torch.as_tensor(np.ones(2)),
    "as_tensor of a tensor": lambda torch, x: torch.as_tensor(x),
    "hann_window": lambda torch, x: torch.hann_window(4),
    "Linear": lambda torch, x: torch.nn.Linear(2, 2).weight,
    "BatchNorm2d": lambda torch, x: torch.nn.BatchNorm2d(3).running_var,
    "from_numpy": lambda torch, x: torch.from_numpy(np.ones(2)),
    "zeros_like": lambda torch, x: torch.zeros_like(x),
    "rand_like": lambda torch, x: torch.rand_like(x),
    "new_zeros": lambda torch, x: x.new_zeros(2),
    "new_tensor": lambda torch, x: x.new_tensor([1.0]),
    "arithmetic": lambda torch, x: x * 2 + x,
}


@pytest.mark.parametrize("name", FACTORIES)
def test_blocks_and_the_default_say_where(name, oracle):
    for torch in (flambeau, oracle):
        x = torch.ones(2)
        with torch.device("meta"):
            blocked = FACTORIES[name](torch, x).device
        torch.set_default_device("meta")
        try:
            chosen = FACTORIES[name](torch, x).device
            with torch.device("cpu"):
                inner = torch.zeros(1).device
        finally:
            torch.set_default_device(None)
        found = [str(d) for d in (blocked, chosen, inner, torch.zeros(1).device)]
        if torch is flambeau:
            ours = found
    assert ours == found


def test_nothing_is_drawn_for_meta_tensors():
    flambeau.manual_seed(3)
    before = flambeau.get_rng_state()
    with flambeau.device("meta"):
        flambeau.nn.init.normal_(flambeau.nn.Linear(8, 8).weight)
    assert flambeau.equal(before, flambeau.get_rng_state())


def test_grad_mode_and_device_are_apart():
    with flambeau.no_grad(), flambeau.device("meta"):
        assert not flambeau.is_grad_enabled()
        with flambeau.enable_grad():
            assert flambeau.zeros(1).is_meta
    assert flambeau.is_grad_enabled() and not flambeau.zeros(1).is_meta
