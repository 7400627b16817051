"""Activations with one or two numbers to set: relu, sigmoid, tanh, leaky_relu, elu, hardtanh and
their kin.

The smooth ones (gelu, silu, mish, softplus, logsigmoid, glu) are in ``smooth``; softmax in
``softmax``. Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops
from flambeau.core.dtypes import FLOAT, REAL, Rule
from flambeau.core.errors import fail
from flambeau.core.kernels.native.choose import in_single, lazily
from flambeau.core.numbers import number_for
from flambeau.core.rules import both, once, with_arrays
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []


ZEROS = {np.dtype(c): np.zeros((), c) for c in "efdbhilqBHILQ"}
"""Zeros as arrays: a Python number costs a ufunc 0.3 us more."""


def _relu(input):
    return np.maximum(input, ZEROS.get(input.dtype, 0))


def _no_bool(name: str, input: Any) -> None:
    if isinstance(input, Tensor) and input._array.dtype == np.bool_:
        raise fail(
            RuntimeError, name, "Boolean inputs not supported for relu. Convert with .float()."
        )


@with_arrays(lazily("relu_backward", lambda g, out: np.where(out <= 0, g.dtype.type(0), g)))
def _relu_rule(g, out):
    return ops.where(out <= 0, 0.0, g)  # not a product: it would keep NaN where nothing passes


@elementwise(types=REAL, kernel=_relu, inplace_function=True, first=_no_bool, vjp=_relu_rule)
def relu(input):
    """``max(input, 0)``; NaN stays NaN."""
    return np.maximum(input, 0)


FLOATS = Rule("FLOATS", refuses=frozenset({"bool", "int", "complex", "float8"}))
"""Real floating types only, as PyTorch's activation kernels have it."""

nd = np.ndarray


ONES = {np.dtype(c): np.ones((), c) for c in "efd"}


def _sigmoid_kernel(x):
    one = ONES.get(x.dtype)
    if one is None or not x.ndim:
        return 1 / (1 + np.exp(-x))
    e = np.negative(x)
    np.exp(e, e)  # overflows to inf, whose reciprocal is the right 0
    np.add(e, one, e)
    return np.reciprocal(e, e)


@elementwise(
    types=FLOAT,
    kernel=_sigmoid_kernel,
    upcast=True,
    inplace_function=True,
    vjp=once("V")(lambda g, out: g * (1 - out) * out),
)
def sigmoid(input):
    """``1 / (1 + exp(-input))``."""
    return _sigmoid_kernel(input)


@elementwise(
    types=FLOAT,
    kernel=np.tanh,
    inplace_function=True,
    vjp=with_arrays(lazily("tanh_backward", in_single(lambda g, out: g * (1 - out * out))))(
        lambda g, out: g * (1 - out * out)
    ),
)
def tanh(input):
    """The hyperbolic tangent."""
    return np.tanh(input)


def masked(g, keep):
    """`g` where `keep`, else 0: a factor of zero would turn inf into NaN. Arrays and Tensors."""
    if isinstance(g, Tensor):
        return ops.where(keep, g, 0.0)
    return np.where(keep, g, g.dtype.type(0))


_leaky_backward = lazily(
    "leaky_relu_backward",
    in_single(lambda g, input, slope: np.where(input > 0, g, g * g.dtype.type(slope))),
)


@both
def _leaky_rule(g, input, negative_slope):
    if type(g) is nd:
        return _leaky_backward(g, input, negative_slope)
    return ops.where(input > 0, g, g * negative_slope)


def _leaky(input, negative_slope):
    slope = input.dtype.type(negative_slope)
    if 0 <= negative_slope <= 1:
        return np.maximum(input, input * slope)
    return np.where(input > 0, input, input * slope)


@elementwise(
    types=FLOATS,
    kernel=_leaky,
    written="LeakyReluBackward1",
    function=False,
    method=False,
    upcast=True,
    vjp=_leaky_rule,
)
def leaky_relu(input, negative_slope: float = 0.01):
    """``input`` where positive, else ``negative_slope * input``."""
    return _leaky(input, negative_slope)


_leak = ops.leaky_relu_


@composite(function=False)
def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place :func:`leaky_relu`.

    Raises:
        RuntimeError: in backward: the slope is negative.
    """
    return _told_apart("leaky_relu_", _leak(input, negative_slope), negative_slope)


def _told_apart(name: str, written: Tensor, slope: float) -> Tensor:
    """What was written in place. PyTorch has only the result to tell the input's sign by in
    backward, and a negative slope hides it: there it refuses."""
    node = written.grad_fn if slope < 0 else None
    if node is not None:

        def refuse(grads: Any) -> None:
            raise fail(
                RuntimeError,
                name,
                "In-place backward calculation is triggered with a negative slope which is not "
                f"supported: the slope is {slope}. Call the form that is not in place.",
            )

        node.register_prehook(refuse)
    return written


def _elu(input, alpha, scale, input_scale):
    t = input.dtype.type
    low = np.expm1(np.minimum(input, 0) * t(input_scale))
    low *= t(alpha * scale)
    return (
        np.where(input >= 0, input * t(scale), low)
        if scale != 1
        else np.where(input >= 0, input, low)
    )


def _elu_on_arrays(g, input, slope, input_scale):
    t = g.dtype.type
    low = np.exp(np.minimum(input, 0) * t(input_scale))
    low *= t(slope)
    return np.where(input > 0, g, g * low)


_elu_backward = lazily("elu_backward", in_single(_elu_on_arrays))
_times = lazily("mul", np.multiply)
_elu_scaled = in_single(
    lambda g, input, slope, input_scale, scale: _times(
        _elu_backward(g, input, slope, input_scale), scale
    )
)
_celu_backward = lazily(
    "celu_backward",
    in_single(lambda g, input, alpha: _elu_on_arrays(g, input, 1.0, 1.0 / alpha)),
)


@both
def _celu_rule(g, input, alpha):
    if type(g) is nd:
        return _celu_backward(g, input, alpha)
    return _elu_rule(g, input, alpha, 1.0, 1.0 / alpha)


@both
def _elu_rule(g, input, alpha, scale, input_scale):
    if type(g) is nd:
        if scale == 1:
            return _elu_backward(g, input, alpha * input_scale, input_scale)
        return _elu_scaled(g, input, alpha * input_scale, input_scale, scale)
    low = ops.exp(input.clamp(max=0) * input_scale) * (alpha * scale * input_scale)
    return g * ops.where(input > 0, scale, low)


@elementwise(
    types=FLOATS,
    name="_elu",
    node="Elu",
    written="EluBackward1",
    function=False,
    method=False,
    kernel=_elu,
    upcast=True,
    vjp=_elu_rule,
)
def _elu_op(input, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0):
    """``scale * (input if input > 0 else alpha * (exp(input_scale * input) - 1))``."""
    return _elu(input, alpha, scale, input_scale)


@elementwise(
    types=FLOATS,
    name="_celu",
    node="Celu",
    written="CeluBackward1",
    function=False,
    method=False,
    upcast=True,
    kernel=lambda input, alpha: _elu(input, alpha, 1.0, 1.0 / alpha),
    vjp=_celu_rule,
)
def _celu(input, alpha: float = 1.0):
    """``max(input, 0) + min(0, alpha * (exp(input / alpha) - 1))``."""
    return _elu(input, alpha, 1.0, 1.0 / alpha)


SELU = (1.6732632423543772848170429916717, 1.0507009873554804934193349852946)
"""alpha and scale of the self-normalising unit."""


@composite(function=False)
def elu(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """``scale * (input if input > 0 else alpha * (exp(input_scale * input) - 1))``."""
    return ops._elu(input, alpha, scale, input_scale)


@composite(function=False)
def elu_(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """In-place :func:`elu`.

    Raises:
        RuntimeError: in backward: alpha is negative.
    """
    return _told_apart("elu_", ops._elu_(input, alpha, scale, input_scale), alpha)


@composite()
def selu(input: Tensor) -> Tensor:
    """The self-normalising unit. Reference: Klambauer et al., 2017, arXiv:1706.02515."""
    return ops._elu(input, SELU[0], SELU[1], 1.0)


@composite()
def selu_(input: Tensor) -> Tensor:
    """In-place :func:`selu`."""
    return ops._elu_(input, SELU[0], SELU[1], 1.0)


def _nonzero(alpha: float) -> None:
    if alpha == 0:
        raise fail(RuntimeError, "celu", "ZeroDivisionError: alpha cannot be 0 for CELU")


@composite()
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``max(input, 0) + min(0, alpha * (exp(input / alpha) - 1))``."""
    _nonzero(alpha)
    return ops._celu(input, alpha)


@composite()
def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place :func:`celu`.

    Raises:
        RuntimeError: `alpha` is 0; in backward: it is negative.
    """
    _nonzero(alpha)
    return _told_apart("celu_", ops._celu_(input, alpha), alpha)


def _masked_rule(name: str, keep: Any) -> Any:
    """The rule that passes the gradient where ``keep(input, *parameters)`` holds; `name` is its
    native form.
    """
    on_arrays = lazily(name, lambda g, input, *given: masked(g, keep(input, *given)))
    return on_arrays, lambda g, input, *given: masked(g, keep(input, *given))


_between, _between_tensors = _masked_rule(
    "between_backward", lambda input, low, high: (input > low) & (input < high)
)
_above, _above_tensors = _masked_rule("above_backward", lambda input, bound: ~(input <= bound))
_outside, _outside_tensors = _masked_rule(
    "outside_backward", lambda input, bound: (input < -bound) | (input > bound)
)


@elementwise(
    types=Rule("HARD", refuses=frozenset({"bool", "complex", "float8"})),
    name="hardtanh",
    function=False,
    method=False,
    vjp=both(
        lambda g, input, min_val, max_val: (_between if type(g) is nd else _between_tensors)(
            g, input, min_val, max_val
        )
    ),
)
def _hardtanh(input, min_val: float = -1.0, max_val: float = 1.0):
    """``min(max(input, min_val), max_val)``."""
    t = input.dtype.type
    found = np.where(input < t(min_val), t(min_val), input)
    return np.where(found > t(max_val), t(max_val), found)


@composite(function=False)
def relu6(input: Tensor) -> Tensor:
    """``min(max(input, 0), 6)``."""
    return ops.hardtanh(input, 0, 6)


@elementwise(
    types=REAL,
    written="ThresholdBackward1",
    inplace_function=True,
    method=False,
    vjp=both(
        lambda g, input, threshold: (_above if type(g) is nd else _above_tensors)(
            g, input, threshold
        )
    ),
)
def threshold(input, threshold: float, value: float):
    """``input`` where above `threshold`, else `value`."""
    refuse_dtype("threshold", input.dtype, "fiu")
    t = input.dtype.type
    if input.dtype.kind in "iu":
        threshold, value = (number_for("threshold", x, input.dtype) for x in (threshold, value))
    return np.where(input <= t(threshold), t(value), input)


_hardsigmoid_backward = lazily(
    "hardsigmoid_backward",
    in_single(lambda g, input: masked(g * g.dtype.type(1.0 / 6), (input > -3) & (input < 3))),
)


@both
def _hardsigmoid_rule(g, input):
    if type(g) is nd:
        return _hardsigmoid_backward(g, input)
    return masked(g * (1.0 / 6), (input > -3) & (input < 3))


@elementwise(
    types=FLOATS,
    name="hardsigmoid",
    function=False,
    method=False,
    upcast=True,
    vjp=_hardsigmoid_rule,
)
def _hardsigmoid(input):
    """``min(max(input + 3, 0), 6) / 6``."""
    t = input.dtype.type
    return np.clip(input + t(3), t(0), t(6)) / t(6)


def _hardswish_on_arrays(g, input):
    middle = g * (input / g.dtype.type(3) + g.dtype.type(0.5))
    return np.where(input >= 3, g, np.where(input <= -3, g.dtype.type(0), middle))


_hardswish_backward = lazily("hardswish_backward", in_single(_hardswish_on_arrays))


@both
def _hardswish_rule(g, input):
    if type(g) is nd:
        return _hardswish_backward(g, input)
    middle = g * (input / 3 + 0.5)
    return ops.where(input >= 3, g, ops.where(input <= -3, 0.0, middle))


@elementwise(
    types=FLOATS, name="hardswish", function=False, method=False, upcast=True, vjp=_hardswish_rule
)
def _hardswish(input):
    """``input * min(max(input + 3, 0), 6) / 6``."""
    t = input.dtype.type
    return input * np.clip(input + t(3), t(0), t(6)) / t(6)


@elementwise(
    types=FLOATS,
    upcast=True,
    inplace=False,
    vjp=both(
        lambda g, input, lambd: (_outside if type(g) is nd else _outside_tensors)(g, input, lambd)
    ),
)
def hardshrink(input, lambd: float = 0.5):
    """``input`` where ``|input| > lambd``, else 0."""
    t = input.dtype.type
    return np.where((input >= t(-lambd)) & (input <= t(lambd)), t(0), input)


@elementwise(
    types=FLOATS,
    name="_softshrink",
    node="Softshrink",
    function=False,
    method=False,
    upcast=True,
    vjp=both(
        lambda g, input, lambd: (_outside if type(g) is nd else _outside_tensors)(g, input, lambd)
    ),
)
def _softshrink(input, lambd: float = 0.5):
    """``input`` moved towards 0 by `lambd`, 0 within it."""
    t = input.dtype.type
    return np.where(
        input > t(lambd),
        input - t(lambd),
        np.where(input < t(-lambd), input + t(lambd), input * t(0)),
    )


@composite(function=False)
def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """``input`` moved towards 0 by `lambd`, 0 within it.

    Raises:
        RuntimeError: a negative lambd.
    """
    if lambd < 0:
        raise fail(
            RuntimeError,
            "softshrink",
            f"lambda must be greater or equal to 0, but found to be {lambd}.",
        )
    return ops._softshrink(input, lambd, out=out)


@elementwise(
    types=FLOATS,
    name="_prelu_kernel",
    node="PreluKernel",
    method=False,
    inplace=False,
    vjp={
        "input": lambda g, input, weight: ops.where(input > 0, g, weight * g),
        "weight": lambda g, input: ops.where(input > 0, 0.0, input * g),
    },
)
def _prelu_kernel(input, weight):
    """``input`` where positive, else ``weight * input``, broadcast."""
    return np.where(input > 0, input, weight * input)


@composite(method=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where positive, else ``weight * input``: one weight, or one for each channel of
    (N, C, *).

    Raises:
        RuntimeError: weight has another number of elements or dtype.

    Reference: He et al., Delving deep into rectifiers, 2015, arXiv:1502.01852.
    """
    if weight.dtype != input.dtype:
        raise fail(
            RuntimeError,
            "prelu",
            f"Type promoting not supported. Got {input.dtype} for input and {weight.dtype} for "
            "weight.",
        )
    ndim, count = input.dim(), weight.numel()
    if weight.dim() > 1:
        raise fail(
            RuntimeError,
            "prelu",
            f"Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}",
        )
    if count != 1:
        channels = input.size(1) if ndim > 1 else 1
        if ndim == 0:
            raise fail(
                RuntimeError,
                "prelu",
                "Not allow zero-dim input tensor when weight has several elements.",
            )
        if count != channels:
            raise fail(
                RuntimeError,
                "prelu",
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}.",
            )
    if ndim > 1 and weight.dim():
        weight = weight.reshape((1, -1) + (1,) * (ndim - 2))
    elif weight.dim() and ndim < 2:
        weight = weight.reshape(()) if ndim == 0 else weight
    return ops._prelu_kernel(input, weight)
