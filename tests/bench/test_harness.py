"""The benchmark's own judgement: which values agree, which lines break a promise."""

from __future__ import annotations

import sys

import pytest

from bench import harness
from bench.workloads import eager


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-7], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([1.0], [1.0, 1.0], False),
        ([True], [1], False),
        ([[1], [2]], [[1], [2]], True),
        (1.0, [1.0], False),
        (float("inf"), float("inf"), True),
    ],
)
def test_close_compares_shape_type_and_value(left, right, same):
    assert harness.close(left, right) is same


def test_close_keeps_its_tolerance_inside_lists():
    assert harness.close([[1.0, [2.0]]], [[1.001, [2.002]]], 1e-2)
    assert not harness.close([[1.0, [2.0]]], [[1.001, [2.002]]], 1e-4)


def test_a_line_is_over_by_time_or_for_want_of_one():
    result = harness.Result("chain", "x", 0.6, times={}, ratio=[0.5, 0.59, 0.7])
    assert not result.over
    assert result._replace(ratio=[0.5, 0.61, 0.7]).over
    assert not result._replace(limit=None, ratio=[2.0, 3.0, 4.0]).over
    assert result._replace(limit=None, ratio=None).over


def test_names_are_unique_and_every_limit_has_lines():
    lines = eager.table()
    assert len({(line.kind, line.name) for line in lines}) == len(lines)
    assert set(eager.LIMITS) <= {line.kind for line in lines}


def test_worker_answers_values_times_and_errors():
    worker = harness.Process(sys.executable, "flambeau", "bench.workloads.eager", 1)
    try:
        assert worker.ask("about").startswith("flambeau ")
        number = [line.name for line in eager.table()].index("a + b")
        value = worker.ask("value", number)
        assert harness.close(value, (eager.array(4, 4) + eager.array(4, 4, seed=1)).tolist())
        assert worker.ask("calibrate", number, 0.001) >= 1
        assert worker.ask("time", number, 3) > 0
        with pytest.raises(harness.Failed, match="flambeau: IndexError"):
            worker.ask("value", 10_000)
    finally:
        worker.close()
