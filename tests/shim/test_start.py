"""`python -m flambeau` becomes the program before the package is imported, and only then."""

from __future__ import annotations

import pytest

from flambeau.shim import runner
from flambeau.shim.start import start_program


@pytest.mark.parametrize(
    ("original", "argv", "starts"),
    [
        (["python", "-m", "flambeau", "x.py", "a"], ["-m", "x.py", "a"], True),
        (["python", "-u", "-mflambeau", "x.py"], ["-m", "x.py"], True),
        (["python", "-um", "flambeau", "-m", "package"], ["-m", "-m", "package"], True),
        (["python", "-m", "flambeau"], ["-m"], True),
        (["python", "-m", "flambeau.tool", "x.py"], ["-m", "x.py"], False),
        (["python", "-m", "other", "flambeau"], ["-m", "flambeau"], False),
        (["python", "x.py"], ["x.py"], False),
        (["python", "-m", "flambeau", "--version"], ["-m", "--version"], False),
    ],
)
def test_when_it_starts(monkeypatch, original, argv, starts):
    called = []
    monkeypatch.setattr("sys.orig_argv", original)
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.setattr(runner, "main", lambda: called.append(True))
    if starts:
        with pytest.raises(SystemExit):
            start_program()
    else:
        start_program()
    assert bool(called) is starts
