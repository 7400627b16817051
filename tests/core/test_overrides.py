"""`__torch_function__`: subclasses, foreign classes, modes."""

import pytest

import flambeau as torch
from flambeau.overrides import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function,
)


class Plain(torch.Tensor):
    pass


def test_a_subclass_is_preserved():
    x = torch.ones(2, 3).as_subclass(Plain)
    for made in (
        x + 1,
        1 + x,
        x.sum(),
        x.reshape(3, 2),
        x[0],
        torch.cat([x, x]),
        x.max(0).values,
        x.clone(),
    ):
        assert type(made) is Plain
    with DisableTorchFunctionSubclass():
        assert type(x + 1) is torch.Tensor


def test_a_handler_sees_whole_functions():
    seen = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs or {})

    x = torch.ones(2, 3).as_subclass(Logged)
    torch.flatten(x)
    torch.nn.functional.linear(x, torch.ones(4, 3))
    assert seen == ["flatten", "linear"]
    with DisableTorchFunction():
        x.sum()
    assert len(seen) == 2


def test_modes_nest():
    seen = []

    class Mode(TorchFunctionMode):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append((self.name, func.__name__))
            return func(*args, **(kwargs or {}))

    x = torch.ones(2)
    with Mode("outer"), Mode("inner"):
        y = torch.sin(x)
    assert y.tolist() == torch.sin(x).tolist()
    assert seen == [("inner", "sin"), ("outer", "sin")]


def test_a_function_of_ones_own():
    class Foreign:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    def mine(x):
        if has_torch_function((x,)):
            return handle_torch_function(mine, (x,), x)
        return x

    assert mine(3) == 3
    with pytest.raises(TypeError, match="no implementation found"):
        mine(Foreign())


def test_indexing_is_dispatched_by_its_dunder(oracle):
    for t in (oracle, torch):
        seen = []

        class Log(t.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                seen.append(func.__name__)  # noqa: B023
                return super().__torch_function__(func, types, args, kwargs or {})

        x = t.ones(2).as_subclass(Log)
        x[0]
        x[0] = 2
        assert seen == ["__getitem__", "__setitem__"]
