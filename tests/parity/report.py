"""What a run says: the score, the failures grouped by cause, the JSON file.

The score of a row counts names that pass over names that PyTorch supports; `void` ones (torch
could not run a sample either) count on neither side.
"""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from . import apart
from .result import Result, cause


def score(results: Iterable[Result]) -> dict[str, tuple[int, int]]:
    """`op_db float32 forward` -> (passed, total), and the combined row of every dtype."""
    rows: dict[str, list[bool]] = defaultdict(list)
    together: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    parts: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for result in results:
        if result.state == "void":
            continue
        passed = result.state == "pass"
        rows[f"{result.db} {result.dtype} {result.aspect}"].append(passed)
        group = (result.db, result.dtype)
        parts[group][result.aspect] = None
        together[group][result.name] = together[group].get(result.name, True) and passed
    table = {name: (sum(row), len(row)) for name, row in rows.items()}
    for group, verdicts in together.items():
        if len(parts[group]) > 1:
            label = " ".join((*group, "+".join(parts[group])))
            table[label] = (sum(verdicts.values()), len(verdicts))
    return table


def print_score(results: list[Result], out: dict[str, dict[str, str]]) -> None:
    """One line for each row of the score."""
    table = score(results)
    width = max(map(len, table), default=0)
    for name, (passed, total) in table.items():
        print(f"{name:{width}}  {passed}/{total}  ({100 * passed / total:.1f} %)")
    for db, names in out.items():
        if names:
            print(f"{db}: {len(names)} entries are out (no public name in PyTorch)")


def print_groups(results: Iterable[Result], examples: int = 6) -> None:
    """Failures grouped by cause, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.state == "fail":
            groups[cause(result)].append(result)
    for (kind, text, where), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        names = list(dict.fromkeys(f"{m.name}[{m.dtype} {m.aspect}]" for m in members))
        more = f" and {len(names) - examples} more" if len(names) > examples else ""
        print(f"{len(members):4d}  {kind}: {text}{'  @ ' + where if where else ''}")
        print(f"      {', '.join(names[:examples])}{more}")


def print_failures(results: Iterable[Result]) -> None:
    """One line for each failure, with its sample."""
    for result in results:
        if result.state == "fail":
            truth = f", {result.truth}" if result.truth else ""
            head = f"{result.name} {result.dtype} {result.aspect}: {result.kind}{truth}"
            print(f"{head}: {result.reason}")
            if result.where or result.sample:
                print(f"    {result.where}  {result.sample}")


def write_json(results: list[Result], out: dict[str, dict[str, str]], folder: Path) -> Path:
    """Write everything to `parity.json` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "parity.json"
    content = {
        "score": {name: list(pair) for name, pair in score(results).items()},
        "out": out,
        "results": [result.to_json() for result in results],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


SCORE = Path(__file__).parent / "score.md"


def write_score(results: list[Result], out: dict[str, dict[str, str]], path: Path = SCORE) -> Path:
    """Write the dated score of a whole run: a table for each database, and why entries are out."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("flambeau", "torch", "numpy"))
    lines = [
        "# PyTorch's databases: the score",
        "",
        f"Written by `make parity-full` on {date.today():%Y-%m-%d}, with {versions}, "
        f"Python {platform.python_version()}. A row counts names: one passes when all its samples "
        "agree with PyTorch. What does not pass stands by name in `failing/`. The column `itself` is "
        "what PyTorch reaches against PyTorch on other processors (`make parity-itself`): the "
        "names in which it stays within its own tolerances under SSE4.1, AVX2 and two threads; rows "
        "without it were not run so.",
    ]
    table = score(results)
    torch_apart, measured = apart.read(), apart.whole()
    for db in dict.fromkeys(result.db for result in results):
        lines += ["", f"## {db}", "", "| dtype | aspect | pass | of | % | itself |"]
        lines += ["|---|---|--:|--:|--:|--:|"]
        others = {result.key for result in results if result.db == db and result.state != "void"}
        others &= set(torch_apart[db])
        for name, (passed, total) in table.items():
            row, dtype, aspect = name.split(" ", 2)
            if row == db and "+" not in aspect:
                percent = f"{100 * passed / total:.1f}"
                itself: int | str = ""
                if (db, dtype, aspect) in measured:
                    itself = total - sum(key[1:] == (dtype, aspect) for key in others)
                lines.append(f"| {dtype} | {aspect} | {passed} | {total} | {percent} | {itself} |")
        if out.get(db):
            named = ", ".join(f"`{name}` ({why})" for name, why in out[db].items())
            lines += ["", f"Out of the count: {named}."]
    path.write_text("\n".join(lines) + "\n")
    return path
