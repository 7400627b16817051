"""Both engines in one run: two workers, values compared first, then timed in turns A B A B.

Each engine lives in a process of its own (``worker.py``) and only one of them works at a time, so
that a slow minute of the machine falls on both. A ratio is the median of the rounds' ratios:
flambeau's time over PyTorch's.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ENGINES = ("torch", "flambeau")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Failed(Exception):
    """A worker could not do what it was told; the text is its error."""


class Process:
    """A worker seen from outside."""

    def __init__(
        self,
        python: str,
        engine: str,
        module: str,
        threads: int,
        extra: dict[str, str] | None = None,
    ) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in THREAD_VARIABLES}
        environment |= extra or {}
        if threads:
            environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
        worker = Path(__file__).with_name("worker.py")
        self.engine = engine
        self.process = subprocess.Popen(
            [python, str(worker), engine, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def ask(self, name: str, *arguments: Any) -> Any:
        """Send one command and wait for its answer."""
        assert self.process.stdin and self.process.stdout
        try:
            print(json.dumps([name, *arguments]), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SystemExit(f"the {self.engine} worker ended; its error stands above")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.engine}: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        """End the worker."""
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        self.process.wait()


class Result(NamedTuple):
    """One line of the table. Times are seconds per iteration; three numbers are the quartiles."""

    kind: str
    name: str
    limit: float | None
    times: dict[str, list[float]] | None = None
    ratio: list[float] | None = None
    problem: str | None = None

    @property
    def over(self) -> bool:
        """Whether the line breaks its promise, by its value or by its time."""
        return self.ratio is None or (self.limit is not None and self.ratio[1] > self.limit)


def close(left: Any, right: Any, tolerance: float = 1e-5) -> bool:
    """Whether two nested lists of numbers have one shape and nearly one content."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            close(a, b, tolerance) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, list) or isinstance(right, list) or type(left) is not type(right):
        return False
    if isinstance(left, float):
        return math.isclose(left, right, rel_tol=tolerance, abs_tol=tolerance)
    return left == right


def quartiles(values: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def compare(
    workers: list[Process], line: int, rounds: int, seconds: float, tolerance: float
) -> dict[str, Any]:
    """The measurement of one workload."""
    torch, flambeau = workers
    values = [worker.ask("value", line) for worker in workers]
    if not close(*values, tolerance):
        raise Failed("the engines' values differ")
    iterations = [worker.ask("calibrate", line, seconds) for worker in workers]
    times: dict[str, list[float]] = {worker.engine: [] for worker in workers}
    for _ in range(rounds):
        for worker, count in zip(workers, iterations, strict=True):
            times[worker.engine].append(worker.ask("time", line, count) / count)
    pairs = zip(times[torch.engine], times[flambeau.engine], strict=True)
    return {
        "times": {engine: quartiles(values) for engine, values in times.items()},
        "ratio": quartiles([mine / theirs for theirs, mine in pairs]),
    }


def run(
    module: str,
    lines: list[Any],
    chosen: list[int],
    pythons: dict[str, str],
    threads: int,
    **how: Any,
) -> Iterator[Result | str]:
    """First what the engines are, a line each; then a result per chosen workload, as it is done."""
    workers = [Process(pythons[engine], engine, module, threads) for engine in ENGINES]
    try:
        for worker in workers:
            yield worker.ask("about")
        for number in chosen:
            line = lines[number]
            try:
                tolerance = getattr(line, "tolerance", 1e-5)
                found = compare(workers, number, tolerance=tolerance, **how)
            except Failed as problem:
                found = {"problem": str(problem)}
            yield Result(line.kind, line.name, line.limit, **found)
    finally:
        for worker in workers:
            worker.close()


def render(result: Result, unit: float = 1e6, width: int = 32) -> str:
    """The line of the table; `unit` is how many of the printed unit make a second."""
    label = f"{result.kind:12s} {result.name:{width}s}"
    if result.times is None or result.ratio is None:
        return f"{label} {result.problem}"
    theirs, mine = (f"{result.times[engine][1] * unit:9.2f}" for engine in ENGINES)
    low, ratio, high = result.ratio
    limit = (
        "" if result.limit is None else f"  <= {result.limit:.1f}{'  OVER' if result.over else ''}"
    )
    return f"{label} {theirs} {mine}   {ratio:5.2f}  [{low:.2f} {high:.2f}]{limit}"


def default_pythons(torch_python: str | None) -> dict[str, str]:
    """Which interpreter runs which engine."""
    return {"torch": torch_python or sys.executable, "flambeau": sys.executable}
