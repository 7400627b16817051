"""Activations under PyTorch's names and signatures; ``inplace=True`` writes into the input. Stands
on ``ops``."""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.core import layout
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.late import load
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

load("activation", "dropout", "smooth")
celu_ = ops.celu_
elu_ = ops.elu_
gelu = ops.gelu
hardshrink = ops.hardshrink
hardtanh_ = ops.hardtanh_
leaky_relu_ = ops.leaky_relu_
logsigmoid = ops.logsigmoid
prelu = ops.prelu
relu_ = ops.relu_
rrelu_ = ops.rrelu_
selu_ = ops.selu_
softplus = ops.softplus
softshrink = ops.softshrink
threshold_ = ops.threshold_


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``."""
    return ops.relu_(input) if inplace else ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(input, 0), 6)``.

    Raises:
        RuntimeError: a bool input.
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``alpha (exp(x) - 1)``.

    Reference: Clevert et al., Fast and accurate deep network learning by exponential linear units,
    2015, arXiv:1511.07289.
    """
    return ops.elu_(input, alpha) if inplace else ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``scale (max(x, 0) + min(0, alpha (exp(x) - 1)))`` with the constants that keep mean 0 and
    variance 1.

    Reference: Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """
    return ops.selu_(input) if inplace else ops.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``max(x, 0) + min(0, alpha (exp(x / alpha) - 1))``.

    Reference: Barron, Continuously differentiable exponential linear units, 2017, arXiv:1704.07483.
    """
    return ops.celu_(input, alpha) if inplace else ops.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``negative_slope x``."""
    return (
        ops.leaky_relu_(input, negative_slope) if inplace else ops.leaky_relu(input, negative_slope)
    )


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``x`` where positive, else ``x`` times a slope: random in training, else the middle one."""
    return (ops.rrelu_ if inplace else ops.rrelu)(input, lower, upper, training)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``min(max(input, min_val), max_val)``.

    Raises:
        ValueError: ``min_val`` above ``max_val``.
    """
    if min_val > max_val:
        raise fail(ValueError, "hardtanh", "min_val cannot be greater than max_val")
    return (
        ops.hardtanh_(input, min_val, max_val) if inplace else ops.hardtanh(input, min_val, max_val)
    )


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where above ``threshold``, else ``value``."""
    return (
        ops.threshold_(input, threshold, value)
        if inplace
        else ops.threshold(input, threshold, value)
    )


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x + 3, 0), 6) / 6``."""
    return ops.hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x min(max(x + 3, 0), 6) / 6``.

    Reference: Howard et al., Searching for MobileNetV3, 2019, arXiv:1905.02244.
    """
    return ops.hardswish_(input) if inplace else ops.hardswish(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x sigmoid(x)``, also called swish.

    Reference: Hendrycks, Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.
    """
    return ops.silu_(input) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x tanh(softplus(x))``.

    Reference: Misra, Mish: a self regularized non-monotonic activation function, 2019,
    arXiv:1908.08681.
    """
    return ops.mish_(input) if inplace else ops.mish(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """``a sigmoid(b)`` for the halves a, b of the input along ``dim``.

    Raises:
        RuntimeError: a 0-d input, or an odd size.

    Reference: Dauphin et al., Language modeling with gated convolutional networks, 2016,
    arXiv:1612.08083.
    """
    if input.dim() == 0:
        raise fail(
            RuntimeError, "glu", "glu does not support scalars because halving size must be even"
        )
    return ops.glu(input, dim)


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return input - input.tanh()


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return input / (input.abs() + 1)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """``tanh(x)``."""
    return ops.tanh(input)


def _implicit_dim(name: str, ndim: int) -> int:
    """The dimension that a call without `dim` means; warns."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        UserWarning,
        stacklevel=stack_level(),
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``exp(x) / sum(exp(x))`` along ``dim``; ``dtype`` converts the input first."""
    if dim is None:
        dim = _implicit_dim("softmax", input.dim())
    return ops.softmax(input, dim, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``softmax(-x)`` along ``dim``."""
    if dim is None:
        dim = _implicit_dim("softmin", input.dim())
    return ops.softmax(-input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``x - log(sum(exp(x)))`` along ``dim``; ``dtype`` converts the input first."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim())
    return ops.log_softmax(input, dim, dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of the Gumbel-softmax distribution: ``softmax((logits + gumbel) / tau)``.

    Args:
        tau: temperature, not negative.
        hard: one-hot forward, the soft sample's gradient backward.

    Reference: Jang et al., Categorical reparameterization with Gumbel-softmax, 2016,
    arXiv:1611.01144.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=stack_level())
    noise = ops.empty_like(logits, memory_format=layout.contiguous_format)
    gumbels = -noise.exponential_().log()
    soft = ops.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one = ops.zeros_like(logits, memory_format=layout.contiguous_format).scatter_(dim, index, 1.0)
    return one - soft.detach() + soft
