"""Writes `flambeau/core/late_names.py`: the names that each late area of operations publishes.

The areas that `flambeau.core.ops` does not load at import are loaded one by one, and what each adds
is written down. ``python scripts/areas.py`` writes, ``--check`` only compares.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import sys
import textwrap
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "flambeau" / "core" / "late_names.py"
PACKAGE = "flambeau.core.ops"
HEAD = '''"""The names that each late area of `core/ops` publishes: at the top level, on Tensor, for
operations alone. Written by ``python scripts/areas.py``. Stands on nothing.
"""

'''
sys.path.insert(0, str(ROOT))


class Watch(importlib.abc.MetaPathFinder):
    """Tells which area sets a name: areas import each other, so each is looked at as it runs."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.seen = published()
        self.owner: dict[tuple[str, str], str] = {}

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """The area's own loader, watched; None for what is no area."""
        if not name.startswith(f"{PACKAGE}."):
            return None
        found: Any = importlib.machinery.PathFinder.find_spec(name, path)
        run = found.loader.exec_module

        def watched(module: ModuleType) -> None:
            self.look()
            self.running.append(name.rpartition(".")[2])
            run(module)
            self.look()
            self.running.pop()

        found.loader.exec_module = watched
        return found

    def look(self) -> None:
        """Give what is new to the area that runs.

        Raises:
            SystemExit: an area changes another's name; then which loads first would matter.
        """
        now = published()
        for key, value in now.items():
            if key not in self.seen:
                self.owner[key] = self.running[-1]
            elif self.seen[key] is not value and self.owner.get(key) != self.running[-1]:
                area = self.owner.get(key, "an area that loads at import")
                sys.exit(f"{self.running[-1]} publishes {key[1]} anew, which is of {area}")
        self.seen = now


def published() -> dict[tuple[str, str], Any]:
    """Everything under a name so far, by place and name."""
    from flambeau.core import declare, late
    from flambeau.core.tensor import Tensor

    places = {"function": declare.FUNCTIONS, "operation": vars(declare.ops), "method": vars(Tensor)}
    return {
        (place, name): value
        for place, names in places.items()
        for name, value in list(names.items())
        if not late.stands_in(value)
    }


def text() -> str:
    """The file as it should be."""
    import_module("flambeau")
    watch = Watch()
    sys.meta_path.insert(0, watch)
    for found in iter_modules(import_module(PACKAGE).__path__):
        import_module(f"{PACKAGE}.{found.name}")
    names: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (place, name), area in sorted(watch.owner.items()):
        names[area][place].append(name)
    lines = ["AREAS: dict[str, tuple[str, str, str]] = {"]
    for area, places in sorted(names.items()):
        functions, methods = places["function"], places["method"]
        inner = [name for name in places["operation"] if name not in functions]
        lines.append(f'    "{area}": (')
        for each in (functions, methods, inner):
            lines += [*_literal(" ".join(each)), "        ,"]
        lines.append("    ),")
    return HEAD + "\n".join([*lines, "}"]) + "\n"


def _literal(words: str) -> list[str]:
    """A string over several lines."""
    rows = textwrap.wrap(words, 84) or [""]
    return [f'        "{row} "' for row in rows[:-1]] + [f'        "{rows[-1]}"']


def main() -> None:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 on difference")
    if not parser.parse_args().check:
        if not FILE.exists():
            FILE.write_text(HEAD + "AREAS: dict[str, tuple[str, str, str]] = {}\n")
        FILE.write_text(text())
    elif _flat(FILE.read_text()) != _flat(text()):
        sys.exit(f"{FILE.relative_to(ROOT)} is out of date: run python scripts/areas.py")


def _flat(source: str) -> str:
    import ast

    return ast.dump(ast.parse(source))


if __name__ == "__main__":
    main()
