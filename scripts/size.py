"""What an install takes on disk: a fresh environment, every file counted but pip's own.

``python scripts/size.py [core jit all ...] [--limit core=100]``: each word is an install of this
tree, ``core`` without extras. Fails where a limit (in MB of 1e6 bytes) is passed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from wheel_test import build_wheel, run

TOOLS = ("pip", "setuptools", "_distutils_hack", "distutils-precedence", "pkg_resources", "wheel")


def site_packages(environment: Path) -> Path:
    """The folder of installed packages."""
    if os.name == "nt":
        return environment / "Lib" / "site-packages"
    return next((environment / "lib").glob("python*/site-packages"))


def weigh(environment: Path) -> dict[str, int]:
    """Bytes per top-level name, compiled caches left out (they come with use)."""
    sizes: dict[str, int] = {}
    root = site_packages(environment)
    for file in root.rglob("*"):
        top = file.relative_to(root).parts[0]
        if file.is_file() and "__pycache__" not in file.parts and not top.startswith(TOOLS):
            sizes[top] = sizes.get(top, 0) + file.stat().st_size
    return sizes


def install(folder: Path, wheel: Path, name: str) -> dict[str, int]:
    """Install the wheel with one extra (``core``: none) into a fresh environment and weigh it."""
    environment = folder / name
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    extra = "" if name == "core" else f"[{name}]"
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}{extra}", cwd=folder)
    return weigh(environment)


def main() -> None:
    """Print each install's size and its three largest parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("installs", nargs="*", default=["core"])
    parser.add_argument("--limit", action="append", default=[], help="as in core=100, in MB")
    options = parser.parse_args()
    limits = {name: float(limit) for name, limit in (text.split("=") for text in options.limit)}
    over = []
    with tempfile.TemporaryDirectory(prefix="flambeau-size-") as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        for install_name in options.installs or ["core"]:
            sizes = install(folder, wheel, install_name)
            total = sum(sizes.values()) / 1e6
            largest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
            parts = ", ".join(f"{part} {size / 1e6:.1f}" for part, size in largest)
            print(f"{install_name:12s} {total:7.1f} MB   {parts}")
            if total > limits.get(install_name, float("inf")):
                over.append(f"{install_name} takes {total:.1f} MB, limit {limits[install_name]:g}")
    if over:
        sys.exit("\n".join(over))


if __name__ == "__main__":
    main()
