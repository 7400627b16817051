"""The result itself: structure, dtype, shape and values.

Values of uninitialised memory are not compared. Decompositions whose factors are unique only up
to a sign or phase are compared by magnitude where the plain comparison fails.
"""

from __future__ import annotations

from typing import Any

from ..compare import Mismatch

# Results whose values are unspecified: only their metadata is compared.
UNINITIALISED = {
    "empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided",
}  # fmt: skip
# Each column's sign (or phase) is the LAPACK build's choice.
UP_TO_SIGN = {"svd", "linalg.svd", "linalg.eig", "linalg.eigh", "svd_lowrank", "pca_lowrank"}


def check(sample: Any) -> None:
    """Compare the plain result with torch's."""
    expected, _ = sample.expect(lambda: sample.oracle.forward)
    actual, _ = sample.subject.forward
    same(sample, expected, actual, values=sample.info.name not in UNINITIALISED)


def same(sample: Any, expected: Any, actual: Any, at: str = "out", values: bool = True) -> None:
    """Compare results, those that are unique only up to a sign by magnitude if need be."""
    try:
        sample.compare(expected, actual, at, values=values)
    except Mismatch as error:
        if error.kind not in ("value", "rounding") or sample.info.name not in UP_TO_SIGN:
            raise
        sample.compare([t.abs() for t in expected], [t.abs() for t in actual], at)
