"""The larger workloads against PyTorch: training steps, inference, memory-bound and indexed work.

    python bench/suite.py [--only REGEX] [--threads one|default|both] [--rounds 9] [--json FILE]
                          [--report] [--torch-python PATH] [--check]

Both engines in one run, in turns, values first (``harness.py``). Beside the time: what the first
iteration costs in a fresh process with an empty and with a filled cache of kernels, the most memory
a process held, and the share of what the machine can do (``roofline.py``). ``--report`` writes
``docs/performance.md`` with its plots from this run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from bench import harness, report
from bench.workloads import steps

MODULE = "bench.workloads.steps"
THREADS = {"one": [1], "default": [0], "both": [1, 0]}


def roofline(threads: int) -> dict[str, float]:
    """What the machine can do, measured in a process of its own."""
    command = [sys.executable, str(ROOT / "bench" / "roofline.py"), "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def alone(python: str, engine: str, threads: int, extra: dict[str, str], *question: Any) -> Any:
    """One question to a fresh worker."""
    worker = harness.Process(python, engine, MODULE, threads, extra)
    try:
        return worker.ask(*question)
    finally:
        worker.close()


def beside(pythons: dict[str, str], line: int, threads: int) -> dict[str, Any]:
    """Cold starts and peak memory of one workload, engine by engine."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as cache:
        extra = {"FLAMBEAU_CACHE_DIR": cache}
        for engine, python in pythons.items():
            first = alone(python, engine, threads, extra, "cold", line)
            second = alone(python, engine, threads, extra, "cold", line)
            before, peak = alone(python, engine, threads, extra, "memory", line, 4)
            found[engine] = {
                "import": second[0],
                "first, empty cache": first[1],
                "first, filled cache": second[1],
                "memory before": before,
                "memory at most": peak,
            }
    return found


def share(line: Any, seconds: float, roof: dict[str, float]) -> float | None:
    """Of the machine's arithmetic or bandwidth, whichever the workload is bound by."""
    least = max(line.flops / roof["flops"], line.moved / roof["bytes"])
    return least / seconds if least else None


def main() -> None:
    """Measure, print the table as it grows, write JSON and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="workloads whose kind or name matches")
    parser.add_argument("--threads", choices=THREADS, default="both")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.15, help="of one round, per engine")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", action="store_true", help="write docs/performance.md")
    parser.add_argument("--torch-python", help="the interpreter that has PyTorch")
    parser.add_argument("--quick", action="store_true", help="no cold starts, no memory")
    parser.add_argument("--check", action="store_true", help="fail where a limit is passed")
    options = parser.parse_args()

    lines = steps.table()
    chosen = [i for i, w in enumerate(lines) if re.search(options.only, f"{w.kind} {w.name}")]
    if not chosen:
        parser.error(f"no workload matches {options.only!r}")
    pythons = harness.default_pythons(options.torch_python)
    found: list[dict[str, Any]] = []
    roofs = {}
    for threads in THREADS[options.threads]:
        count = threads or len(os.sched_getaffinity(0))
        roof = roofs[str(threads or "default")] = roofline(threads)
        print(
            f"\n{count} thread{'s' * (count > 1)}: {roof['flops'] / 1e9:.0f} GFLOP/s, "
            f"{roof['bytes'] / 1e9:.1f} GB/s; milliseconds per iteration"
        )
        print(f"{'':59s} {'PyTorch':>9s} {'flambeau':>9s}   ratio  quartiles   limit")
        results = harness.run(
            MODULE, lines, chosen, pythons, threads, rounds=options.rounds, seconds=options.seconds
        )
        for result in results:
            if isinstance(result, str):
                print(f"  {result}")
                continue
            number = next(
                i for i in chosen if (lines[i].kind, lines[i].name) == (result.kind, result.name)
            )
            entry = {"threads": threads or "default", **result._asdict(), "over": result.over}
            if result.times is not None:
                entry["roofline"] = {
                    engine: share(lines[number], times[1], roof)
                    for engine, times in result.times.items()
                }
                if not options.quick:
                    entry["beside"] = beside(pythons, number, threads)
            found.append(entry)
            print(harness.render(result, 1e3, 46) + report.remarks(entry), flush=True)
    run = {"machine": report.machine(), "roofline": roofs, "results": found}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(run, indent=1) + "\n")
    if options.report:
        report.write(run, ROOT / "docs")
    over = sum(entry["over"] for entry in found)
    if over:
        print(f"\n{over} of {len(found)} lines over their limit or without a time")
    sys.exit(bool(over) and options.check)


if __name__ == "__main__":
    main()
