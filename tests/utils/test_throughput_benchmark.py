"""`ThroughputBenchmark` counts and words as PyTorch's does."""

from __future__ import annotations

import pytest

import flambeau


def test_it_calls_and_counts(oracle):
    texts = []
    for t in (flambeau, oracle):
        calls = []

        class Layer(t.nn.Module):
            def forward(self, x, scale=1, calls=calls):
                calls.append(scale)
                return x * scale

        measured = t.utils.ThroughputBenchmark(Layer())
        measured.add_input(t.ones(2))
        measured.add_input(t.ones(2), scale=3)
        assert measured.run_once(t.ones(1), scale=2).item() == 2
        found = measured.benchmark(num_calling_threads=2, num_warmup_iters=3, num_iters=20)
        assert set(calls) == {1, 2, 3} and found.latency_avg_ms > 0
        assert found.total_time_seconds > 0 and found.iters_per_second > 0
        lines = str(found).splitlines()
        texts.append((len(calls), found.num_iters, [line.partition(":")[0] for line in lines]))
        form = t.utils.throughput_benchmark.format_time
        texts.append((form(time_us=3.2), form(time_ms=1500), form(time_s=2), form(time_us=1e3)))
    assert texts[:2] == texts[2:]


def test_what_goes_wrong():
    with pytest.raises(TypeError, match="expected a module"):
        flambeau.utils.ThroughputBenchmark(abs)
    measured = flambeau.utils.ThroughputBenchmark(flambeau.nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="add_input"):
        measured.benchmark()
    measured.add_input(flambeau.ones(3))
    with pytest.raises(RuntimeError):
        measured.benchmark(num_warmup_iters=1, num_iters=1)
