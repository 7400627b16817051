"""The early start of ``python -m flambeau``: before the package imports NumPy for nothing."""

from __future__ import annotations

import sys

__all__ = ["start_program"]


def start_program() -> None:
    """Become the program, when this import is the first step of ``python -m flambeau``.

    Called at the top of the package: Python imports a package before its ``__main__``, with
    ``sys.argv[0] == "-m"``, and the runner replaces the process anyway. Saves 0.2 s a start.
    """
    words = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    if sys.argv[0] != "-m" or not words or sys.argv[1:2] in (["-V"], ["--version"]):
        return  # the version is known when the package is imported
    before = words[-2] if len(words) > 1 else ""
    separate = words[-1] == "flambeau" and before.startswith("-") and before.endswith("m")
    if separate or (words[-1].startswith("-") and words[-1].endswith("mflambeau")):
        from flambeau.shim.runner import main

        raise SystemExit(main())
