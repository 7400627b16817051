"""The lists of what does not pass yet: `failing/<db>.txt`, written by the runner alone.

One line for each (name, dtype, aspect), with the reason in a few words after `#`. A list may only
shrink: what passes must be taken out, what is not in it must pass. Differences of kind `rounding`
are last digits of float32 sums: they belong to the processor (its vector width, the matrix library's
kernels) as much as to the code, on both sides. `machine.txt` says on which one the lists were written;
on another one such rows are neither asked for nor forbidden.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import apart
from .result import Result

FOLDER = Path(__file__).parent / "failing"


def path_of(db: str) -> Path:
    """The list's file."""
    return FOLDER / f"{db}.txt"


def read(db: str) -> set[tuple[str, str, str]]:
    """The (name, dtype, aspect) keys of a list; empty where there is none."""
    path = path_of(db)
    if not path.exists():
        return set()
    keys = set()
    for line in path.read_text().splitlines():
        entry = line.partition("#")[0].split()
        if entry:
            name, dtype, aspect = entry
            keys.add((name, dtype, aspect))
    return keys


def machine() -> str:
    """The processor, as far as rounding depends on it: vendor, family, model."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        import platform

        return f"{platform.system()} {platform.machine()} {platform.processor()}".strip()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    return " ".join(named.get(key, "") for key in ("vendor_id", "cpu family", "model")).strip()


def same_machine() -> bool:
    """Whether the lists were written on a processor like this one."""
    path = FOLDER / "machine.txt"
    return path.exists() and path.read_text().strip() == machine()


def rounding(db: str) -> set[tuple[str, str, str]]:
    """The listed keys whose reason is rounding alone."""
    path = path_of(db)
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.partition("#") for line in lines]
    return {tuple(row[0].split()) for row in rows if row[2].strip().startswith("rounding")}  # type: ignore[misc]


def write(db: str, results: Iterable[Result]) -> Path:
    """Write the failing results of one database; pairs that were not run keep their lines."""
    done = {result.key: result for result in results if result.db == db}
    lines = {}
    torch_apart = apart.read()[db]
    path = path_of(db)
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = line.partition("#")[0].split()
        if entry and tuple(entry) not in done:
            lines[tuple(entry)] = line
    for key, result in done.items():
        if result.state == "fail":
            truth = f", {result.truth}" if result.truth else ""
            reason = f"{result.kind}{truth}: {result.reason}"[:150].replace("#", "")
            classes = torch_apart.get(key)
            also = f" (torch differs from itself too: {classes})" if classes else ""
            lines[key] = f"{' '.join(key)}  # {reason}{also}".rstrip()
    path.parent.mkdir(parents=True, exist_ok=True)
    (FOLDER / "machine.txt").write_text(machine() + "\n")
    path.write_text("".join(lines[key] + "\n" for key in sorted(lines)))
    return path
