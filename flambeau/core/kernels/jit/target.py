"""The machine that code is generated for: processor, features, vector width.

`build.host()` asks LLVM once. A `Target` may be made by hand, to look at the code of another
machine. Stands on nothing.
"""

from __future__ import annotations

import platform
import sys
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Target", "describe", "identity"]


class Target(NamedTuple):
    """What a generator may ask (`lanes`, `masked`), and what LLVM is told."""

    triple: str
    cpu: str
    features: str
    bits: int
    """Width of a vector register."""
    masked: bool
    """Whether a part of a vector is loaded and stored as cheaply as a whole one."""

    def lanes(self, size: int) -> int:
        """How many numbers of `size` bytes fill a register."""
        return self.bits // 8 // size

    @property
    def halves(self) -> bool:
        """Whether float16 is converted by an instruction: without one LLVM calls its library."""
        return "x86" not in self.triple or "+f16c" in self.features

    @property
    def attributes(self) -> str:
        """The function attributes that hold code to this machine. Library calls are never made up
        from loops: generated code links to nothing.
        """
        return (
            f'nounwind "target-cpu"="{self.cpu}" "target-features"="{self.features}" '
            f'"prefer-vector-width"="{self.bits}" "min-legal-vector-width"="{self.bits}" '
            '"no-builtins" "no-trapping-math"="true"'
        )


def describe(triple: str, cpu: str, features: dict[str, bool]) -> Target:
    """The target of a processor with these features."""
    wide = features.get("avx512f", False) and features.get("avx512vl", False)
    wide = wide and features.get("avx512bw", False) and features.get("avx512dq", False)
    bits = 512 if wide else 256 if features.get("avx2") and features.get("fma") else 128
    flat = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
    return Target(triple, cpu, flat, bits, wide)


def identity() -> str:
    """What tells this machine's code from another's without asking LLVM: the processor by its own
    account, the system, the interpreter's layout of objects.
    """
    return "|".join(
        (
            sys.platform,
            platform.machine(),
            _processor(),
            sys.implementation.cache_tag or "",
        )
    )


@cache
def _processor() -> str:
    """The processor's model and flags, where the system tells them in a file; else its name."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            first = file.read(65536).split("\n\n", 1)[0]
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part", "CPU implementer", "cpu family")
    lines: list[Any] = [x for x in first.splitlines() if x.startswith((*wanted, "model\t"))]
    return "\n".join(lines)
