"""Activation layers: one class a function of ``nn.functional``, holding its settings.

MultiheadAttention is written in ``attention`` and named here, where checkpoints look for it.
"""

from __future__ import annotations

import warnings
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn import init as initialise
from flambeau.nn.modules.attention import MultiheadAttention
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "MultiheadAttention",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _MaybeInplace(Module):
    """An activation without other settings than to overwrite its input."""

    __constants__ = ["inplace"]
    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The in-place flag, where set."""
        return "inplace=True" if self.inplace else ""


def _tail(module: Any) -> str:
    """The in-place flag after other settings."""
    return ", inplace=True" if module.inplace else ""


class Threshold(Module):
    """x where x > threshold, else ``value``."""

    __constants__ = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x where x > threshold, else ``value``."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"threshold={self.threshold}, value={self.value}{_tail(self)}"


class ReLU(_MaybeInplace):
    """max(0, x)."""

    def forward(self, input: Tensor) -> Tensor:
        """max(0, x)."""
        return F.relu(input, self.inplace)


class RReLU(Module):
    """x where x >= 0, else a x with a from U(lower, upper); in evaluation a is their mean.

    Reference: Xu et al., Empirical evaluation of rectified activations in convolutional
    network, 2015, arXiv:1505.00853.
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x where x >= 0, else a x."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"lower={self.lower}, upper={self.upper}{_tail(self)}"


class Hardtanh(Module):
    """min(max_val, max(min_val, x)).

    Raises:
        AssertionError: max_val is not above min_val.
    """

    __constants__ = ["min_val", "max_val", "inplace"]

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None:
            min_val = _renamed("min_value", "min_val", min_value)
        if max_value is not None:
            max_val = _renamed("max_value", "max_val", max_value)
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise fail(
                AssertionError,
                "Hardtanh",
                f"max_val ({max_val}) must be greater than min_val ({min_val})",
            )

    def forward(self, input: Tensor) -> Tensor:
        """min(max_val, max(min_val, x))."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"min_val={self.min_val}, max_val={self.max_val}{_tail(self)}"


def _renamed(old: str, new: str, value: float) -> float:
    warnings.warn(
        f"keyword argument `{old}` is deprecated and renamed to `{new}`",
        FutureWarning,
        stacklevel=stack_level(),
    )
    return value


class ReLU6(Hardtanh):
    """min(6, max(0, x))."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """The in-place flag, where set."""
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        return flambeau.sigmoid(input)


class Hardsigmoid(_MaybeInplace):
    """min(1, max(0, x / 6 + 1 / 2))."""

    def forward(self, input: Tensor) -> Tensor:
        """min(1, max(0, x / 6 + 1 / 2))."""
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class Tanh(Module):
    """tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """tanh(x)."""
        return flambeau.tanh(input)


class SiLU(_MaybeInplace):
    """x sigmoid(x). Reference: Elfwing et al., 2017, arXiv:1702.03118."""

    def forward(self, input: Tensor) -> Tensor:
        """x sigmoid(x)."""
        return F.silu(input, self.inplace)


class Mish(_MaybeInplace):
    """x tanh(softplus(x)). Reference: Misra, 2019, arXiv:1908.08681."""

    def forward(self, input: Tensor) -> Tensor:
        """x tanh(softplus(x))."""
        return F.mish(input, self.inplace)


class Hardswish(_MaybeInplace):
    """x min(1, max(0, x / 6 + 1 / 2)). Reference: Howard et al., 2019, arXiv:1905.02244."""

    def forward(self, input: Tensor) -> Tensor:
        """x hardsigmoid(x)."""
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class _Alpha(Module):
    """An activation with a scale ``alpha`` of its negative part."""

    __constants__ = ["alpha", "inplace"]
    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha}{_tail(self)}"


class ELU(_Alpha):
    """x where x > 0, else alpha (exp(x) - 1). Reference: Clevert et al., arXiv:1511.07289."""

    def forward(self, input: Tensor) -> Tensor:
        """x where x > 0, else alpha (exp(x) - 1)."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Alpha):
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1)). Reference: Barron, arXiv:1704.07483."""

    def forward(self, input: Tensor) -> Tensor:
        """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_MaybeInplace):
    """ELU scaled so that mean 0 and variance 1 are a fixed point.

    Reference: Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Tensor:
        """scale (max(0, x) + min(0, alpha (exp(x) - 1)))."""
        return F.selu(input, self.inplace)


class GLU(Module):
    """a sigmoid(b) of the halves a, b along ``dim``. Reference: arXiv:1612.08083."""

    __constants__ = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """a sigmoid(b)."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class GELU(Module):
    """x Phi(x), Phi the normal CDF; ``approximate='tanh'`` takes the tanh form.

    Reference: Hendrycks, Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.
    """

    __constants__ = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """x Phi(x)."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The form."""
        return f"approximate={self.approximate!r}"


class _Lambda(Module):
    """A shrinkage with threshold ``lambd``."""

    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The threshold."""
        return f"{self.lambd}"


class Hardshrink(_Lambda):
    """x where |x| > lambd, else 0."""

    def forward(self, input: Tensor) -> Tensor:
        """x where |x| > lambd, else 0."""
        return F.hardshrink(input, self.lambd)


class Softshrink(_Lambda):
    """x moved towards 0 by lambd, 0 within."""

    def forward(self, input: Tensor) -> Tensor:
        """sign(x) max(0, |x| - lambd)."""
        return F.softshrink(input, self.lambd)


class LeakyReLU(Module):
    """x where x >= 0, else negative_slope x."""

    __constants__ = ["inplace", "negative_slope"]

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x where x >= 0, else negative_slope x."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"negative_slope={self.negative_slope}{_tail(self)}"


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, input: Tensor) -> Tensor:
        """log(sigmoid(x))."""
        return F.logsigmoid(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold."""

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """log(1 + exp(beta x)) / beta."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class PReLU(Module):
    """x where x >= 0, else a x with a learned: one for all channels or one for each.

    Args:
        num_parameters: 1, or the number of channels (dimension 1).
        init: where a starts.

    Reference: He et al., Delving deep into rectifiers, 2015, arXiv:1502.01852.
    """

    __constants__ = ["num_parameters"]

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(flambeau.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to ``init``."""
        initialise.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """max(0, x) + a min(0, x)."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """x / (1 + |x|)."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """x - tanh(x)."""
        return F.tanhshrink(input)


class _AlongDim(Module):
    """A normalisation along ``dim``; without it a dimension is guessed, with a warning."""

    __constants__ = ["dim"]
    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("dim", None)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmin(_AlongDim):
    """exp(-x_i) / sum_j exp(-x_j) along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """softmax(-x)."""
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax(_AlongDim):
    """exp(x_i) / sum_j exp(x_j) along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """exp(x_i) / sum_j exp(x_j)."""
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Softmax over dimension -3."""
        if input.dim() not in (3, 4):
            message = f"expected input to be 3D or 4D, got {input.dim()}D instead"
            raise fail(ValueError, "Softmax2d", message)
        return F.softmax(input, -3, _stacklevel=5)


class LogSoftmax(_AlongDim):
    """log(exp(x_i) / sum_j exp(x_j)) along ``dim``."""

    def forward(self, input: Tensor) -> Tensor:
        """x_i - log sum_j exp(x_j)."""
        return F.log_softmax(input, self.dim, _stacklevel=5)
