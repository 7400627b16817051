"""The Wishart distribution of positive definite matrices, by Bartlett's decomposition."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.distributions import constraints
from flambeau.distributions.chi2 import Chi2
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.multivariate_normal import one_matrix, to_scale_tril
from flambeau.distributions.triangular import half_log_det
from flambeau.distributions.utils import Number, broadcast_shapes, lazy_property

__all__ = ["Wishart"]

_TRIES = 10  # how often singular samples are drawn again


class Wishart(ExponentialFamily):
    """Sums of ``df`` outer products of normal vectors with covariance V: ``E[X] = df V``.

    Args:
        df: degrees of freedom, a number above n - 1.
        covariance_matrix: V.
        precision_matrix: its inverse, instead.
        scale_tril: its lower Cholesky factor, instead.

    Shape:
        df (*batch), the matrix (*batch, n, n); samples (*sample, *batch, n, n).

    Raises:
        ValueError: df at most n - 1, or no matrix.
        AssertionError: no or several matrices.

    Reference: M. S. Bartlett, On the theory of statistical regression, 1933; S. Sawyer, Wishart
    distributions and inverse-Wishart sampling, 2007.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _batched = {
        "df": 0,
        "covariance_matrix": 2,
        "precision_matrix": 2,
        "scale_tril": 2,
        "_unbroadcasted_scale_tril": 2,
        "_dist_chi2": 1,
    }

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """Of the three forms, and of df, which depends on the matrices' size."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = one_matrix(
            "Wishart",
            AssertionError,
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        if isinstance(df, Number):
            batch = Size(matrix.shape[:-2])
            self.df = flambeau.tensor(df, dtype=matrix.dtype, device=matrix.device)
        else:
            batch = broadcast_shapes(matrix.shape[:-2], df.shape)
            self.df = df.expand(batch)
        event = matrix.shape[-2:]
        n = event[-1]
        if bool((self.df <= n - 1).any()):
            raise fail(
                ValueError,
                "Wishart",
                f"df must be greater than ndim - 1 = {n - 1}, its least value is "
                f"{self.df.min().item()}. Fewer outer products are singular.",
            )
        setattr(self, name, matrix.expand(*batch, -1, -1))
        if bool((self.df < n).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=stack_level(),
            )
        super().__init__(batch, event, validate_args=validate_args)
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)
        # The Bartlett factor's diagonal: chi-squared with df, df - 1, ... degrees of freedom.
        steps = flambeau.arange(n, dtype=matrix.dtype, device=matrix.device)
        self._dist_chi2 = Chi2(df=self.df.unsqueeze(-1) - steps.expand(*batch, -1))

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of V."""
        return self._matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """V, the mean over df."""
        factor = self._unbroadcasted_scale_tril
        return self._matrix(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of V."""
        factor = self._unbroadcasted_scale_tril
        eye = flambeau.eye(self._event_shape[-1], dtype=factor.dtype, device=factor.device)
        return self._matrix(flambeau.cholesky_solve(eye, factor))

    def _per_matrix(self, numbers: Tensor) -> Tensor:
        return numbers.expand(self._batch_shape).unsqueeze(-1).unsqueeze(-1)

    @property
    def mean(self) -> Tensor:
        return self._per_matrix(self.df) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """``(df - n - 1) V``, NaN up to df = n + 1."""
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = flambeau.where(factor <= 0, math.nan, factor)
        return self._per_matrix(factor) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """``df (V_ij^2 + V_ii V_jj)``."""
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._per_matrix(self.df) * (v.pow(2) + outer)

    def _bartlett_sampling(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """``L A A^T L^T``: chi numbers on the diagonal of A, normal ones below it."""
        n = self._event_shape[-1]
        chi = self._dist_chi2.rsample(sample_shape).sqrt()
        noise = chi.clamp(min=flambeau.finfo(chi.dtype).eps).diag_embed(dim1=-2, dim2=-1)
        i, j = flambeau.tril_indices(n, n, offset=-1)
        noise[..., i, j] = flambeau.randn(
            Size(sample_shape) + self._batch_shape + (n * (n - 1) // 2,),
            dtype=noise.dtype,
            device=noise.device,
        )
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(
        self, sample_shape: Sequence[int] = Size(), max_try_correction: int | None = None
    ) -> Tensor:
        """Samples; singular ones are drawn again up to ``max_try_correction`` times (default 10).

        Note:
            PyTorch 2.13 takes the first draw's regular samples for singular ones, warns, and draws
            them again. So does this: a seed gives the samples it gives there.
        """
        sample_shape = Size(sample_shape)
        sample = self._bartlett_sampling(sample_shape)
        again = self._over_batch(self.support.check(sample))
        if bool(again.any()):
            warnings.warn("Singular sample detected.", stacklevel=stack_level())
            for _ in range(_TRIES if max_try_correction is None else max_try_correction):
                drawn = self._bartlett_sampling(again[again].shape)
                where = again.clone()  # the graph keeps it: `again` is written below
                sample[where] = drawn
                again[where] = self._over_batch(~self.support.check(drawn))
                if not bool(again.any()):
                    break
        return sample

    def _over_batch(self, found: Tensor) -> Tensor:
        """Whether any of the batch was found, per sample."""
        dims = [-(i + 1) for i in range(len(self._batch_shape))]
        return found.amax(dims) if dims else found

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        df, n, factor = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        scale = df * (n * math.log(2) / 2 + half_log_det(factor))
        spread = (df - n - 1) / 2 * flambeau.linalg.slogdet(value).logabsdet
        solved = flambeau.cholesky_solve(value, factor)
        trace = solved.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
        return -scale - (df / 2).mvlgamma(p=n) + spread - trace / 2

    def entropy(self) -> Tensor:
        df, n = self.df, self._event_shape[-1]
        scale = (n + 1) * (n * math.log(2) / 2 + half_log_det(self._unbroadcasted_scale_tril))
        spread = (df - n - 1) / 2 * _mvdigamma(df / 2, n)
        return scale + (df / 2).mvlgamma(p=n) - spread + df * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Any:  # type: ignore[override]
        n = self._event_shape[-1]
        half_df = y + (n + 1) / 2
        log_det = flambeau.linalg.slogdet(-2 * x).logabsdet
        return half_df * (n * math.log(2) - log_det) + half_df.mvlgamma(p=n)


def _mvdigamma(x: Tensor, p: int) -> Tensor:
    """The derivative of ``mvlgamma``: ``sum_i digamma(x - i / 2)``, i below p."""
    steps = flambeau.arange(p, dtype=x.dtype, device=x.device) / 2
    return (x.unsqueeze(-1) - steps).digamma().sum(-1)
