"""The coverage page says the truth: what it lists as there is there, what it lists as absent is not.

The page is made by `scripts/coverage.py`; `--check` there compares it whole, and needs PyTorch.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import flambeau
from flambeau.shim.absent import reason

ROOT = Path(__file__).resolve().parent.parent
SECTION = re.compile(r"^## torch\.?(\S*)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^- \*\*(exact|differs|present|absent)(.*?)\*\*: (.*)$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")


def load_script():
    spec = importlib.util.spec_from_file_location("coverage", ROOT / "scripts" / "coverage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COVERAGE = load_script()
SECTIONS = {m[1]: m[2] for m in SECTION.finditer(COVERAGE.PAGE.read_text())}


def test_every_room_is_on_the_page():
    assert len(SECTIONS) > 0.9 * len(COVERAGE.ROOMS)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("room", SECTIONS, ids=lambda room: room or "torch")
def test_what_the_page_lists_is_there(room):
    for state, note, names in LINE.findall(SECTIONS[room]):
        if state == "absent":
            assert note.strip(" ()") == (
                reason(path_of(room, NAME.findall(names)[0])) or "not built yet"
            )
            continue
        owner = COVERAGE.find(flambeau, room)
        missing = [name for name in NAME.findall(names) if not hasattr(owner, name)]
        assert not missing, f"{state}: run python scripts/coverage.py"


FOREIGN = {
    *(f"multiprocessing.{x}_start_method" for x in ("get", "set")), "types.Device",
    "multiprocessing.get_all_start_methods", "multiprocessing.get_context", "types.FileLike",
    "utils.tensorboard.RecordWriter",
}  # fmt: skip
"""Names of other libraries, and unions of types."""


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("room", SECTIONS, ids=lambda room: room or "torch")
def test_every_name_says_what_it_is(room):
    bare = []
    for state, _, names in LINE.findall(SECTIONS[room]):
        for name in NAME.findall(names) if state != "absent" else ():
            found = getattr(COVERAGE.find(flambeau, room), name, None)
            if callable(found) and not name.startswith("__") and not inspect.getdoc(found):
                bare.append(path_of(room, name))
    assert not set(bare) - FOREIGN


def path_of(room: str, name: str) -> str:
    return f"{room}.{name}" if room else name


def test_reasons_are_for_names_that_patterns_meant():
    assert "quantised layers" in reason("quantized_lstm")
    assert "quantised layers" in reason("nn.quantized.LSTM")
    assert reason("add") is None
    assert reason("nn.Linear") is None
