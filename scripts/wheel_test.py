"""Builds the wheel and tries it from outside the tree, on the core install alone.

The tree itself is never built in: a copy is, in a temporary folder. What the wheel must be: pure,
complete, without tests, typed. What it must do with numpy and ml_dtypes only: import, differentiate
and run a script. ``tests/test_package.py`` calls the same functions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("flambeau", "pyproject.toml", "README.md", "LICENSE")

SMOKE = """
import sys, pathlib
import flambeau
assert pathlib.Path(flambeau.__file__).is_relative_to(sys.prefix), flambeau.__file__
for absent in ("torch", "scipy", "llvmlite", "PIL", "tensorboardX", "mpi4py", "matplotlib"):
    assert absent not in sys.modules, absent
"""

SCRIPT = """
import torch
import torch.nn as nn
torch.manual_seed(0)
x = torch.ones(3, requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 2.0, 2.0], x.grad
assert nn.Linear(3, 2)(x).shape == (2,)
print("the wheel works:", torch.__name__, torch.__version__)
"""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command away from the tree and return what it printed, which is shown if it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this tree into ``folder`` and return its path."""
    copy = folder / "source"
    copy.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    run(*pip, "--wheel-dir", folder, copy, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def complaints(wheel: Path) -> list[str]:
    """What is wrong with the wheel's contents, one sentence each; an empty list is a good wheel."""
    found = []
    if not wheel.name.endswith("-py3-none-any.whl"):
        found.append(f"{wheel.name} is not a pure wheel for every platform")
    names = set(zipfile.ZipFile(wheel).namelist())
    outside = {n.split("/")[0] for n in names if not n.startswith("flambeau/")}
    outside = {n for n in outside if not n.endswith(".dist-info")}
    if outside:
        found.append(f"the wheel holds more than the package: {sorted(outside)}")
    sources = {p.relative_to(ROOT).as_posix() for p in (ROOT / "flambeau").rglob("*.py*")}
    sources = {name for name in sources if name.endswith((".py", ".pyi"))}
    missing = sorted((sources | {"flambeau/py.typed"}) - names)
    if missing:
        found.append(f"the wheel lacks {len(missing)} files, the first is {missing[0]}")
    if not any(n.endswith("licenses/LICENSE") for n in names):
        found.append("the wheel lacks the licence")
    return found


def core_environment(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel and its required packages only; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return python


def main() -> None:
    """Build, look inside, install, and run from outside the tree."""
    with tempfile.TemporaryDirectory(prefix="flambeau-wheel-") as name:
        scratch = Path(name)
        wheel = build_wheel(scratch)
        found = complaints(wheel)
        if found:
            raise SystemExit("\n".join(found))
        python = core_environment(scratch / "environment", wheel)
        run(python, "-c", SMOKE, cwd=scratch)
        (scratch / "script.py").write_text(SCRIPT)
        print(run(python, "-m", "flambeau", "script.py", cwd=scratch), end="")
        shutil.copytree(ROOT / "examples", scratch / "examples")
        run(python, "-m", "flambeau", "examples/digits.py", "--epochs", "1", cwd=scratch)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB, digits runs on the core install")


if __name__ == "__main__":
    main()
