"""The list of rows in which real torch differs from itself: `failing/itself.txt`.

Written by `--against-itself` (see ``itself``) alone: (database, name, dtype, aspect), then the
classes of processor under which torch is not within its own tolerances, and the first difference.
The score counts them, the lists of what fails quote them. Stands on ``result``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .result import Result

LIST = Path(__file__).parent / "failing" / "itself.txt"


def read() -> dict[str, dict[tuple[str, str, str], str]]:
    """Database -> (name, dtype, aspect) -> the classes of processor."""
    found: dict[str, dict[tuple[str, str, str], str]] = defaultdict(dict)
    for line in LIST.read_text().splitlines() if LIST.exists() else ():
        entry, _, why = line.partition("#")
        db, name, dtype, aspect = entry.split()
        found[db][name, dtype, aspect] = why.strip().partition(":")[0]
    return found


def write(results: Iterable[Result]) -> Path:
    """Write the list anew; what was not run keeps its line."""
    lines = {}
    for line in LIST.read_text().splitlines() if LIST.exists() else ():
        lines[tuple(line.partition("#")[0].split())] = line
    for result in results:
        key = (result.db, *result.key)
        lines.pop(key, None)
        if result.state == "fail":
            reason = f"{result.kind}: {result.reason}"[:90].replace("#", "")
            lines[key] = f"{' '.join(key)}  # {result.where}: {reason}".rstrip()
    LIST.write_text("".join(lines[key] + "\n" for key in sorted(lines)))
    return LIST
