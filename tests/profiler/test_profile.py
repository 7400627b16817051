"""profile: counts, nesting, schedules, traces."""

import json

import pytest

import flambeau as torch
from flambeau.profiler import ProfilerAction, profile, record_function, schedule


def test_counts_and_nesting(tmp_path):
    x = torch.ones(3)
    with profile(record_shapes=True) as p:
        with record_function("mine"):
            x.relu()
            x.relu()
        x.sum()
    rows = {row.key: row for row in p.key_averages()}
    assert rows["aten::relu"].count == 2 and rows["mine"].count == 1
    assert rows["mine"].cpu_time_total >= rows["aten::relu"].cpu_time_total
    assert "aten::relu" in p.key_averages().table(sort_by="self_cpu_time_total", row_limit=5)
    p.export_chrome_trace(str(tmp_path / "trace.json"))
    assert {
        e["name"] for e in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    } >= {"mine", "aten::sum"}
    before = len(p.events())
    x.relu()
    assert len(p.events()) == before


def test_schedule():
    plan = schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    names = [plan(k).name for k in range(6)]
    assert names == ["NONE", "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE", "NONE"]
    seen = []
    with profile(
        schedule=schedule(wait=1, warmup=0, active=1, repeat=2),
        on_trace_ready=lambda p: seen.append(p.step_num),
    ) as p:
        for _ in range(5):
            torch.ones(2).relu()
            p.step()
    assert seen == [2, 4]
    assert plan(0) is ProfilerAction.NONE
    with pytest.raises(AssertionError):
        schedule(wait=0, warmup=0, active=0)


def test_outside_a_profile_ranges_cost_nothing():
    @record_function("f")
    def f(x):
        return x + 1

    assert f(1) == 2
