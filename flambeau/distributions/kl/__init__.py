"""Kullback-Leibler divergences: ``KL(p || q) = E_p[log p(x) - log q(x)]`` in closed form.

The registry finds a formula by the types of p and q; the formulas stand beside it: within a family,
across families, of normal vectors, and of distributions made of others.
"""

from flambeau.distributions.kl import across, composite, same, vectors
from flambeau.distributions.kl.registry import (
    _KL_MEMOIZE,
    _KL_REGISTRY,
    _dispatch_kl,
    kl_divergence,
    register_kl,
)

__all__ = ["kl_divergence", "register_kl"]
