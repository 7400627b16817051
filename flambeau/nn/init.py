"""Weight initialisation, in place and outside the graph; each function returns its tensor.

Formulas and the order of random draws are PyTorch's, so a seed gives PyTorch's weights.
Stands on the random fills of Tensor (``uniform_``, ``normal_``).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = frozenset(
    ["linear", "sigmoid"]
    + [f"conv{n}d" for n in (1, 2, 3)]
    + [f"conv_transpose{n}d" for n in (1, 2, 3)]
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The standard deviation's factor that keeps variance through ``nonlinearity``.

    linear, conv*, sigmoid 1; tanh 5/3; relu sqrt(2); leaky_relu sqrt(2 / (1 + slope^2));
    selu 3/4.

    Args:
        nonlinearity: the name of the function as in ``nn.functional``.
        param: leaky_relu's negative slope (default 0.01).

    Raises:
        ValueError: an unknown name, or a slope that is no number.
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise fail(ValueError, "calculate_gain", f"negative_slope {param!r} is no number.")
        return math.sqrt(2.0 / (1 + slope**2))
    raise fail(
        ValueError,
        "calculate_gain",
        f"unknown nonlinearity {nonlinearity!r}. Expected one of "
        f"{', '.join(sorted(_LINEAR | {'tanh', 'relu', 'selu', 'leaky_relu'}))}.",
    )


def _fill(tensor: Tensor, method: str, *args: Any, **kwargs: Any) -> Tensor:
    """Run one in-place fill outside the graph."""
    with flambeau.no_grad():
        return getattr(tensor, method)(*args, **kwargs)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the uniform distribution U(a, b)."""
    return _fill(tensor, "uniform_", a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from the normal distribution N(mean, std^2)."""
    return _fill(tensor, "normal_", mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fill with draws from N(mean, std^2) conditioned on [a, b], by rejection.

    Where [a, b] holds more than 0.3 of the mass, normals are proposed and those outside are
    drawn again; else uniforms on [a, b] are accepted with the density's ratio to its peak.

    Args:
        tensor: what to fill.
        mean, std: of the normal distribution before truncation.
        a, b: bounds of the values themselves; they are not multiples of ``std``.
        generator: where draws come from (default: the global generator).
    """
    if tensor.is_meta:
        return tensor
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=stack_level(),
        )
    mass = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    with flambeau.no_grad():
        if mass > 0.3:
            return _reject_normals(tensor, mean, std, a, b, generator)
        return _reject_uniforms(tensor, mean, std, a, b, generator)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _reject_normals(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    """Redraw the whole tensor until every element has had one draw inside [a, b]."""
    # The bounds are rounded as the tensor's values are: no value can sit between.
    low, high = tensor.new_tensor(a).item(), tensor.new_tensor(b).item()
    tensor.normal_(mean, std, generator=generator)
    kept = tensor
    outside = (kept < low) | (kept > high)
    while outside.any():
        again = flambeau.empty_like(kept).normal_(mean, std, generator=generator)
        kept = flambeau.where(outside, again, kept)
        outside = (kept < low) | (kept > high)
    return tensor if kept is tensor else tensor.copy_(kept)


def _reject_uniforms(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    """Accept a uniform draw x with probability pdf(x) / max pdf; redraw the refused ones."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    chance = flambeau.empty_like(tensor)

    def refused(draws: Tensor) -> Tensor:
        log_ratio = draws.clone().sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
        return chance.uniform_(generator=generator).log_().gt(log_ratio)

    tensor.uniform_(a, b, generator=generator)
    pending = refused(tensor)
    while pending.any():
        draws = flambeau.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(flambeau.where(pending, draws, tensor))
        pending = pending & refused(draws)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``."""
    return _fill(tensor, "fill_", val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with one."""
    return _fill(tensor, "fill_", 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zero."""
    return _fill(tensor, "zero_")


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: inputs of a Linear pass through where they can.

    Raises:
        ValueError: the tensor is no matrix.
    """
    if tensor.ndimension() != 2:
        raise fail(ValueError, "eye_", f"expected 2 dimensions, tensor has {tensor.ndim}.")
    with flambeau.no_grad():
        flambeau.eye(*tensor.shape, out=tensor, requires_grad=tensor.requires_grad)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight with the Dirac delta: channels pass through unchanged.

    Args:
        tensor: a weight of 3, 4 or 5 dimensions, (out, in / groups, *kernel).
        groups: the convolution's groups; each passes its own channels.

    Raises:
        ValueError: another number of dimensions, or out not divisible by groups.
    """
    ndim = tensor.ndimension()
    if ndim not in (3, 4, 5):
        raise fail(ValueError, "dirac_", f"expected 3, 4 or 5 dimensions, tensor has {ndim}.")
    out_channels, in_channels, *kernel = tensor.size()
    if out_channels % groups != 0:
        raise fail(
            ValueError,
            "dirac_",
            f"{out_channels} output channels do not divide by {groups} groups.",
        )
    if tensor.is_meta:
        return tensor
    per_group = out_channels // groups
    centre = tuple(size // 2 for size in kernel)
    with flambeau.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, in_channels)):
                tensor[(group * per_group + channel, channel, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, *kernel): channels times the kernel's elements."""
    if tensor.dim() < 2:
        raise fail(
            ValueError,
            "init",
            f"fan in and fan out need at least 2 dimensions, tensor has {tensor.dim()}. "
            "Initialise biases with zeros_, constant_ or uniform_.",
        )
    field = math.prod(tensor.shape[2:])
    return tensor.size(1) * field, tensor.size(0) * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """The fan that ``mode`` names."""
    wanted = mode.lower()
    if wanted not in ("fan_in", "fan_out"):
        raise fail(ValueError, "init", f"mode {mode!r} is not one of 'fan_in', 'fan_out'.")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if wanted == "fan_in" else fan_out


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from U(-a, a), a = gain * sqrt(6 / (fan_in + fan_out)).

    Reference: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural
    networks, 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return _fill(tensor, "uniform_", -bound, bound, generator=generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out)).

    Reference: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural
    networks, 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return _fill(tensor, "normal_", 0.0, std, generator=generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def _nothing_to_fill(tensor: Tensor) -> bool:
    """Whether the weight has a zero size; warns as PyTorch does."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=stack_level())
        return True
    return False


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill from U(-bound, bound), bound = gain * sqrt(3 / fan).

    Args:
        tensor: the weight (out, in, *kernel).
        a: leaky_relu's negative slope.
        mode: 'fan_in' keeps the forward's variance, 'fan_out' the backward's.
        nonlinearity: what follows the layer; see ``calculate_gain``.
        generator: where draws come from (default: the global generator).

    Reference: He et al., Delving deep into rectifiers, 2015, arXiv:1502.01852.
    """
    if _nothing_to_fill(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return _fill(tensor, "uniform_", -bound, bound, generator=generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill from N(0, std^2), std = gain / sqrt(fan); arguments as ``kaiming_uniform_``.

    Reference: He et al., Delving deep into rectifiers, 2015, arXiv:1502.01852.
    """
    if _nothing_to_fill(tensor):
        return tensor
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return _fill(tensor, "normal_", 0, std, generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix times ``gain``: Q of a normal matrix's QR.

    Further dimensions than two are flattened. The signs of R's diagonal go into Q, which makes
    the draw uniform over orthogonal matrices.

    Reference: Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks, 2013, arXiv:1312.6120.
    """
    if tensor.ndimension() < 2:
        raise fail(
            ValueError, "orthogonal_", f"expected 2 or more dimensions, tensor has {tensor.ndim}."
        )
    if tensor.numel() == 0 or tensor.is_meta:
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    draws = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    if rows < columns:
        draws.t_()
    q, r = flambeau.linalg.qr(draws)
    q *= flambeau.diag(r, 0).sign()
    if rows < columns:
        q.t_()
    with flambeau.no_grad():
        tensor.view_as(q).copy_(q)
        tensor.mul_(gain)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix from N(0, std^2), then zero the share ``sparsity`` of every column.

    Reference: Martens, Deep learning via Hessian-free optimization, 2010.
    """
    if tensor.ndimension() != 2:
        raise fail(ValueError, "sparse_", f"expected 2 dimensions, tensor has {tensor.ndim}.")
    if tensor.is_meta:
        return tensor
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with flambeau.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[flambeau.randperm(rows)[:zeros], column] = 0
    return tensor


def _make_deprecate(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The old name without the underscore: warns, then does the same."""
    new = function.__name__
    old = new[:-1]

    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=stack_level(),
        )
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"The old name of ``{new}``; warns."
    return deprecated


uniform = _make_deprecate(uniform_)
normal = _make_deprecate(normal_)
constant = _make_deprecate(constant_)
eye = _make_deprecate(eye_)
dirac = _make_deprecate(dirac_)
xavier_uniform = _make_deprecate(xavier_uniform_)
xavier_normal = _make_deprecate(xavier_normal_)
kaiming_uniform = _make_deprecate(kaiming_uniform_)
kaiming_normal = _make_deprecate(kaiming_normal_)
orthogonal = _make_deprecate(orthogonal_)
sparse = _make_deprecate(sparse_)
