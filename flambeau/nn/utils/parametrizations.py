"""Ready parametrizations: orthogonal matrices, weight norm, spectral norm."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.modules.module import Module
from flambeau.nn.utils import parametrize
from flambeau.nn.utils.spectral_norm import output_dim
from flambeau.nn.utils.weight_norm import norm_except_dim, scaled

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _is_orthogonal(Q: Tensor) -> bool:
    rows, columns = Q.size(-2), Q.size(-1)
    identity = flambeau.eye(columns, dtype=Q.dtype, device=Q.device)
    # Ten roundings for each term of the longest sum.
    tolerance = 10.0 * rows * flambeau.finfo(Q.dtype).eps
    return flambeau.allclose(Q.mH @ Q, identity, atol=tolerance)


def _make_orthogonal(A: Tensor) -> Tensor:
    """The Q of A's QR decomposition with the signs of R's diagonal in Q."""
    packed, tau = flambeau.geqrf(A)
    Q = flambeau.linalg.householder_product(packed, tau)
    return Q * packed.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


class _Orthogonal(Module):
    """From a matrix's lower triangle to an orthogonal matrix."""

    base: Any

    def __init__(
        self, weight: Tensor, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == _OrthMaps.householder:
            raise fail(
                ValueError,
                "orthogonal",
                "The householder parametrization does not support complex tensors.",
            )
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        rows, columns = X.size(-2), X.size(-1)
        wide = rows < columns
        if wide:
            X, rows, columns = X.mT, columns, rows
        if self.orthogonal_map == _OrthMaps.householder:
            # Each column below the diagonal is a reflection; the diagonal holds signs.
            A = X.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (A * A).sum(dim=-2))
            Q = flambeau.linalg.householder_product(A, tau)
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            X = X.tril()
            if rows != columns:
                rest = X.new_zeros(rows, rows - columns).expand(*X.shape[:-2], -1, -1)
                X = flambeau.cat([X, rest], dim=-1)
            A = X - X.mH
            if self.orthogonal_map == _OrthMaps.matrix_exp:
                Q = flambeau.matrix_exp(A)
            else:
                identity = flambeau.eye(rows, dtype=A.dtype, device=A.device)
                Q = flambeau.linalg.solve(identity - 0.5 * A, identity + 0.5 * A)
            Q = Q[..., :columns] if rows != columns else Q
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if wide else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        """The matrix that gives Q: through the base, or by Householder's factors."""
        if Q.shape != self.shape:
            raise fail(
                ValueError,
                "orthogonal",
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {Q.shape}.",
            )
        with flambeau.no_grad():
            wide = Q.size(-2) < Q.size(-1)
            tall = Q.mT if wide else Q
            if hasattr(self, "base"):
                self.base = self._square(tall)
                return self._start(Q)
            if self.orthogonal_map != _OrthMaps.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            A, tau = flambeau.geqrf(tall)
            A.diagonal(dim1=-2, dim2=-1).sign_()
            A.diagonal(dim1=-2, dim2=-1)[tau == 0.0] *= -1
            return A.mT if wide else A

    @staticmethod
    def _square(Q: Tensor) -> Tensor:
        """Q made orthogonal and, with random columns, square."""
        rows, columns = Q.size(-2), Q.size(-1)
        if rows == columns:
            return Q.clone() if _is_orthogonal(Q) else _make_orthogonal(Q)
        shape = (*Q.size()[:-2], rows, rows - columns)
        random = flambeau.randn(*shape, dtype=Q.dtype, device=Q.device)
        return _make_orthogonal(flambeau.cat([Q, random], dim=-1))

    @staticmethod
    def _start(Q: Tensor) -> Tensor:
        """-I, which every map takes to the identity (its columns): the base is the matrix."""
        start = flambeau.zeros_like(Q)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a matrix orthogonal (unitary if complex).

    Args:
        module: the module; it is changed and returned.
        name: the parameter, a matrix or a batch of them.
        orthogonal_map: 'matrix_exp', 'cayley' or 'householder' (default: the first for square
            or complex matrices, else the last).
        use_trivialization: multiply with a base, so that any start is possible.

    Reference: Lezcano-Casado, Trivializations for gradient-based optimization on manifolds,
    2019, arXiv:1909.09501.
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise fail(
            ValueError,
            "orthogonal",
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.",
        )
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    which = getattr(_OrthMaps, orthogonal_map, None)
    if which is None:
        raise fail(
            ValueError,
            "orthogonal",
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}",
        )
    made = _Orthogonal(weight, which, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise fail(
            ValueError,
            "parametrizations",
            f"Module '{module}' has no parameter or buffer with name '{name}'",
        )
    return weight


class _WeightNorm(Module):
    """g v / ||v|| from the originals g and v."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The magnitude and the weight itself."""
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a parameter into magnitude (``original0``) and direction (``original1``).

    Args:
        module: the module; it is changed and returned.
        name: the parameter.
        dim: the dimension with a magnitude of its own; None for one magnitude.

    Reference: Salimans, Kingma, Weight normalization, 2016, arXiv:1602.07868.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """The weight over its largest singular value, found by power iteration."""

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise fail(
                IndexError,
                "spectral_norm",
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but "
                f"got {dim})",
            )
        if n_power_iterations <= 0:
            raise fail(
                ValueError,
                "spectral_norm",
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}",
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._reshape_weight_to_matrix(weight)
            rows, columns = matrix.size()
            u = matrix.new_empty(rows).normal_(0, 1)
            v = matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        if self.dim != 0:
            others = (d for d in range(weight.dim()) if d != self.dim)
            weight = weight.permute(self.dim, *others)
        return weight.flatten(1)

    def _power_method(self, matrix: Tensor, iterations: int) -> None:
        """Improve the buffers in place."""
        with flambeau.no_grad():
            for _ in range(iterations):
                u = flambeau.mv(matrix, self._v)
                self._u.copy_(F.normalize(u, dim=0, eps=self.eps))
                v = flambeau.mv(matrix.mH, self._u)
                self._v.copy_(F.normalize(v, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._reshape_weight_to_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies: the next iteration writes the buffers while this graph may live.
        u, v = self._u.clone(), self._v.clone()
        return weight / flambeau.vdot(u, flambeau.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: normalising it is the forward's work."""
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a parameter by its spectral norm.

    Args:
        module: the module; it is changed and returned.
        name: the parameter.
        n_power_iterations: iterations an access in training.
        eps: against division by zero.
        dim: the dimension of outputs (default 0; 1 in transposed convolutions).

    Reference: Miyato et al., Spectral normalization for generative adversarial networks, 2018,
    arXiv:1802.05957.
    """
    weight = _tensor_of(module, name)
    dim = output_dim(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, made)
