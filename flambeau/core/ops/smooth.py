"""The smooth activations: gelu, silu, mish, softplus, logsigmoid, glu. Stands on declare."""

from __future__ import annotations

import math

import numpy as np

from flambeau.core.declare import composite, elementwise, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.dtypes import Rule
from flambeau.core.errors import fail
from flambeau.core.kernels import late
from flambeau.core.kernels import smooth as kernels
from flambeau.core.kernels.native.choose import in_single, lazily
from flambeau.core.kernels.order import row_major
from flambeau.core.ops.activation import FLOATS
from flambeau.core.rules import both
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray

GELU_BACKWARD = lazily("gelu_backward", in_single(kernels.gelu_backward))
GELU_TANH_BACKWARD = lazily("gelu_tanh_backward", in_single(kernels.gelu_tanh_backward))
SILU_BACKWARD = lazily("silu_backward", in_single(kernels.silu_backward))
SOFTPLUS_BACKWARD = lazily("softplus_backward", in_single(kernels.softplus_backward))


@both
def _gelu_rule(g, input):
    if type(g) is nd:
        return GELU_BACKWARD(g, input)
    density = ops.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (0.5 * (1 + ops.erf(input * math.sqrt(0.5))) + input * density)


@both
def _gelu_tanh_rule(g, input):
    if type(g) is nd:
        return GELU_TANH_BACKWARD(g, input)
    scale = math.sqrt(2 / math.pi)
    inner = ops.tanh(scale * (input + 0.044715 * input * input * input))
    slope = scale * (1 + 3 * 0.044715 * input * input)
    return g * (0.5 * (1 + inner) + 0.5 * input * (1 - inner * inner) * slope)


@elementwise(
    types=FLOATS,
    name="_gelu",
    node="Gelu",
    kernel=kernels.gelu,
    function=False,
    method=False,
    vjp=_gelu_rule,
)
def _gelu(input):
    """``input * Phi(input)`` with the normal distribution's Phi."""
    return kernels.gelu(input)


@elementwise(
    types=FLOATS,
    name="_gelu_tanh",
    node="Gelu",
    kernel=kernels.gelu_tanh,
    function=False,
    method=False,
    vjp=_gelu_tanh_rule,
)
def _gelu_tanh(input):
    """gelu with Phi approximated by tanh."""
    return kernels.gelu_tanh(input)


@composite(function=False)
def gelu(input: Tensor, *, approximate: str = "none", out: Tensor | None = None) -> Tensor:
    """``input * Phi(input)``, Phi the normal distribution; `approximate` "tanh" takes its
    approximation.

    Raises:
        RuntimeError: another approximation.

    Reference: Hendrycks, Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.
    """
    if approximate == "none":
        return ops._gelu(input, out=out)
    if approximate == "tanh":
        return ops._gelu_tanh(input, out=out)
    raise fail(
        RuntimeError,
        "gelu",
        f"approximate argument must be either none or tanh, but is {approximate!r}.",
    )


@both
def _silu_rule(g, input):
    if type(g) is nd:
        return SILU_BACKWARD(g, input)
    s = ops.sigmoid(input)
    return g * s * (1 + input * (1 - s))


@elementwise(
    types=Rule("SILU", refuses=frozenset({"bool", "int", "float8"})),
    name="silu",
    kernel=kernels.silu,
    function=False,
    method=False,
    vjp=_silu_rule,
)
def _silu(input):
    """``input * sigmoid(input)``."""
    return kernels.silu(input)


def _mish_on_arrays(g, input):
    s, t = kernels.sigmoid(input), np.tanh(kernels.softplus(input))
    return g * (t + input * s * (1 - t * t))


MISH_BACKWARD = lazily("mish_backward", in_single(_mish_on_arrays))


def _logsigmoid_on_arrays(g, input):
    z = np.exp(-np.abs(input))
    part = z / (z + 1)
    return g * np.where(input < 0, 1 - part, part)


LOGSIGMOID_BACKWARD = lazily("logsigmoid_backward", in_single(_logsigmoid_on_arrays))


@both
def _mish_rule(g, input):
    if type(g) is nd:
        return MISH_BACKWARD(g, input)
    s, t = ops.sigmoid(input), ops.tanh(ops.softplus(input))
    return g * (t + input * s * (1 - t * t))


@elementwise(types=FLOATS, name="mish", function=False, method=False, upcast=True, vjp=_mish_rule)
def _mish(input):
    """``input * tanh(softplus(input))``."""
    return input * np.tanh(kernels.softplus(input))


@both
def _softplus_rule(g, input, beta, threshold):
    if type(g) is nd:
        return SOFTPLUS_BACKWARD(g, input, beta, threshold)
    scaled = input * beta
    return ops.where(scaled > threshold, g, g * ops.sigmoid(scaled))


@elementwise(
    types=FLOATS,
    name="_softplus",
    node="Softplus",
    function=False,
    method=False,
    upcast=True,
    kernel=lazily("softplus", kernels.softplus_scaled),
    vjp=_softplus_rule,
)
def _softplus(input, beta: float = 1.0, threshold: float = 20.0):
    """``log(1 + exp(beta * input)) / beta``; the input itself where
    ``beta * input > threshold``."""
    return kernels.softplus_scaled(input, beta, threshold)


@composite(function=False)
def softplus(
    input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None
) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; the input itself where
    ``beta * input > threshold``."""
    return ops._softplus(input, beta, threshold, out=out)


@both
def _logsigmoid_rule(g, input):
    if type(g) is nd:
        return LOGSIGMOID_BACKWARD(g, input)
    return g * ops.sigmoid(-input)


@elementwise(
    types=FLOATS,
    name="_logsigmoid",
    node="LogSigmoid",
    function=False,
    method=False,
    upcast=True,
    vjp=_logsigmoid_rule,
)
def _logsigmoid(input):
    """``log(sigmoid(input))``."""
    return np.minimum(input, input.dtype.type(0)) - np.log1p(np.exp(-np.abs(input)))


@composite(function=False, alias=("log_sigmoid",))
def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(1 / (1 + exp(-input)))``."""
    found = ops._logsigmoid(input, out=out)
    if out is None:
        found._array = row_major(found._array)
    return found  # type: ignore[no-any-return]


def _halves(input, dim):
    """The dimension by its number, and both halves along it."""
    axis = wrap_dim(dim, input.ndim, "glu")
    half, lead = input.shape[axis] // 2, (slice(None),) * axis
    return axis, input[(*lead, slice(0, half))], input[(*lead, slice(half, None))]


def _backward_by_numpy(g, input, dim):
    axis, a, b = _halves(input, dim)
    return np.concatenate((GATED(g, b), GATED_BACKWARD(g, a, b)), axis)


_glu_backward = late.native("small_gates", "glu_backward", _backward_by_numpy)


@both
def _glu_rule(g, input, dim):
    if type(g) is nd:
        return _glu_backward(g, input, dim)
    axis, a, b = _halves(input, dim)
    s = ops.sigmoid(b)
    return ops.cat((g * s, (1 - s) * s * g * a), axis)


def _gated_backward(g, a, b):
    s = _sigmoid(b)
    return _gate_slope(s, g, a)


_sigmoid = in_single(kernels.sigmoid)
_gate_slope = in_single(lambda s, g, a: (1 - s) * s * g * a)


GATED = lazily("gated", lambda a, b: a * _sigmoid(b))
GATED_BACKWARD = lazily("gated_backward", _gated_backward)


def _halved(input, dim):
    axis = wrap_dim(dim, input.ndim, "glu")
    if input.shape[axis] % 2:
        raise fail(
            RuntimeError,
            "glu",
            f"Halving dimension must be even, but dimension {axis} is size {input.shape[axis]}",
        )
    return (*input.shape[:axis], input.shape[axis] // 2, *input.shape[axis + 1 :]), input.dtype


@primitive(
    types=FLOATS,
    function=False,
    method=False,
    name="glu",
    upcast=True,
    vjp=_glu_rule,
    infer=_halved,
)
def _glu(input, dim: int = -1):
    """``a * sigmoid(b)`` for the halves a, b along `dim`."""
    if input.ndim == 0:
        raise fail(RuntimeError, "glu", "glu does not support 0-dimensional tensors")
    axis, a, b = _halves(input, dim)
    if input.shape[axis] % 2:
        _halved(input, dim)  # words it
    return GATED(a, b)
