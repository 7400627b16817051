"""`python -m tests.parity.run`: run PyTorch's databases against flambeau and print the score.

python -m tests.parity.run -j 2                        # op_db, module_db, optim_db: the default
python -m tests.parity.run --db op -k conv --group     # some operators, failures by cause
python -m tests.parity.run --db op --dtype complex64 --aspect forward,grad
python -m tests.parity.run --inputs reference -k conv  # op_db on ten times as many inputs
python -m tests.parity.run -j 2 --write-failing        # regenerate the lists
python -m tests.parity.run --against-itself -k matmul  # torch under other classes of processor
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from torch.testing._internal import common_utils

from . import (
    apart,
    failing,
    foreach,
    hop,
    itself,
    modules,
    operators,
    optimizers,
    own,
    reference,
    report,
    shard,
)
from .engine import load
from .result import Result

DATABASES = {
    "op": operators,
    "module": modules,
    "optim": optimizers,
    "foreach": foreach,
    "own": own,
    "hop": hop,
}
KNOWN = {**DATABASES, "reference": reference}


def requested(db: Any, arguments: argparse.Namespace) -> Any:
    """The (dtype, aspects) pairs of one database that the command line asks for."""
    wanted = db.DEFAULT
    if arguments.daily:
        wanted = getattr(db, "DAILY", db.DEFAULT)
    if arguments.full:
        wanted = getattr(db, "FULL", db.DEFAULT)
    if arguments.dtype:
        given = arguments.dtype.split(",")
        known = dict(wanted)
        wanted = tuple((d, known.get(d, ("forward", "grad"))) for d in given)
    if arguments.aspect:
        wanted = tuple((dtype, tuple(arguments.aspect.split(","))) for dtype, _ in wanted)
    return wanted


def select(db: Any, pattern: str | None) -> list[str]:
    """Names that contain the pattern; `a,b` is either, `=name` is exactly that name."""
    if not pattern:
        return db.names()
    parts = pattern.split(",")
    return [
        name
        for name in db.names()
        if any(p[1:] == name if p.startswith("=") else p in name for p in parts)
    ]


def parse(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity.run", description=__doc__)
    parser.add_argument("--engine", default="flambeau", help="module under test (torch: self-test)")
    parser.add_argument(
        "--db", default="op,module,optim,foreach,own,hop", help="of " + ", ".join(KNOWN)
    )
    parser.add_argument(
        "--inputs", choices=("samples", "reference"), help="op_db's: --db op or reference"
    )
    parser.add_argument("-k", dest="pattern", help="only names that contain this (a,b or =exact)")
    parser.add_argument("--dtype", help="dtypes by comma; default: the database's")
    parser.add_argument("--aspect", help="aspects by comma; default: the database's")
    parser.add_argument("--full", action="store_true", help="every dtype and aspect")
    parser.add_argument("--daily", action="store_true", help="what CI runs, on every sample")
    parser.add_argument(
        "--against-itself", action="store_true", help="torch on other processors; writes the list"
    )
    parser.add_argument("--seed", type=int, help="other samples than the databases' own")
    parser.add_argument("-j", dest="processes", type=int, default=1, help="worker processes")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one name")
    parser.add_argument("--out", type=Path, help="folder for parity.json")
    parser.add_argument("--group", action="store_true", help="failures grouped by cause")
    parser.add_argument("-v", dest="verbose", action="store_true", help="every failure, its sample")
    parser.add_argument("--write-score", action="store_true", help="rewrite score.md (only --full)")
    parser.add_argument("--write-failing", action="store_true", help="rewrite failing/<db>.txt")
    arguments = parser.parse_args(given)
    if arguments.inputs:
        arguments.db = {"samples": "op", "reference": "reference"}[arguments.inputs]
    return arguments


def whole(arguments: argparse.Namespace) -> bool:
    """Whether the command line asks for everything: only then the score stands for the project."""
    narrowed = arguments.pattern or arguments.dtype or arguments.aspect
    return bool(arguments.full and not narrowed and set(DATABASES) <= set(arguments.db.split(",")))


def main(given: list[str] | None = None) -> int:
    """Run, report, and return 0 (what fails is the lists' business) or 2 for a wrong call."""
    arguments = parse(given)
    if arguments.write_score and not whole(arguments):
        print("--write-score: expected --full without -k, --dtype, --aspect", file=sys.stderr)
        return 2
    start = time.monotonic()
    jobs = []
    for short in arguments.db.split(","):
        if short not in KNOWN:
            print(f"--db {short}: expected some of {', '.join(KNOWN)}", file=sys.stderr)
            return 2
        db = KNOWN[short]
        wanted = requested(db, arguments)
        jobs += [(short, name, wanted) for name in select(db, arguments.pattern)]
    engine = load(arguments.engine)
    if arguments.seed is not None:
        common_utils.SEED = arguments.seed

    def work(job: tuple[str, str, Any]) -> list[Result]:
        short, name, wanted = job
        if arguments.against_itself:
            return itself.run(short, KNOWN[short], name, wanted, arguments.timeout)
        return KNOWN[short].run(name, engine, wanted, arguments.timeout)

    results: list[Result] = []
    for index, (job, answer, why) in enumerate(
        shard.run(jobs, work, arguments.processes, arguments.timeout)
    ):
        short, name, wanted = job
        results += answer if answer is not None else KNOWN[short].lost(name, wanted, why)
        if sys.stderr.isatty():
            print(f"\r{index + 1}/{len(jobs)} {name[:50]:50}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    order = {(KNOWN[short].NAME, name): i for i, (short, name, _) in enumerate(jobs)}
    results.sort(key=lambda result: order[result.db, result.name])
    out = {KNOWN[short].NAME: KNOWN[short].out() for short in arguments.db.split(",")}
    if arguments.verbose:
        report.print_failures(results)
    if arguments.group:
        report.print_groups(results)
    report.print_score(results, out)
    print(f"{len(results)} results in {time.monotonic() - start:.0f} s")
    if arguments.out:
        print(f"written {report.write_json(results, out, arguments.out)}")
    if arguments.write_score:
        print(f"written {report.write_score(results, out)}")
    if arguments.against_itself:
        all_names = not arguments.pattern and arguments.seed is None
        print(f"written {apart.write(results, all_names)}")
    if arguments.write_failing:
        for short in arguments.db.split(","):
            print(f"written {failing.write(KNOWN[short].NAME, results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
