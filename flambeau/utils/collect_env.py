"""``python -m flambeau.utils.collect_env``: what a report of an error needs to say about the
machine. Stands on the standard library."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import NamedTuple

import flambeau

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info", "main"]

PACKAGES = ("flambeau", "numpy", "ml_dtypes", "llvmlite", "scipy", "pillow", "safetensors")


class SystemEnv(NamedTuple):
    """What there is to know; what only a GPU build has is absent."""

    torch_version: str
    is_debug_build: str
    os: str
    libc_version: str
    python_version: str
    python_platform: str
    is_cuda_available: str
    is_xpu_available: str
    pip_packages: str
    cpu_info: str


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def get_env_info() -> SystemEnv:
    """Versions, platform and processor."""
    found = {name: _installed(name) for name in PACKAGES}
    bits = sys.maxsize.bit_length() + 1
    return SystemEnv(
        torch_version=f"{flambeau.__version__} (flambeau)",
        is_debug_build="False",
        os=f"{platform.system()} {platform.release()} ({platform.machine()})",
        libc_version="-".join(platform.libc_ver()) or "N/A",
        python_version=f"{sys.version.replace(chr(10), ' ')} ({bits}-bit runtime)",
        python_platform=platform.platform(),
        is_cuda_available=str(flambeau.cuda.is_available()),
        is_xpu_available=str(flambeau.xpu.is_available()),
        pip_packages="\n".join(f"[pip3] {n}=={v}" for n, v in found.items() if v),
        cpu_info=f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors",
    )


def get_pretty_env_info() -> str:
    """`get_env_info` as text, to be pasted into a report."""
    found = get_env_info()
    return "\n".join(
        (
            f"PyTorch version: {found.torch_version}",
            f"Is debug build: {found.is_debug_build}",
            "",
            f"OS: {found.os}",
            f"Libc version: {found.libc_version}",
            "",
            f"Python version: {found.python_version}",
            f"Python platform: {found.python_platform}",
            f"Is CUDA available: {found.is_cuda_available}",
            f"Is XPU available: {found.is_xpu_available}",
            "",
            f"CPU: {found.cpu_info}",
            "",
            "Versions of relevant libraries:",
            found.pip_packages,
        )
    )


def main() -> None:
    """Print the report."""
    print("Collecting environment information...")
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
