"""One engine in one process, which answers commands: a line of JSON in, a line of JSON out.

``python bench/worker.py ENGINE WORKLOADS``. The engine is imported here and handed to the workloads
as ``torch``; the other engine is never in this process, so neither disturbs the other. How many
threads it may use stands in the environment, which both engines read.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def plain(value: Any) -> Any:
    """A result as numbers and lists, which both engines can be compared by."""
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def resident(field: str) -> int:
    """Bytes by the system's books: VmRSS now, VmHWM at most so far; 0 where it has none."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(field)), 0
    )


class Worker:
    """The state of one worker: the engine and the workloads built so far."""

    def __init__(self, engine: str, module: str) -> None:
        start = time.perf_counter()
        self.torch = importlib.import_module(engine)
        self.imported = time.perf_counter() - start
        self.lines = importlib.import_module(module).table()
        self.ready: dict[int, Any] = {}

    def about(self) -> str:
        """The engine's name and version, and its Python's."""
        name, version = self.torch.__name__, self.torch.__version__
        return f"{name} {version}, Python {platform.python_version()}"

    def value(self, line: int) -> Any:
        """The result of the third call on fresh state; keeps the workload for timing."""
        call = self.lines[line].build(self.torch)
        call(), call()
        self.ready[line] = call
        return plain(call())

    def cold(self, line: int) -> list[float]:
        """Seconds of the import, and of building the state with the first iteration."""
        start = time.perf_counter()
        self.lines[line].build(self.torch)()
        return [self.imported, time.perf_counter() - start]

    def memory(self, line: int, iterations: int) -> list[int]:
        """Bytes: what the process held before, and the most it held while it worked."""
        before = resident("VmRSS")
        call = self.lines[line].build(self.torch)
        for _ in range(iterations):
            call()
        return [before, resident("VmHWM")]

    def time(self, line: int, iterations: int) -> float:
        """Seconds for so many iterations."""
        call = self.ready[line]
        gc.collect()
        turns = range(iterations)
        start = time.perf_counter()
        for _ in turns:
            call()
        return time.perf_counter() - start

    def calibrate(self, line: int, seconds: float) -> int:
        """How many iterations take about ``seconds``; warms the workload on the way."""
        iterations = 1
        while (took := self.time(line, iterations)) < seconds / 4:
            iterations *= 4
        return max(1, round(iterations * seconds / took))


def main() -> None:
    """Answer until the input ends. What workloads print goes to the standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:0] = [str(ROOT)]
    warnings.simplefilter("ignore")
    worker = Worker(*sys.argv[1:])
    for text in sys.stdin:
        name, *arguments = json.loads(text)
        try:
            answer = {"answer": getattr(worker, name)(*arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
