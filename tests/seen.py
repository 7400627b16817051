"""Which public names a comparing test used in both engines: what `docs/coverage.md` calls exact.

With ``FLAMBEAU_SEEN=1`` in the environment every attribute that a test's own code reads from a
module of PyTorch or flambeau, or from a tensor, is noted; names that both gave to one passing
test go to `tests/parity/seen.txt`. Reads from inside the two packages do not count, nor does a
test that records the property "refused": that both raise is not that both do the same.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WANTED = os.environ.get("FLAMBEAU_SEEN") == "1"
FOLDER = Path(__file__).resolve().parent
LIST = FOLDER / "parity" / "seen.txt"
DATABASE_CODE = f"{os.sep}torch{os.sep}testing{os.sep}_internal{os.sep}"
DATABASES = {"op": "op_db", "module": "module_db", "optim": "optim_db"}


def outside(frame: types.FrameType) -> bool:
    """Whether the reader's code is a test's, or an expression of the databases."""
    name = frame.f_code.co_filename
    return name.startswith(str(FOLDER)) or DATABASE_CODE in name


def unseen(function: types.FunctionType) -> types.FunctionType:
    """The function, its frames left out where ``warnings`` counts the callers (`stacklevel`):
    a read stays its reader's, and the filters for that reader's module stay in force.

    ``warnings`` leaves out the import system's frames, and knows them by their file's name.
    """
    function.__code__ = function.__code__.replace(co_filename="<importlib._bootstrap: seen>")
    return function


class Recorder:
    """Watches both packages; `names` is what the running test has read, by engine."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {"torch": set(), "flambeau": set()}
        self.found: dict[str, str] = {}

    def watch(self) -> None:
        """Make modules and tensors of both packages report what tests read from them."""
        import torch

        import flambeau

        for name in [n for n in sys.modules if n.startswith("torch.") and "._" not in n]:
            with contextlib.suppress(ImportError):
                importlib.import_module("flambeau" + name.removeprefix("torch"))
        for package in (torch, flambeau):
            head = package.__name__
            for name, module in list(sys.modules.items()):
                if name.partition(".")[0] == head and type(module) is types.ModuleType:
                    if f"{os.sep}_internal" not in str(getattr(module, "__file__", "")):
                        module.__class__ = self.module_type(head)
            self.watch_tensor(head, package.Tensor)

    def module_type(self, head: str) -> type[types.ModuleType]:
        """A module whose reads are noted under their dotted name below the package."""
        names, read = self.names[head], types.ModuleType.__getattribute__

        class Watched(types.ModuleType):
            def __getattribute__(self, name: str) -> Any:
                if outside(sys._getframe(1)):
                    own = read(self, "__name__").partition(".")[2]
                    names.add(f"{own}.{name}" if own else name)
                return read(self, name)

        unseen(Watched.__getattribute__)
        return Watched

    def watch_tensor(self, head: str, tensor: Any) -> None:
        """Note attributes of tensors as ``Tensor.<name>``."""
        names, read = self.names[head], tensor.__getattribute__

        def noted(self: Any, name: str) -> Any:
            if outside(sys._getframe(1)):
                names.add(f"Tensor.{name}")
            return read(self, name)

        tensor.__getattribute__ = unseen(noted)

    def close(self, source: str, passed: bool) -> None:
        """The test is over: names of both engines are found, with the best source first."""
        if passed:
            for name in self.names["torch"] & self.names["flambeau"]:
                self.found[name] = min(source, self.found.get(name, source), key=_rank)
        for names in self.names.values():
            names.clear()


def _rank(source: str) -> tuple[bool, str]:
    return source not in DATABASES.values(), source


def _source(item: pytest.Item) -> str | None:
    """What a comparing test is called on the page; None for a test without the oracle."""
    path = item.path.relative_to(FOLDER.parent).as_posix()
    if path.endswith("parity/test_databases.py"):
        call = getattr(item, "callspec", None)
        return DATABASES.get(call.params.get("short")) if call else None
    compares = "oracle" in getattr(item, "fixturenames", ()) or "/parity/" in path
    return path if compares and not item.get_closest_marker("names") else None


class Plugin:
    """The recorder as pytest sees it; each xdist worker adds to what the others wrote."""

    def __init__(self) -> None:
        self.recorder = Recorder()

    def pytest_collection_finish(self) -> None:
        self.recorder.watch()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        outcome = yield
        if call.when == "call":
            source = _source(item)
            refused = dict(item.user_properties).get("refused", False)
            passed = outcome.get_result().passed and source is not None and not refused
            self.recorder.close(source or "", passed)

    def pytest_sessionfinish(self) -> None:
        write(self.recorder.found)


def write(found: dict[str, str]) -> None:
    """Add to the list; the runner removes it before a run that is to be the whole truth."""
    import fcntl

    with LIST.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = dict(line.split(" ", 1) for line in file.read().splitlines())
        for name, source in found.items():
            known[name] = min(source, known.get(name, source), key=_rank)
        file.truncate(0)
        file.write("".join(f"{name} {known[name]}\n" for name in sorted(known)))
