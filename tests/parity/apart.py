"""The list of rows in which real torch differs from itself: `failing/itself.txt`.

Written by `--against-itself` (see ``itself``) alone: (database, name, dtype, aspect), then the
classes of processor under which torch is not within its own tolerances, and the first difference.
Ahead of them stand the rows of the score that were run over all names.
The score counts them, the lists of what fails quote them. Stands on ``result``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .result import Result

LIST = Path(__file__).parent / "failing" / "itself.txt"


WHOLE = "# all names of "


def _lines() -> list[str]:
    return LIST.read_text().splitlines() if LIST.exists() else []


def whole() -> set[tuple[str, str, str]]:
    """(database, dtype, aspect) of the rows that were run over all names."""
    return {
        (db, dtype, aspect)
        for db, dtype, aspect in (
            line.removeprefix(WHOLE).split() for line in _lines() if line.startswith(WHOLE)
        )
    }


def read() -> dict[str, dict[tuple[str, str, str], str]]:
    """Database -> (name, dtype, aspect) -> the classes of processor."""
    found: dict[str, dict[tuple[str, str, str], str]] = defaultdict(dict)
    for line in _lines():
        entry, _, why = line.partition("#")
        if entry:
            db, name, dtype, aspect = entry.split()
            found[db][name, dtype, aspect] = why.strip().partition(":")[0]
    return found


def write(results: Iterable[Result], all_names: bool) -> Path:
    """Write the list anew; what was not run keeps its line."""
    results = list(results)
    rows = whole()
    if all_names:
        rows |= {(result.db, result.dtype, result.aspect) for result in results}
    lines = {
        tuple(line.partition("#")[0].split()): line
        for line in _lines()
        if not line.startswith(WHOLE)
    }
    for result in results:
        key = (result.db, *result.key)
        lines.pop(key, None)
        if result.state == "fail":
            reason = f"{result.kind}: {result.reason}"[:90].replace("#", "")
            lines[key] = f"{' '.join(key)}  # {result.where}: {reason}".rstrip()
    text = [f"{WHOLE}{' '.join(row)}" for row in sorted(rows)]
    LIST.write_text(
        "".join(line + "\n" for line in [*text, *(lines[key] for key in sorted(lines))])
    )
    return LIST
