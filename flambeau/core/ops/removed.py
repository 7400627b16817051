"""Names of old scripts: what PyTorch took away says what to call instead; what it kept without a
documented successor still computes.

`torch.solve`, `eig`, `symeig`, `lstsq`, `matrix_rank` raise there too. The deprecated names that
still compute stand in ``linalg_old``. Stands on operations.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__: list[str] = []

GONE = {
    "eig": "torch.linalg.eig, whose results are complex",
    "lstsq": "torch.linalg.lstsq, with the arguments in the other order",
    "matrix_rank": "torch.linalg.matrix_rank, where symmetric is called hermitian",
    "solve": "torch.linalg.solve, with the arguments in the other order; torch.linalg.lu_factor "
    "gives the factorization",
    "symeig": "torch.linalg.eigh, which reads the lower triangle unless UPLO='U'",
}


def _gone(name: str, successor: str) -> None:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise fail(RuntimeError, name, f"removed from PyTorch. Use {successor}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Removed: use {successor}."
    composite(method=name != "matrix_rank")(refuse)


for _name, _successor in GONE.items():
    _gone(_name, _successor)


@composite(numpy=True)
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The root of the sum of squares over one or two dimensions: `torch.linalg.norm`."""
    return ops.linalg_vector_norm(input, 2, dim, keepdim, out=out)  # type: ignore[no-any-return]


@composite(numpy=True)
def nuclear_norm(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None
) -> Tensor:
    """The sum of singular values of matrices: `torch.linalg.matrix_norm(ord="nuc")`."""
    if isinstance(dim, bool):
        dim, keepdim = None, dim
    dim = (-2, -1) if dim is None else tuple(dim)
    return ops.linalg_matrix_norm(input, "nuc", dim, keepdim, out=out)  # type: ignore[no-any-return]


@composite(numpy=True)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but one, which are kept with size 1; dim=-1 is over all."""
    if dim == -1:
        return ops.norm(v, pow)  # type: ignore[no-any-return]
    rest = tuple(d for d in range(v.ndim) if d != dim)
    return ops.linalg_vector_norm(v, pow, rest, True)  # type: ignore[no-any-return]


@composite()
def dsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`torch.mm` under the name of dense times sparse."""
    return ops.mm(input, mat2)  # type: ignore[no-any-return]


@composite()
def hsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`torch.hspmm` under its other name: a sparse matrix times a dense one, sparse by rows."""
    return ops.hspmm(input, mat2)  # type: ignore[no-any-return]


@composite()
def saddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`torch.sspaddmm` under its other name: all but `mat2` sparse."""
    return ops.sspaddmm(input, mat1, mat2, beta=beta, alpha=alpha)  # type: ignore[no-any-return]
