"""``python -m flambeau``: starts Python itself on the program, with the alias in its environment.

The process replaces itself (exec) by ``python script.py args``; so ``sys.argv``, ``__main__``,
tracebacks, signals and exit codes are Python's own, without a runner beneath them, and the
program comes under the alias the same way as the processes it starts (``children``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from flambeau.shim import children
from flambeau.shim.alias import TORCH_VERSION

__all__ = ["main"]

USAGE = """\
usage: python -m flambeau [python options] script.py [arguments]
       python -m flambeau [python options] -m module [arguments]
       python -m flambeau [python options] -c code [arguments]

Runs a PyTorch program on flambeau: `import torch` and `import torchvision` give flambeau, here
and in the Python processes that the program starts. Everything else is as Python does it.

script.py may also be `-` (standard input), or a folder or zip file with a __main__.py.

options:
  -h, --help      show this text
  -V, --version   show the versions

environment:
  FLAMBEAU_CUDA=cpu    let `cuda` mean the CPU, for scripts that insist on it
"""
FLAGS = frozenset("bBdiOqsuvx")  # Python's switches that may stand before the script
ISOLATING = frozenset("EIS")  # those that ignore the environment, hence the alias


class Refused(Exception):
    """The command line cannot be run; the text says why."""


def interpreter() -> list[str]:
    """The command that started this process, without ``-m flambeau`` and what follows.

    What stands before is kept: ``python -W error -m pdb -m flambeau train.py`` becomes
    ``python -W error -m pdb train.py``.
    """
    given = list(sys.orig_argv)
    tail = sys.argv[1:]
    head = given[: len(given) - len(tail)]
    if given[len(head) :] == tail and len(head) > 1:
        if head[-1] == "flambeau" and head[-2].startswith("-") and head[-2].endswith("m"):
            flag = head[-2][:-1]
            return head[:-2] + ([flag] if flag != "-" else [])
        if head[-1].startswith("-") and head[-1].endswith("mflambeau"):
            flag = head[-1].removesuffix("mflambeau")
            return head[:-1] + ([flag] if flag != "-" else [])
    return [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]


def program(arguments: Sequence[str]) -> list[str] | None:
    """Check the program's part of the command line; None asks for the help or version text."""
    rest = list(arguments)
    while rest:
        word = rest[0]
        if word in ("-h", "--help", "-V", "--version"):
            return None
        if not word.startswith("-") or word == "-":
            return list(arguments)
        if word.startswith(("-c", "-m")):
            if word in ("-c", "-m") and len(rest) == 1:
                what = "code" if word == "-c" else "a module's name"
                raise Refused(f"expected {what} after the {word} option")
            return list(arguments)
        if word.startswith(("-W", "-X")) or word == "--check-hash-based-pycs":
            rest = rest[1 if len(word) > 2 and not word.startswith("--") else 2 :]
            continue
        unknown = set(word[1:]) - FLAGS
        if unknown & ISOLATING and not word.startswith("--"):
            raise Refused(f"{word} makes Python ignore the environment that carries the alias")
        if unknown:
            raise Refused(f"unknown option {word}")
        rest.pop(0)
    raise Refused("expected a script, -m module or -c code")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program of ``arguments`` (default: ``sys.argv[1:]``); returns only on refusal."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        tail = program(arguments)
        if sys.flags.ignore_environment or sys.flags.no_site:
            raise Refused(
                "Python was started with -E, -I or -S and would ignore the environment that "
                "carries the alias; leave the option out"
            )
    except Refused as refusal:
        print(f"python -m flambeau: {refusal}\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    if tail is None:
        return _tell(arguments)
    command = [*interpreter(), *tail]
    environ = dict(os.environ)
    children.enter(environ)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # exec there starts a new process and lets the shell go on
        return _wait(command, environ)
    os.execve(sys.executable, command, environ)


def _tell(arguments: Sequence[str]) -> int:
    if "-V" in arguments or "--version" in arguments:
        from flambeau import __version__

        numbers = ".".join(map(str, sys.version_info[:3]))
        print(f"flambeau {__version__} as torch {TORCH_VERSION}, Python {numbers}")
    else:
        print(USAGE, end="")
    return 0


def _wait(command: Sequence[str], environ: dict[str, str]) -> int:
    with subprocess.Popen([sys.executable, *command[1:]], env=environ) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the program got it too, and answers it
                continue
