"""How many rows of the notes hold: a row holds where all tests named after it pass.

    python scripts/notes.py

Runs tests/notes (but for the mutations) and prints the score, and what fails by row.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict

import pytest

ROWS = 111


class Rows:
    """Collects the outcome of every test by the rows in its name."""

    def __init__(self) -> None:
        self.outcomes: dict[int, set[str]] = defaultdict(set)
        self.failed: dict[int, list[str]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        for row in rows_of(report.nodeid):
            self.outcomes[row].add(report.outcome)
            if report.failed:
                self.failed[row].append(report.nodeid)


def rows_of(nodeid: str) -> set[int]:
    """The rows that a test is named after, in its function's name or in the case's."""
    name = nodeid.rpartition("::")[2]
    found = set()
    for text in (name.partition("[")[0].removeprefix("test_"), name.partition("[")[2]):
        words = text.removeprefix("rows_").removeprefix("row_").replace(" ", "_").split("_")
        found |= {int(word) for word in itertools.takewhile(str.isdigit, words)}
    return found


def main() -> int:
    """Run the tests; 0 where every row holds."""
    rows = Rows()
    command = ["tests/notes", "-q", "--no-header", "--deselect", "tests/notes/test_mutations.py"]
    pytest.main([*command, *sys.argv[1:]], plugins=[rows])
    held = [
        row
        for row in range(1, ROWS + 1)
        if "passed" in rows.outcomes[row] and "failed" not in rows.outcomes[row]
    ]
    print(f"\n{len(held)} of {ROWS} rows hold")
    for row in sorted(set(range(1, ROWS + 1)) - set(held)):
        print(f"row {row}: {', '.join(rows.failed[row]) or 'no test'}")
    return int(len(held) < ROWS)


if __name__ == "__main__":
    raise SystemExit(main())
