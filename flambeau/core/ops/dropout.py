"""Operations that multiply by noise: dropout, its feature and alpha forms, rrelu.

The noise is drawn here; the product is an ordinary multiplication, so its gradient is too. Stands
on core.random and the pointwise operations.
"""

import math
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.batch.array import ACTIVE, Batched, each_sample
from flambeau.core.batch.draws import draw_new, each_draw, repeating
from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.factory.short import Filled
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.order import row_major
from flambeau.core.node import labelled
from flambeau.core.random import uniform
from flambeau.core.random.generator import Generator, default_generator, resolve
from flambeau.core.random.order import empty_like
from flambeau.core.random.stream import Stream
from flambeau.core.taken import SINGLE_OR_DOUBLE, refuse_dtype
from flambeau.core.tensor import PLAIN, Tensor, wrap

__all__ = ["dropout_noise", "rrelu_noise"]

_ALPHA = 1.7580993408473766  # -scale * alpha of SELU: what a dropped unit becomes
_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


_USUAL = frozenset((np.dtype("f4"), np.dtype("f8")))
_BLANK = Filled(None, like=True)


@composite()
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes each element with probability ``p`` and divides the others by ``1 - p``, in training.

    Returns ``input`` itself where nothing is to drop.

    Raises:
        RuntimeError: ``p`` outside [0, 1], or an integer tensor.

    Reference: N. Srivastava et al., Dropout: A simple way to prevent neural networks from
    overfitting, 2014.
    """
    if train and type(input) in PLAIN and 0 < p < 1 and not ACTIVE.get():
        noise = _BLANK[input._array.dtype](input) if input._array.dtype in _USUAL else None
        if noise is not None:
            array = noise._array
            uniform.chosen(default_generator, array, 1.0 - p, _kept(array.dtype, p))
            return ops.mul(input, noise)  # type: ignore[no-any-return]
    return _dropped("dropout", input, p, train, False, False, ops.mul)


@composite()
def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """In-place :func:`dropout`."""
    return _dropped("dropout_", input, p, train, False, False, ops.mul_)


@composite()
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes whole channels: one draw per (N, C), whatever dimensions follow.

    Reference: J. Tompson et al., Efficient object localization using convolutional networks, 2015.
    """
    return _dropped("feature_dropout", input, p, train, True, False, ops.mul)


@composite()
def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """In-place :func:`feature_dropout`."""
    return _dropped("feature_dropout_", input, p, train, True, False, ops.mul_)


@composite()
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout that keeps mean 0 and variance 1: dropped units become SELU's negative limit.

    Reference: G. Klambauer et al., Self-normalizing neural networks, 2017, arXiv:1706.02515.
    """
    return _dropped("alpha_dropout", input, p, train, False, True, ops.mul)


@composite()
def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """In-place :func:`alpha_dropout`."""
    return _dropped("alpha_dropout_", input, p, train, False, True, ops.mul_)


@composite()
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`alpha_dropout` of whole channels."""
    return _dropped("feature_alpha_dropout", input, p, train, True, True, ops.mul)


@composite()
def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """In-place :func:`feature_alpha_dropout`."""
    return _dropped("feature_alpha_dropout_", input, p, train, True, True, ops.mul_)


@composite()
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout that also returns the bool mask of what was kept (all of it when not training)."""
    array = input._array
    if isinstance(array, Abstract):
        return input * 1, wrap(Abstract(array.shape, np.bool_))
    if train is False:
        return input.clone(), wrap(np.ones(array.shape, np.bool_))
    source = resolve(None, "native_dropout")
    kept = draw_new(lambda: uniform.mask(source, array.shape, 1 - p))
    scale = 0.0 if p == 1 else 1.0 / (1.0 - p)
    return input * wrap(kept) * wrap(np.full((), scale, array.dtype)), wrap(kept)


@composite()
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """``x`` where positive, else ``x`` times a slope: random in training, else the middle one.

    Reference: B. Xu et al., Empirical evaluation of rectified activations, 2015, arXiv:1505.00853.
    """
    return _randomly_leaky("rrelu", input, lower, upper, training, generator, "")


@composite()
def rrelu_(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """In-place :func:`rrelu`."""
    return _randomly_leaky("rrelu_", input, lower, upper, training, generator, "_")


def _randomly_leaky(
    name: str, input: Tensor, lower: float, upper: float, training: bool, generator: Any, twin: str
) -> Tensor:
    if lower > upper:
        raise fail(
            RuntimeError,
            name,
            f"lower bound should be less than or equal to the upper bound: lower is {lower}, "
            f"upper {upper}.",
        )
    label = f"RreluWithNoiseBackward{int(bool(twin))}"
    if not training:
        found = getattr(ops, "leaky_relu" + twin)(input, (lower + upper) / 2)
        return labelled(found if twin else _laid_out(found), label)
    array = input._array
    refuse_dtype(name, array.dtype, "", ("bfloat16", *SINGLE_OR_DOUBLE))
    if isinstance(array, Abstract):
        return getattr(ops, "mul" + twin)(input, 1)
    source = resolve(generator, name)
    if ACTIVE.get():
        kernel = repeating(lambda a: rrelu_noise(source, a, lower, upper), source)
        given = each_draw(array)
        noise = each_sample(kernel, [given]) if type(given) is Batched else kernel(given)
    else:
        noise = rrelu_noise(source, array, lower, upper)
    found = getattr(ops, "mul" + twin)(input, wrap(noise))
    return labelled(found if twin else _laid_out(found), label)


def _laid_out(fresh: Tensor) -> Tensor:
    fresh._array = row_major(fresh._array)
    return fresh


def rrelu_noise(stream: Stream, array: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """What rrelu multiplies by: 1 where positive, else a slope, drawn in C order.

    The bounds are rounded to the array's dtype, the slopes between them are drawn in float64.
    """
    noise = np.ones(array.shape, array.dtype)
    leaky = array <= 0
    low, high = float(array.dtype.type(lower)), float(array.dtype.type(upper))
    drawn = stream.doubles(int(np.count_nonzero(leaky)))
    drawn *= high - low
    drawn += low
    noise[leaky] = drawn
    return noise


def dropout_noise(stream: Stream, array: np.ndarray, p: float, feature: bool = False) -> np.ndarray:
    """Zeros with probability ``p`` and ``1 / (1 - p)``, for ``array`` or its channels."""
    return uniform.chosen(stream, _room(array, feature), 1.0 - p, _kept(array.dtype, p))


def _kept(kind: np.dtype[Any], p: float) -> Any:
    """What dropout multiplies by where it keeps."""
    wide: Any = np.float64 if kind == np.float64 else np.float32
    return (wide(1) / wide(1.0 - p)).astype(kind)


def _room(array: np.ndarray, feature: bool) -> np.ndarray:
    if feature:
        return np.empty((*array.shape[:2], *(1,) * (array.ndim - 2)), array.dtype)
    return empty_like(array, array.dtype)


def _dropped(
    name: str, input: Tensor, p: float, train: bool, feature: bool, alpha: bool, mul: Any
) -> Tensor:
    if not 0 <= p <= 1:
        raise fail(
            RuntimeError, name, f"dropout probability has to be between 0 and 1, but got {p}."
        )
    array = input._array
    if p == 0 or not train or array.size == 0:
        return input
    if p == 1:
        return mul(input, wrap(np.zeros((), array.dtype)))
    kind = dtypes.of(array.dtype)
    if kind.name not in _FLOATS:
        raise fail(
            NotImplementedError if kind.is_complex else RuntimeError,
            name,
            f"input has dtype {kind}: dropped values are scaled, result type Float can't be cast "
            "to it. "
            "Convert the input with float().",
        )
    if feature and array.ndim < 2:
        raise fail(
            RuntimeError,
            name,
            "Feature dropout requires at least 2 dimensions in the input, (N, C, ...); it has "
            f"{array.ndim}.",
        )
    if isinstance(array, Abstract):
        return mul(input, 1)
    source = resolve(None, name)
    if ACTIVE.get():
        model = array.sample() if type(array) is Batched else array
        found = draw_new(
            lambda: (
                _alpha_noise(source, model, p, feature)
                if alpha
                else (dropout_noise(source, model, p, feature), None)
            )
        )
        noise, shift = found
        return mul(input, wrap(noise)) if shift is None else mul(input, wrap(noise)) + wrap(shift)
    if not alpha:
        return mul(input, wrap(dropout_noise(source, array, p, feature)))
    noise, shift = _alpha_noise(source, array, p, feature)
    scaled = mul(input, wrap(noise))
    return (ops.add_ if mul is ops.mul_ else ops.add)(scaled, wrap(shift))


def _alpha_noise(
    stream: Stream, array: np.ndarray, p: float, feature: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The factor (a where kept, else 0) and the shift that alpha dropout's affine map takes."""
    kept = uniform.bernoulli(stream, _room(array, feature), 1.0 - p)
    a = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    wide: Any = np.float64 if array.dtype == np.float64 else np.float32

    def rounded(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return values.astype(array.dtype)

    shift = rounded(kept - array.dtype.type(1))
    shift = rounded(shift.astype(wide) * wide(_ALPHA * a))
    shift = rounded(shift.astype(wide) + wide(_ALPHA * a * p))
    return rounded(kept.astype(wide) * wide(a)), shift
