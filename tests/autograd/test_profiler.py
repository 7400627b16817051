"""Ranges and their table."""

from flambeau.autograd.profiler import profile, record_function


def test_ranges_are_counted():
    @record_function("inner")
    def inner():
        return 3

    with profile() as found, record_function("outer"):
        assert inner() + inner() == 6
    averages = {e.key: e.count for e in found.key_averages()}
    assert averages == {"inner": 2, "outer": 1}
    assert found.table(sort_by="count").splitlines()[1].startswith("inner")
    inner()
    assert len(found.function_events) == 3
