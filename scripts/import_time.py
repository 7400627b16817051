"""How long ``import flambeau`` takes beside ``import numpy``: fresh processes, medians.

``python scripts/import_time.py [--rounds 15] [--also torch]``. Measured inside the process, so that
Python's own start-up, the same for all, is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"


def seconds(python: str, module: str, caches: str) -> float:
    """One import of ``module`` in a fresh process that keeps its compiled files in ``caches``."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [python, "-c", PROBE.format(module)],
        env={**environment, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": caches},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(python: str, modules: list[str], rounds: int) -> dict[str, float]:
    """The median import time of each module, after one warm-up round that fills the caches."""
    times: dict[str, list[float]] = {m: [] for m in modules}
    with tempfile.TemporaryDirectory(prefix="flambeau-import-") as caches:
        for turn in range(rounds + 1):
            for module in modules:
                took = seconds(python, module, caches)
                if turn:
                    times[module].append(took)
    return {module: statistics.median(values) for module, values in times.items()}


def main() -> None:
    """Print one line per module, with the ratio to NumPy's import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--also", nargs="*", default=[], help="further modules, as in --also torch")
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    medians = measure(options.python, ["numpy", "flambeau", *options.also], options.rounds)
    for module, took in medians.items():
        print(f"import {module:10s} {took:6.3f} s   {took / medians['numpy']:5.2f} x numpy")


if __name__ == "__main__":
    main()
