"""What linear algebra asks of its matrices, and the error of matrices that refuse. Stands on
errors.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.dtypes import of
from flambeau.core.errors import fail

__all__ = ["LinAlgError", "need_floating", "need_matrix", "need_square", "refuse", "singular"]

TYPES = frozenset(("float32", "float64", "complex64", "complex128"))


class LinAlgError(RuntimeError):
    """A matrix for which the computation fails: singular, not positive definite, or no
    convergence.
    """


LinAlgError.__module__, LinAlgError.__qualname__, LinAlgError.__name__ = (
    "flambeau._C",
    "_LinAlgError",
    "_LinAlgError",
)


def need_matrix(name: str, a: Any, label: str = "A") -> None:
    """At least 2 dimensions.

    Raises:
        RuntimeError: fewer.
    """
    if a.ndim < 2:
        raise fail(
            RuntimeError,
            name,
            f"The input tensor {label} must have at least 2 dimensions; it has {a.ndim}.",
        )


# Kernels that PyTorch does not reach where there is no element to compute from.
_UNREACHED = {
    "!linalg_eigh_cpu",
    "!lu_cpu",
    "cholesky_cpu",
    "ldl_factor_kernel_cpu",
    "linalg_svd_cpu",
}


def need_floating(name: str, a: Any, kernel: str = "") -> None:
    """A single or double, real or complex.

    Raises:
        RuntimeError: integers and 16-bit floats (NotImplementedError where PyTorch's kernel
            refuses: `kernel` names it).
    """
    d = of(a.dtype)
    if d.name in TYPES:
        return
    empty = not a.size and kernel in _UNREACHED
    if d.category in ("int", "bool") and not kernel.startswith("!"):
        raise fail(
            RuntimeError,
            name,
            f"Expected a floating point or complex tensor as input. Got {d.legacy}. Convert with "
            ".to(torch.float32).",
        )
    if empty:
        return
    if kernel:
        raise fail(
            NotImplementedError,
            name,
            f"\"{kernel.lstrip('!')}\" not implemented for '{d.legacy}'. Convert with "
            ".to(torch.float32).",
        )
    raise fail(
        RuntimeError,
        name,
        f"Low precision dtypes not supported. Got {d.legacy}. Convert with .to(torch.float32).",
    )


def need_square(name: str, a: Any, label: str = "A") -> None:
    """At least 2 dimensions, the last two of one size.

    Raises:
        RuntimeError: other shapes.
    """
    need_matrix(name, a, label)
    if a.shape[-1] != a.shape[-2]:
        raise fail(
            RuntimeError,
            name,
            f"{label} must be batches of square matrices, but they are {a.shape[-2]} by "
            f"{a.shape[-1]} matrices",
        )


def refuse(name: str, info: Any, words: str) -> None:
    """Raise when a factorization failed; `words` may name the place as {0}.

    Raises:
        LinAlgError: an element of `info` is not 0.
    """
    if not (info.any() if info.ndim else info):
        return
    flat = info.reshape(-1)
    k = int((flat != 0).argmax())
    where = f"(Batch element {k}): " if info.ndim else ""
    raise fail(LinAlgError, name, where + words.format(int(flat[k])))


singular = "The solver failed because the input matrix is singular."
