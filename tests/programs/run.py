"""Runs the programs of this folder one after another in one process and keeps what they print.

`python -m flambeau tests/programs/run.py` prints it as JSON: one start for all of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = sorted(p.stem for p in HERE.glob("*.py") if p.stem not in ("run", "test_programs"))


def printed(name: str) -> str:
    """What a program prints; it sees itself as the main one."""
    import torch

    path = HERE / f"{name}.py"
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_printoptions(profile="default")
    return out.getvalue()


if __name__ == "__main__":
    found = {}
    for each in PROGRAMS:
        try:
            found[each] = printed(each)
        except Exception as error:  # told by the test of this program
            found[each] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))
