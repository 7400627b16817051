"""The older profile and the newer one record the same events."""

import pytest

import flambeau as torch
from flambeau.autograd.profiler import profile, record_function


def test_ranges_are_counted():
    @record_function("inner")
    def inner():
        return 3

    with profile() as found, record_function("outer"):
        assert inner() + inner() == 6
    averages = {e.key: e.count for e in found.key_averages()}
    assert averages == {"inner": 2, "outer": 1}
    assert "inner" in found.table(sort_by="count")
    inner()
    assert [e.name for e in found.function_events] == ["outer", "inner", "inner"]


def test_operations_are_recorded_by_their_names():
    layer, x = torch.nn.Linear(2, 3), torch.ones(1, 2)
    with profile(record_shapes=True) as found:
        layer(x).exp().zero_()
    events = found.function_events
    assert [e.name for e in events] == ["aten::linear", "aten::addmm", "aten::exp", "aten::zero_"]
    assert events[1].cpu_parent is events[0] and events[2].input_shapes == [[1, 3]]


def test_a_range_of_either_module_is_seen_by_either_profile():
    with torch.profiler.profile() as new, record_function("old range"):
        pass
    with profile() as old, torch.profiler.record_function("new range"):
        pass
    assert [e.name for e in new.events()] == ["old range"]
    assert [e.name for e in old.function_events] == ["new range"]


def test_a_profile_is_used_once_and_read_afterwards():
    with profile() as found, pytest.raises(RuntimeError, match="leave the block"):
        found.key_averages()
    with pytest.raises(RuntimeError, match="not reentrant"), found:
        pass
    with profile(enabled=False) as nothing:
        torch.ones(2).exp()
    with pytest.raises(RuntimeError, match="finish"):
        nothing.table()


def test_the_same_is_recorded_whether_functions_ask_as_a_whole_or_not():
    from flambeau.core.overrides import cover

    layer, x = torch.nn.Linear(2, 3), torch.ones(1, 2)
    found = []
    for _ in range(2):
        with profile() as events:
            layer(x).softmax(-1).reshape(3).zero_()
        found.append([e.name for e in events.function_events])
        cover()
    assert found[0] == found[1]
