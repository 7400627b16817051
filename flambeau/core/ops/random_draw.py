"""Draws with tensor parameters: bernoulli, normal, poisson, binomial, gamma, multinomial.

Their results do not depend smoothly on the parameters, so the gradients are zero, as in PyTorch.
Stands on core.random and declare.
"""

from functools import wraps
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.batch.array import ACTIVE
from flambeau.core.batch.draws import each_draw
from flambeau.core.declare import composite, ops, primitive, republish
from flambeau.core.errors import fail
from flambeau.core.factory_options import empty, finish, into, options, shape_of
from flambeau.core.folds import fold_min
from flambeau.core.ir.abstract import Abstract
from flambeau.core.node import labelled
from flambeau.core.ops.random_fill import check_chances, need_kernel, number, probability, whole
from flambeau.core.random import choice, rejection, uniform
from flambeau.core.random.dirichlet_grad import dirichlet_grad
from flambeau.core.random.gamma_grad import gamma_grad
from flambeau.core.random.generator import Generator, resolve
from flambeau.core.random.normal import normal_ as _fill_normal
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

_CATEGORIES = 1 << 24


def _same(input: Any, *args: Any, **named: Any) -> Any:
    return input.shape, input.dtype


def _common(name: str, left: np.ndarray, right: np.ndarray) -> tuple[int, ...]:
    if left.shape == right.shape:
        return left.shape
    try:
        return np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise fail(
            RuntimeError,
            name,
            f"shapes {list(left.shape)} and {list(right.shape)} do not broadcast: from the last "
            "dimension on, "
            "sizes must be equal or 1.",
        ) from None


@primitive(vjp=lambda g: ops.zeros_like(g), infer=_same)
def bernoulli(input, p: Any = None, *, generator: Any = None):
    """Ones and zeros: one with the probability that stands in ``input`` (or ``p`` everywhere).

    Args:
        input: probabilities, floating; with ``p`` only its shape and dtype count.

    Raises:
        RuntimeError: a probability outside [0, 1].
    """
    source = resolve(generator, "bernoulli")
    if p is not None:
        return uniform.bernoulli(
            source, np.empty(input.shape, input.dtype), probability("bernoulli", p)
        )
    check_chances("bernoulli", input)
    return uniform.bernoulli_each(source, np.empty(input.shape, input.dtype), input)


@primitive(vjp=lambda g: ops.zeros_like(g), infer=_same, method=False)
def poisson(input, generator: Any = None):
    """Poisson counts of the rates in ``input``, in its dtype.

    Raises:
        RuntimeError: a negative rate.
    """
    kind = dtypes.of(input.dtype)
    need_kernel("poisson", kind, "counts from floating rates", kind.category == "float")
    if not (input >= 0).all():
        raise fail(
            RuntimeError,
            "poisson",
            "invalid Poisson rate, expected rate to be non-negative. Clamp it, or take its exp().",
        )
    return rejection.poisson(resolve(generator, "poisson"), input)


def _infer_binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    return np.broadcast_shapes(count.shape, prob.shape), count.dtype


@primitive(
    vjp={"count": lambda g: ops.zeros_like(g), "prob": lambda g: ops.zeros_like(g)},
    infer=_infer_binomial,
    method=False,
)
def binomial(count, prob, generator: Any = None):
    """Numbers of successes in ``count`` trials of probability ``prob``, elementwise and broadcast.

    Raises:
        ValueError: ``count`` is not floating.
        RuntimeError: the dtypes differ.
    """
    kind, other = dtypes.of(count.dtype), dtypes.of(prob.dtype)
    if kind.category != "float":
        raise fail(
            ValueError,
            "binomial",
            f"count has dtype {kind}, expected a floating one. Convert it with float().",
        )
    if kind is not other:
        raise fail(
            RuntimeError,
            "binomial",
            f"prob has dtype {other}, count has {kind}. Convert one of them.",
        )
    shape = _common("binomial", count, prob)
    return rejection.binomial(resolve(generator, "binomial"), np.broadcast_to(count, shape), prob)


@primitive(
    vjp=lambda g, input, out: g * ops._standard_gamma_grad(input, out), infer=_same, method=False
)
def _standard_gamma(input, generator: Any = None):
    """Gamma numbers of shape ``input`` and rate 1 (what ``distributions.Gamma`` draws)."""
    kind = dtypes.of(input.dtype)
    need_kernel("_standard_gamma", kind, "float32 and float64", kind.name in ("float32", "float64"))
    return rejection.gamma(resolve(generator, "_standard_gamma"), input)


@primitive(infer=_same, method=False)
def _standard_gamma_grad(input, output):
    """How a gamma number ``output`` of shape ``input`` moves with its shape."""
    return gamma_grad(input, output)


@primitive(infer=_same, method=False)
def _sample_dirichlet(input, generator: Any = None):
    """Dirichlet numbers of concentration ``input`` along the last dimension."""
    kind = dtypes.of(input.dtype)
    need_kernel(
        "_sample_dirichlet", kind, "float32 and float64", kind.name in ("float32", "float64")
    )
    return rejection.dirichlet(resolve(generator, "_sample_dirichlet"), input)


@primitive(infer=lambda x, alpha, total: (x.shape, x.dtype), method=False)
def _dirichlet_grad(x, alpha, total):
    """How a Dirichlet part ``x`` of concentration ``alpha`` moves with it, over ``1 - x``."""
    return dirichlet_grad(x, alpha, total)


def _infer_multinomial(
    input: Any, num_samples: int, replacement: bool = False, generator: Any = None
) -> Any:
    return (*input.shape[:-1], num_samples), np.dtype(np.int64)


@primitive(infer=_infer_multinomial)
def multinomial(input, num_samples: int, replacement: bool = False, *, generator: Any = None):
    """Category numbers drawn by the weights in ``input``, a vector or one per row, as int64.

    Args:
        input: weights, floating, not negative; they need not sum to one.
        num_samples: how many numbers per row.
        replacement: whether a category may come again.

    Shape:
        (C,) to (num_samples,); (N, C) to (N, num_samples).

    Raises:
        RuntimeError: weights that are no distribution, or more samples than categories.
    """
    _check_weights(input, num_samples, replacement)
    return choice.multinomial(resolve(generator, "multinomial"), input, num_samples, replacement)


def _check_weights(weights: np.ndarray, n: int, replacement: bool) -> None:
    def wrong(text: str) -> Exception:
        return fail(RuntimeError, "multinomial", text)

    if weights.ndim not in (1, 2):
        raise wrong(
            f"prob_dist must be 1 or 2 dim, input has {weights.ndim}. Flatten the leading ones."
        )
    kind = dtypes.of(weights.dtype)
    if kind.category != "float":
        raise wrong(
            f"only supports floating-point dtypes for input, got {kind}. Convert with float()."
        )
    if n <= 0:
        raise wrong(f"cannot sample n_sample <= 0 samples: num_samples is {n}.")
    categories = weights.shape[-1]
    if not replacement and n > categories:
        raise wrong(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"num_samples is {n}, "
            f"categories {categories}. Draw fewer, or with replacement=True."
        )
    if categories > _CATEGORIES:
        raise wrong(f"number of categories cannot exceed 2^24, input has {categories}.")
    if not weights.size:
        return
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise wrong(
            "probability tensor contains either `inf`, `nan` or element < 0: no such weight can "
            "be drawn by. "
            "Pass logits through softmax() first."
        )
    if (weights.sum(-1, dtype=np.float64) <= 0).any():
        raise wrong(
            "invalid multinomial distribution (sum of probabilities <= 0): a row is all zeros."
        )


def _infer_drawn(mean: Any = None, std: Any = None, *args: Any, **named: Any) -> Any:
    given = [x for x in (mean, std) if x is not None]
    return np.broadcast_shapes(*(x.shape for x in given)), given[0].dtype


@primitive(
    name="_drawn",
    vjp={"mean": lambda g: ops.zeros_like(g), "std": lambda g: ops.zeros_like(g)},
    function=False,
    method=False,
    node="Normal",
    infer=_infer_drawn,
)
def _drawn(mean=None, std=None, shift: Any = 0.0, scale: Any = 1.0, generator: Any = None):
    """``mean + std * z`` with fresh standard normals; a parameter is a tensor or a number."""
    model = std if mean is None else mean
    other = mean if std is None else std
    shape = _common("normal", model, other)
    if std is not None and std.size and not fold_min(std, None) >= 0:  # NaN is not
        raise fail(
            RuntimeError,
            "normal",
            "expects all elements of std >= 0.0. Take exp() or abs() of what gives std.",
        )
    kind = dtypes.of(model.dtype)
    need_kernel(
        "normal", kind, "floating and complex dtypes", kind.category in ("float", "complex")
    )
    out = _fill_normal(resolve(generator, "normal"), np.empty(shape, model.dtype))
    typed = model.dtype.type
    out *= typed(scale) if std is None else std.astype(model.dtype, copy=False)
    out += typed(shift) if mean is None else mean
    return out


@composite()
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor:
    """Normal numbers of tensors ``mean`` and ``std``, or of two numbers in shape ``size``.

    Raises:
        RuntimeError: a negative ``std``.
        TypeError: two numbers and no size.
    """
    if size is not None:  # numbers then, and a tensor without dimensions is one
        mean, std = (
            t.item() if isinstance(t, Tensor) and not t._array.ndim else t for t in (mean, std)
        )
    tensors = isinstance(mean, Tensor), isinstance(std, Tensor)
    if any(tensors):
        if size is not None:
            raise fail(
                TypeError, "normal", "size is for mean and std given as numbers. Leave it out."
            )
        if not tensors[1]:
            _check_std(std)
        elif std.is_complex():
            raise fail(RuntimeError, "normal", "expects standard deviation to be non-complex")
        found = ops._drawn(
            mean if tensors[0] else None,
            std if tensors[1] else None,
            0.0 if tensors[0] else number("normal", "mean", mean),
            1.0 if tensors[1] else number("normal", "std", std),
            generator,
            out=out,
        )
        return labelled(found, f"NormalBackward{tensors[0] + 2 * tensors[1]}")
    if size is None:
        raise fail(
            TypeError,
            "normal",
            "received an invalid combination of arguments: mean and std are numbers, so size is "
            "needed: "
            "normal(mean, std, size).",
        )
    mean, std = number("normal", "mean", mean), number("normal", "std", std)
    _check_std(std)
    shape = shape_of("normal", size)
    source = resolve(generator, "normal")

    def draw(name: str, source: Generator, array: np.ndarray) -> None:
        kind = dtypes.of(array.dtype)
        need_kernel(
            name, kind, "floating and complex dtypes", kind.category in ("float", "complex")
        )
        _fill_normal(source, array, mean, std)

    if out is not None:
        array = into("normal", out, shape, dtype)
        if not isinstance(array, Abstract):
            whole(draw, "normal", source, array)
        return out
    chosen = options("normal", dtype, device, layout, requires_grad, pin_memory)
    array = empty(chosen.meta, shape, chosen.dtype.numpy)
    if not chosen.meta:
        whole(draw, "normal", source, array)
    return finish("normal", array, chosen.requires_grad)


def _check_std(std: Any) -> None:
    if not number("normal", "std", std) >= 0:
        raise fail(
            RuntimeError, "normal", f"expects std >= 0.0, but found std {std}. Give a positive std."
        )


def _by_level(name: str, function: Any) -> Any:
    """The operation, given a batch where the samples of `vmap` draw by themselves: its kernel never
    sees an argument that is one for all."""

    @wraps(function)
    def drawing(*args: Any, **kwargs: Any) -> Any:
        if ACTIVE.get():
            args = tuple(_for_each(value) for value in args)
            kwargs = {key: _for_each(value) for key, value in kwargs.items()}
        return function(*args, **kwargs)

    return drawing


def _for_each(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    given = each_draw(value._array)
    if given is value._array:
        return value
    return value + wrap(each_draw(np.zeros((), value._array.dtype)))


for _name in ("bernoulli", "binomial", "multinomial", "poisson", "_drawn", "_standard_gamma"):
    republish(_name, _by_level(_name, getattr(ops, _name)))
