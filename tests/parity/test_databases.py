"""op_db, module_db and optim_db under pytest: what fails must stand in the list, and only that.

One test for each name, so that xdist spreads them. A result that fails and is not listed in
`failing/<db>.txt` fails the test; so does a listed one that passes, until its line is removed.
"""

from __future__ import annotations

import warnings

import pytest

from .guard import require_torch

require_torch()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from . import failing
    from .engine import load
    from .run import DATABASES
    from .selection import choose

    NAMES = [(short, name) for short, db in DATABASES.items() for name in db.names()]

pytestmark = pytest.mark.parity
SAME_MACHINE = failing.same_machine()
ROUNDING = {short: failing.rounding(db.NAME) for short, db in DATABASES.items()}
KNOWN = {short: failing.read(db.NAME) for short, db in DATABASES.items()}


@pytest.mark.parametrize(("short", "name"), NAMES, ids=[f"{s}-{n}" for s, n in NAMES])
def test_entry(short: str, name: str) -> None:
    """The budgeted selection of one entry agrees with the list."""
    db = DATABASES[short]
    engine = load("flambeau")
    wrong = []
    wanted = getattr(db, "DAILY", db.DEFAULT)
    for result in db.run(name, engine, wanted, only=choose(name), seconds=120):
        listed = result.key in KNOWN[short]
        label = f"{result.dtype} {result.aspect}"
        if not SAME_MACHINE and (result.kind == "rounding" or result.key in ROUNDING[short]):
            continue  # last digits are the processor's: see failing.py
        if result.state == "fail" and not listed:
            wrong.append(f"{label}: {result.kind}: {result.reason} {result.where} {result.sample}")
        elif result.state == "pass" and listed:
            # The choice may have missed the failing sample: only a whole pass counts.
            row = ((result.dtype, (result.aspect,)),)
            if all(whole.state == "pass" for whole in db.run(name, engine, row, 120)):
                line = " ".join(result.key)
                wrong.append(f"{label}: passes. Remove '{line}' from failing/{db.NAME}.txt")
    assert not wrong, "\n".join([f"{db.NAME} {name}", *wrong])


@pytest.mark.parametrize("short", list(DATABASES))
def test_list_names_what_exists(short: str) -> None:
    """Every line of a list is a name of the database, once, in order."""
    db = DATABASES[short]
    path = failing.path_of(db.NAME)
    lines = path.read_text().splitlines() if path.exists() else []
    keys = [tuple(line.partition("#")[0].split()) for line in lines]
    assert keys == sorted(set(keys))
    assert {key[0] for key in keys} <= set(db.names())
