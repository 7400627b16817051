"""Stochastic depth: residual branches dropped whole, by sample or by batch.

Reference: G. Huang et al., "Deep Networks with Stochastic Depth", 2016, arXiv:1603.09382.
"""

from __future__ import annotations

from flambeau import empty, nn
from flambeau.core.tensor import Tensor

__all__ = ["StochasticDepth", "stochastic_depth"]


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """``input`` times 0 with probability ``p``, otherwise times ``1 / (1 - p)``.

    Args:
        mode: "batch" drops all samples or none, "row" each sample for itself.
        training: without it ``input`` is handed back.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"stochastic_depth: expected p between 0 and 1, got {p}.")
    if mode not in ("batch", "row"):
        raise ValueError(f"stochastic_depth: expected mode 'batch' or 'row', got {mode!r}.")
    if not training or p == 0.0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    size = [rows] + [1] * (input.ndim - 1)
    kept = empty(size, dtype=input.dtype, device=input.device).bernoulli_(1.0 - p)
    if p < 1.0:
        kept.div_(1.0 - p)
    return input * kept


class StochasticDepth(nn.Module):
    """``stochastic_depth`` as a layer."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
