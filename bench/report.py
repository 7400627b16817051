"""The page and the plots of a run of ``suite.py``: numbers as they were measured."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

PAGE = """\
# Performance

Time over PyTorch 2.13's for the same file under both engines, interleaved in one run: under 1, flambeau is the faster. Values are compared before anything
is timed. Medians of the rounds' ratios, quartiles in brackets. This page is written by `make bench`; the numbers as JSON lie beside it in
[performance.json](performance.json). Small operations have a bench of their own: `python bench/eager.py`.

Measured on {day}: {machine}.

![ratios](img/performance.png)

{tables}
"""
TABLE = """\
## {title}

The machine at its best, measured in the same run: {flops:.0f} GFLOP/s in matrix products, {bytes:.1f} GB/s in copies.

| workload | PyTorch ms | flambeau ms | ratio | limit | of the roofline | first call, empty / filled cache, s | memory at most, MB (PyTorch) |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


def machine() -> str:
    """The processor, its cores, and the versions."""
    name = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in text if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        name = (
            f"{fields.get('model name', name)}, family {fields.get('cpu family')} model "
            f"{fields.get('model')}"
        )
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, Python {platform.python_version()}"


def percent(value: float | None) -> str:
    """A share, or nothing where none was worked out."""
    return "" if value is None else f"{100 * value:.0f} %"


def remarks(entry: dict[str, Any]) -> str:
    """What stands behind the time on the terminal."""
    parts = []
    if entry.get("roofline", {}).get("flambeau"):
        parts.append(f"roof {percent(entry['roofline']['flambeau'])}")
    if "beside" in entry:
        ours, theirs = entry["beside"]["flambeau"], entry["beside"]["torch"]
        parts.append(
            f"first {ours['first, empty cache']:.2f}/{ours['first, filled cache']:.2f} s "
            f"({theirs['first, filled cache']:.2f})"
        )
        parts.append(f"memory {ours['memory at most'] >> 20} MB ({theirs['memory at most'] >> 20})")
    return "   " + "; ".join(parts) if parts else ""


def row(entry: dict[str, Any]) -> str:
    """A line of the page's table."""
    if entry["ratio"] is None:
        return f"| {entry['name']} | | | {entry['problem']} | {entry['limit'] or ''} | | | |"
    low, middle, high = entry["ratio"]
    theirs, mine = (entry["times"][engine][1] * 1e3 for engine in ("torch", "flambeau"))
    first = memory = ""
    if "beside" in entry:
        ours, torch = entry["beside"]["flambeau"], entry["beside"]["torch"]
        first = f"{ours['first, empty cache']:.2f} / {ours['first, filled cache']:.2f}"
        memory = f"{ours['memory at most'] >> 20} ({torch['memory at most'] >> 20})"
    bold = "**" if entry["over"] else ""
    return (
        f"| {entry['name']} | {theirs:.2f} | {mine:.2f} | {bold}{middle:.2f}{bold} [{low:.2f} "
        f"{high:.2f}] | {entry['limit'] or ''} | {percent(entry['roofline']['flambeau'])} | "
        f"{first} | {memory} |"
    )


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Ratios as bars, the limits as marks."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    timed = [entry for entry in results if entry["ratio"] is not None]
    names = list(dict.fromkeys(entry["name"] for entry in timed))
    kinds = list(dict.fromkeys(entry["threads"] for entry in timed))
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(names) + 1.2))
    height = 0.8 / len(kinds)
    for k, threads in enumerate(kinds):
        chosen = {entry["name"]: entry for entry in timed if entry["threads"] == threads}
        places = [
            i + (k - (len(kinds) - 1) / 2) * height for i, n in enumerate(names) if n in chosen
        ]
        values = [chosen[n]["ratio"] for n in names if n in chosen]
        spread = [[v[1] - v[0] for v in values], [v[2] - v[1] for v in values]]
        label = "one thread" if threads == 1 else "all cores"
        axes.barh(places, [v[1] for v in values], height, xerr=spread, label=label)
    for i, name in enumerate(names):
        limit = next(entry["limit"] for entry in timed if entry["name"] == name)
        if limit:
            axes.plot([limit, limit], [i - 0.45, i + 0.45], color="black", linewidth=2)
    axes.axvline(1, color="grey", linestyle=":")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("time over PyTorch's (black: the limit)")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write(run: dict[str, Any], docs: Path) -> None:
    """``performance.md``, its JSON and its plot."""
    import json

    tables = []
    for threads, roof in run["roofline"].items():
        rows = [row(entry) for entry in run["results"] if str(entry["threads"]) == threads]
        title = "One thread" if threads == "1" else "All cores"
        tables.append(
            TABLE.format(
                title=title,
                flops=roof["flops"] / 1e9,
                bytes=roof["bytes"] / 1e9,
                rows="\n".join(rows),
            )
        )
    (docs / "img").mkdir(exist_ok=True)
    plot(run["results"], docs / "img" / "performance.png")
    (docs / "performance.json").write_text(json.dumps(run, indent=1) + "\n")
    (docs / "performance.md").write_text(
        PAGE.format(
            day=date.today().isoformat(), machine=run["machine"], tables="\n".join(tables).strip()
        )
    )
