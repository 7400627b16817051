"""Expressions whose printed text is PyTorch's, one a line in `text/*.txt`.

``;;`` parts statements from the expression; a line that begins with ``>>`` holds statements that
run before each of the lines below it. Both engines start from the seed 0; addresses do not
count, of an exception only its type does. `numbers.txt` is about what seeds give, `printed.txt`
about what things print, `names.txt` about names that no database tries, `present.txt` of one call of each such name, `raised.txt` of
what needs arguments or a device and is called without.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import flambeau

TABLES = sorted((Path(__file__).resolve().parent / "text").glob("*.txt"))


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a table, each with the statements of the last line that began with ``>>``."""
    before = ""
    for line in path.read_text().splitlines():
        if line.startswith(">>"):
            before = line[2:].strip() + ";;"
        else:
            yield before + line


LINES = [(path.stem, line) for path in TABLES for line in lines_of(path)]


# What neither package loads by itself.
ROOMS = tuple(
    "ao.quantization fx masked monitor mtia nn.attention.bias nn.attention.flex_attention "
    "nn.utils.prune quantization serialization utils.benchmark utils.data.datapipes.iter utils.data.datapipes.map utils.flop_counter "
    "utils.model_zoo utils.module_tracker utils.weak".split()
)


@pytest.fixture(autouse=True)
def _settings(oracle: ModuleType) -> Iterator[None]:
    for room in ROOMS:
        for library in (oracle, flambeau):
            importlib.import_module(f"{library.__name__}.{room}")
    yield
    for library in (oracle, flambeau):
        library.set_printoptions(profile="default")


def printed(library: ModuleType, line: str) -> str:
    """What the expression of a line prints, or the type of its exception."""
    library.manual_seed(0)
    names = {
        "torch": library, "nn": library.nn, "F": library.nn.functional, "optim": library.optim,
        "D": library.distributions,
    }  # fmt: skip
    *statements, expression = line.split(";;")
    try:
        for statement in statements:
            exec(compile(statement, __file__, "exec"), names)  # read by a test: see tests/seen.py
        value = eval(compile(expression.strip(), __file__, "eval"), names)
    except Exception as error:
        return f"raises {type(error).__name__}"
    text = value if isinstance(value, str) else repr(value)
    return re.sub(r"0x[0-9a-f]+", "0x", text).replace("flambeau.", "torch.")


@pytest.mark.parametrize(("table", "line"), LINES, ids=[f"{t}: {x}"[-200:] for t, x in LINES])
def test_line(
    oracle: ModuleType, table: str, line: str, record_property: Callable[[str, object], None]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = printed(oracle, line)
        assert printed(flambeau, line) == expected
    record_property("refused", expected.startswith("raises "))  # see tests/seen.py
