"""The eager path against PyTorch's: small work, both engines in one run, ratios printed.

    python bench/eager.py [--only REGEX] [--threads one|default|both] [--rounds 15] [--json FILE]
                          [--torch-python PATH] [--check]

Under 1, flambeau is the faster. ``--check`` fails where a line passes its limit, has no time, or
where the engines' values differ. What is measured, with its limits, stands in
``workloads/eager.py``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from bench import harness
from bench.workloads import eager

MODULE = "bench.workloads.eager"
THREADS = {"one": [1], "default": [0], "both": [1, 0]}


def main() -> None:
    """Measure, print the table as it grows, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="workloads whose kind or name matches")
    parser.add_argument("--threads", choices=THREADS, default="both")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.02, help="of one round, per engine")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--torch-python", help="the interpreter that has PyTorch")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    lines = eager.table()
    chosen = [i for i, w in enumerate(lines) if re.search(options.only, f"{w.kind} {w.name}")]
    if not chosen:
        parser.error(f"no workload matches {options.only!r}")
    pythons = harness.default_pythons(options.torch_python)
    report = []
    over = 0
    for threads in THREADS[options.threads]:
        print(f"\n{'one thread' if threads else 'default threads'}; microseconds per iteration")
        print(f"{'':45s} {'PyTorch':>9s} {'flambeau':>9s}   ratio  quartiles   limit")
        results = harness.run(
            MODULE, lines, chosen, pythons, threads, rounds=options.rounds, seconds=options.seconds
        )
        for result in results:
            if isinstance(result, str):
                print(f"  {result}")
                continue
            print(harness.render(result), flush=True)
            over += result.over
            report.append({"threads": threads or "default", **result._asdict()})
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if over:
        print(f"\n{over} of {len(report)} lines over their limit or without a time")
    sys.exit(bool(over) and options.check)


if __name__ == "__main__":
    main()
