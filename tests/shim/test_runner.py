"""`python -m flambeau` starts programs as Python does: arguments, names, tracebacks, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SEEN = """
import json, sys
print(json.dumps([sys.argv, __name__, globals().get("__file__"), sys.path[0], __spec__ is None,
                  sys.modules["__main__"].__dict__ is globals()]))
"""


def both(run, *words: str, stdin: str = ""):
    """The same words under the runner and under Python."""
    return run("-m", "flambeau", *words, stdin=stdin), run(*words, stdin=stdin)


def same(ours, python) -> None:
    assert ours.returncode == python.returncode
    assert ours.stdout == python.stdout
    assert ours.stderr == python.stderr


@pytest.mark.parametrize("tail", [[], ["a", "-b", "--help"], ["-m", "x"]])
def test_script_sees_what_python_shows(run, script, tail):
    same(*both(run, script(SEEN), *tail))


def test_script_in_a_folder(run, script):
    same(*both(run, script(SEEN, "deep/er/program.py"), "1"))


def test_module(run, script):
    script(SEEN, "package/__main__.py")
    script("", "package/__init__.py")
    same(*both(run, "-m", "package", "x"))
    same(*both(run, "-mpackage", "x"))


def test_code_and_standard_input(run):
    same(*both(run, "-c", SEEN, "x"))
    same(*both(run, "-", "x", stdin=SEEN))


def test_folder_and_zip_with_main(run, script, tmp_path):
    script(SEEN, "folder/__main__.py")
    same(*both(run, "folder", "x"))
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.writestr("__main__.py", SEEN)
    same(*both(run, "program.zip", "x"))


@pytest.mark.parametrize(
    "text",
    [
        "raise SystemExit(3)",
        "import sys; sys.exit('the end')",
        "import sys; sys.exit()",
        "import sys; sys.exit(True)",
        "def f():\n    return 1 / 0\nf()\n",
        "x = (1,\n",
        "raise KeyboardInterrupt",
        "import os; os._exit(7)",
        "import atexit; atexit.register(print, 'last'); raise ValueError('first')",
        "import traceback; traceback.print_stack()",
        "import warnings; warnings.warn('here', stacklevel=5)",
        "import inspect; print(len(inspect.stack()))",
    ],
)
def test_ends_as_python_ends(run, script, text):
    same(*both(run, script(text)))


def test_missing_file(run):
    ours, python = both(run, "nowhere.py")
    same(ours, python)
    assert ours.returncode == 2 and "can't open file" in ours.stderr


def test_missing_module(run):
    same(*both(run, "-m", "no_such_module_anywhere"))


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("first", ["", "import torch\nx = torch.ones(2, 2) @ torch.ones(2, 2)\n"])
def test_ctrl_c_ends_with_the_signal(first, script, tmp_path, environment):
    name = script(f"{first}import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "flambeau", name],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.startswith("Traceback") and err.rstrip().endswith("KeyboardInterrupt")
    assert "runner" not in err


def test_interpreter_options_are_kept(run, script):
    text = (
        "import sys; print(sys.flags.optimize, sys.warnoptions, sys._xoptions, sys.flags.utf8_mode)"
    )
    words = ["-O", "-W", "error", "-X", "utf8", "-X", "dev"]
    name = script(text)
    ours = run(*words, "-m", "flambeau", name)
    assert ours.stdout == run(*words, name).stdout
    assert run("-m", "flambeau", *words, name).stdout == ours.stdout
    assert run("-Om", "flambeau", name).stdout.startswith("1")


def test_a_tool_before_the_runner_gets_the_script(run, script):
    name = script("import torch\nprint(torch.__version__)\n")
    ours = run("-m", "pdb", "-c", "continue", "-m", "flambeau", name, stdin="q\n")
    assert "flambeau" in ours.stdout


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help(run, word):
    ours = run("-m", "flambeau", word)
    assert ours.returncode == 0 and "usage: python -m flambeau" in ours.stdout and not ours.stderr


def test_version(run):
    ours = run("-m", "flambeau", "--version")
    assert ours.returncode == 0 and "as torch 2.13.0" in ours.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "expected a script"),
        (["-m"], "expected a module's name"),
        (["-c"], "expected code"),
        (["-I", "x.py"], "ignore the environment"),
        (["--frobnicate"], "unknown option --frobnicate"),
    ],
)
def test_refusals(run, words, says):
    ours = run("-m", "flambeau", *words)
    assert ours.returncode == 2 and says in ours.stderr and not ours.stdout


def test_an_isolated_python_is_refused(run, script):
    ours = run("-E", "-m", "flambeau", script(""), PYTHONPATH="")
    assert ours.returncode != 0


def test_every_script_of_the_folder_runs(run):
    folder = Path(__file__).parents[1] / "scripts"
    for path in sorted(folder.glob("*.py")):
        ours = run("-m", "flambeau", str(path))
        assert ours.returncode == 0, ours.stderr
