"""Recursive comparison of an engine's result with torch's: structure, type, shape, dtype, values.

A difference raises `Mismatch` with a kind (for grouping) and a short text with the worst element.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .convert import COMPRESSED, dtype_name, layout_name, to_numpy
from .engine import Engine, load
from .tolerance import Tolerance, of_dtype

TORCH = load("torch")
# A difference within this many tolerances is called rounding in the report; it fails all the same.
NEAR = 30.0


class Mismatch(AssertionError):
    """A result differs from torch's; `kind` says in which respect."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.at = ""
        # torch's values and ours, and where they are further apart than the tolerance
        self.sides: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


class Comparer:
    """Compares results of one engine with torch's, under one entry's tolerances."""

    def __init__(self, engine: Engine, widened: dict[str, Tolerance] | None = None) -> None:
        self.engine = engine
        self.tensor_type = engine.get("Tensor")
        self.widened = widened or {}

    def __call__(self, expected: Any, actual: Any, at: str = "out", values: bool = True) -> None:
        """Raise `Mismatch` unless actual equals expected; `values=False` compares metadata only."""
        if isinstance(expected, torch.Tensor):
            self.tensors(expected, actual, at, values)
        elif isinstance(expected, torch.Size):
            self._same("shape", tuple(expected), tuple(actual), at)
        elif isinstance(expected, (list, tuple)):
            self._sequence(expected, actual, at, values)
        elif isinstance(expected, Mapping):
            self._same("structure", sorted(map(str, expected)), sorted(map(str, actual)), at)
            for key in expected:
                self(expected[key], actual[key], f"{at}[{key!r}]", values)
        elif isinstance(expected, (torch.dtype, torch.device, torch.layout)):
            self._same(
                "value", str(expected).rpartition(".")[2], str(actual).rpartition(".")[2], at
            )
        elif isinstance(expected, (float, complex)) and not isinstance(expected, bool):
            self._same("structure", type(expected).__name__, type(actual).__name__, at)
            name = "float64" if isinstance(expected, float) else "complex128"
            self.arrays(np.asarray(expected), np.asarray(actual), name, at)
        elif expected is None or isinstance(expected, (bool, int, str)):
            self._same("structure", type(expected).__name__, type(actual).__name__, at)
            self._same("value", expected, actual, at)

    def _same(self, kind: str, expected: Any, actual: Any, at: str) -> None:
        if expected != actual:
            raise Mismatch(kind, f"{at}: {kind} is {actual!r}, torch has {expected!r}")

    def _sequence(self, expected: Any, actual: Any, at: str, values: bool) -> None:
        if not isinstance(actual, list if isinstance(expected, list) else tuple):
            name = type(actual).__name__
            raise Mismatch("structure", f"{at}: {name}, torch has {type(expected).__name__}")
        if type(expected) not in (list, tuple):
            self._same("structure", type(expected).__name__, type(actual).__name__, at)
        self._same("structure", len(expected), len(actual), at)
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            self(one, other, f"{at}[{index}]", values)

    def tensors(self, expected: torch.Tensor, actual: Any, at: str, values: bool = True) -> None:
        """Compare two tensors; sparse ones by their parts."""
        if not isinstance(actual, self.tensor_type):
            raise Mismatch("structure", f"{at}: {type(actual).__name__}, torch has a Tensor")
        self._same("shape", tuple(expected.shape), tuple(actual.shape), at)
        self._same("dtype", dtype_name(expected), dtype_name(actual), at)
        self._same("layout", layout_name(expected), layout_name(actual), at)
        self._same("device", expected.device.type, str(actual.device).partition(":")[0], at)
        if not values or expected.device.type == "meta":
            return
        if expected.layout == torch.strided:
            name = dtype_name(expected)
            self.arrays(to_numpy(expected, TORCH), to_numpy(actual, self.engine), name, at)
        elif expected.layout == torch.sparse_coo:
            expected, actual = expected.detach().coalesce(), actual.detach().coalesce()
            for part in ("indices", "values"):
                self(getattr(expected, part)(), getattr(actual, part)(), f"{at}.{part}()")
        else:
            expected, actual = expected.detach(), actual.detach()
            for part in (*COMPRESSED[expected.layout][:2], "values"):
                self(getattr(expected, part)(), getattr(actual, part)(), f"{at}.{part}()")

    def arrays(self, expected: np.ndarray, actual: np.ndarray, name: str, at: str) -> None:
        """Compare values under the tolerance of the dtype `name`."""
        tolerance = self.widened.get(name) or of_dtype(name)
        if self.engine.tape is not None:
            self.engine.tape.note(at, name, tolerance, actual)
        elif expected.dtype != actual.dtype or not np.array_equal(expected, actual):
            hold(expected, actual, tolerance, at)


def hold(expected: np.ndarray, actual: np.ndarray, tolerance: Tolerance, at: str) -> None:
    """Raise `Mismatch` unless every value is within the tolerance."""
    rtol, atol = tolerance
    kind = np.result_type(expected, actual)
    exact = kind.kind in "biu"
    with np.errstate(all="ignore"):
        if exact:
            bad = expected != actual
            error = np.zeros(bad.shape)
        else:
            wide = np.complex128 if kind.kind == "c" else np.float64
            want, have = expected.astype(wide), actual.astype(wide)
            error = np.abs(have - want)
            close = np.isfinite(want) & np.isfinite(have) & (error <= atol + rtol * np.abs(want))
            bad = ~(close | (want == have) | (np.isnan(want) & np.isnan(have)))
    if not bad.any():
        return
    excess = np.where(bad, error / (atol + rtol * np.abs(expected)) if not exact else 1.0, -1.0)
    excess = np.where(np.isfinite(excess), excess, np.inf)
    worst = np.unravel_index(int(np.argmax(excess)), bad.shape) if bad.shape else ()
    near = not exact and float(excess.max()) <= NEAR
    found = Mismatch(
        "rounding" if near else "value",
        f"{at}: {int(bad.sum())} of {bad.size} differ, at {list(map(int, worst))} "
        f"{actual[worst]!s}, torch has {expected[worst]!s}",
    )
    found.at, found.sides = at, (expected, actual, bad)
    raise found
