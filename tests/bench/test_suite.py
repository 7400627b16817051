"""The larger workloads: what they compute under both engines, and the page made of a run."""

from __future__ import annotations

import warnings

import pytest

import flambeau
from bench import harness, report, suite
from bench.worker import plain, resident
from bench.workloads import steps

QUICK = ("64-128-10", "equation", "isoneutral", "topk")


def test_names_are_unique_and_every_line_has_a_limit():
    lines = steps.table()
    assert len({line.name for line in lines}) == len(lines)
    assert all(line.limit for line in lines)


@pytest.mark.parity
@pytest.mark.parametrize("name", QUICK)
def test_both_engines_agree(name, oracle):
    line = next(line for line in steps.table() if name in line.name)
    found = []
    for engine in (oracle, flambeau):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call = line.build(engine)
        call()
        found.append(plain(call()))
    assert harness.close(*found, line.tolerance)


def test_share_is_of_whatever_binds():
    line = steps.table()[0]._replace(flops=2e9, moved=1e9)
    roof = {"flops": 1e12, "bytes": 1e10}
    assert suite.share(line, 0.2, roof) == pytest.approx(0.5)
    assert suite.share(line._replace(flops=0, moved=0), 0.2, roof) is None


def test_memory_is_read_from_the_system():
    assert resident("VmHWM") >= resident("VmRSS") * 0.5 > 0


def test_page_shows_times_ratios_and_what_is_over(tmp_path):
    entry = {
        "threads": 1, "kind": "mlp", "name": "small", "limit": 0.4, "over": True, "problem": None,
        "times": {"torch": [1e-3] * 3, "flambeau": [5e-4] * 3}, "ratio": [0.4, 0.5, 0.6],
        "roofline": {"torch": 0.1, "flambeau": 0.2},
    }  # fmt: skip
    lost = entry | {"name": "lost", "times": None, "ratio": None, "problem": "values differ"}
    run = {
        "machine": report.machine(),
        "roofline": {"1": {"flops": 1e11, "bytes": 1e10}},
        "results": [entry, lost],
    }
    report.write(run, tmp_path)
    page = (tmp_path / "performance.md").read_text()
    assert "| small | 1.00 | 0.50 | **0.50** [0.40 0.60] | 0.4 | 20 % |" in page
    assert "values differ" in page and (tmp_path / "img" / "performance.png").stat().st_size > 1000
