"""Exponential families: the entropy by differentiating the log normaliser.

Subclasses give natural parameters and the log normaliser; closed forms override.
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Densities ``exp(<t(x), theta> - F(theta) + k(x))`` of natural parameters theta.

    ``_natural_params`` gives theta, ``_log_normalizer(*theta)`` F, ``_mean_carrier_measure``
    ``E[k(x)]``.

    Reference: F. Nielsen, V. Garcia, Statistical exponential families: a digest with flash cards,
    2009, arXiv:0911.4863.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """``F(theta) - <theta, grad F(theta)> - E[k(x)]``, a Bregman divergence."""
        carrier = self._mean_carrier_measure
        theta = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*theta)
        slopes = flambeau.autograd.grad(normalizer.sum(), theta, create_graph=True)
        result = normalizer - carrier
        for parameter, slope in zip(theta, slopes):
            result = result - (parameter * slope).reshape(*self._batch_shape, -1).sum(-1)
        return result
