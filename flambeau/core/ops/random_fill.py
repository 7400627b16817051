"""Fills in place: uniform_, normal_, random_, bernoulli_, exponential_ and their kin.

The tensor is filled in the order of its memory. What it held before no longer matters, so its
history gets a zero gradient. Stands on core.random, inplace and storage.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.core import dtypes, state
from flambeau.core.batch.array import ACTIVE
from flambeau.core.batch.draws import draw_into
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.folds import fold_max, fold_min
from flambeau.core.inplace import check_inplace, write_result
from flambeau.core.ir.abstract import Abstract
from flambeau.core.ops.random_short import Filling
from flambeau.core.provenance import stack_level
from flambeau.core.random import integer, normal, uniform
from flambeau.core.random.generator import Generator, default_generator, resolve
from flambeau.core.silence import quiet
from flambeau.core.storage import touch
from flambeau.core.tensor import PLAIN, Tensor, edge_of

__all__ = ["WIDE_UNSIGNED", "fill", "from_to", "need_kernel", "number", "probability", "whole"]

WIDE_UNSIGNED = frozenset({"uint16", "uint32", "uint64"})
"""Dtypes that PyTorch stores but has few kernels for."""

_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
_LONG_MAX = (1 << 63) - 1


_UNIFORM, _NORMAL = Filling("uniform_", "uniform", 2), Filling("normal_", "normal", 2)
_BERNOULLI, _INTEGERS = Filling("bernoulli_", "bernoulli", 1), Filling("random_", "integers", 2)
_WHOLE, _EXPONENTIAL = Filling("random_", "whole", 0), Filling("exponential_", "exponential", 1)

_USUAL = frozenset((np.dtype("f4"), np.dtype("f8")))


def _plain(input: Tensor) -> bool:
    """Whether a fill has nothing to ask: plain memory in its order, no history, the ordinary
    mode.
    """
    if type(input) not in PLAIN or ACTIVE.get() or not state.ordinary():
        return False
    array, storage = input._array, input._storage
    return (
        type(array) is np.ndarray
        and array.dtype in _USUAL
        and array.flags.c_contiguous
        and input._edge is None
        and input._view is None
        and (storage is None or not storage.inference)
    )


@composite(method=True, function=False)
def uniform_(input: Tensor, *args: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Fills the tensor with uniform numbers in [from, to): ``uniform_(from=0, to=1)``.

    Raises:
        RuntimeError: ``from`` is above ``to``, or a bound does not fit the dtype.
    """
    if generator is None and not named and len(args) in (0, 2) and not ACTIVE.get():
        lowest, highest = args or (0.0, 1.0)
        if (t := _UNIFORM.write(input, lowest, highest)) is not None:
            return t  # type: ignore[no-any-return]
    given = _named("uniform_", args, named, {"from": 0.0, "to": 1.0})
    low, high = number("uniform_", "from", given["from"]), number("uniform_", "to", given["to"])
    kind = dtypes.of(input._array.dtype)
    need_kernel(
        "uniform_", kind, "floating and complex dtypes", kind.category in ("float", "complex")
    )
    largest = _largest(kind.to_real() if kind.is_complex else kind)
    for argument, value in (("from", low), ("to", high)):
        if not abs(value) <= largest:
            raise fail(
                RuntimeError,
                "uniform_",
                f"{argument} is out of bounds: it is {value}, {kind} reaches from {-largest} to "
                f"{largest}.",
            )
    if low > high:
        raise fail(
            RuntimeError,
            "uniform_",
            f"expects to return a [from, to) range, but found from={low} > to={high}. Exchange "
            "the bounds.",
        )
    if high - low > largest:
        raise fail(
            RuntimeError,
            "uniform_",
            f"the range to - from is {high - low}, {kind} reaches to {largest} only. Take "
            "narrower bounds.",
        )
    return fill(
        "uniform_", input, generator, lambda g, array: uniform.uniform_(g, array, low, high)
    )


@composite(method=True, function=False)
def normal_(
    input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fills the tensor with normal numbers of ``mean`` and standard deviation ``std``.

    Raises:
        RuntimeError: ``std`` is negative.
    """
    if (
        generator is None
        and not ACTIVE.get()
        and (t := _NORMAL.write(input, mean, std)) is not None
    ):
        return t  # type: ignore[no-any-return]
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std)
    if not std >= 0:
        raise fail(
            RuntimeError,
            "normal_",
            f"expects std >= 0.0, but found std {std}. Give a positive std.",
        )
    kind = dtypes.of(input._array.dtype)
    there = kind.category in ("float", "complex") or not input._array.size
    need_kernel("normal_", kind, "floating and complex dtypes", there)
    return fill("normal_", input, generator, lambda g, array: normal.normal_(g, array, mean, std))


@composite(method=True, function=False)
def log_normal_(
    input: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None
) -> Tensor:
    """Fills the tensor with ``exp`` of normal numbers of ``mean`` and ``std``.

    Raises:
        RuntimeError: ``std`` is not positive.
    """
    mean, std = number("log_normal_", "mean", mean), number("log_normal_", "std", std)
    if not std > 0:
        raise fail(
            RuntimeError,
            "log_normal_",
            f"expects std > 0.0, but found std={std}. Give a positive std.",
        )
    kind = dtypes.of(input._array.dtype)
    need_kernel(
        "log_normal_", kind, "floating dtypes", kind.category == "float" or not input._array.size
    )
    return fill(
        "log_normal_", input, generator, lambda g, array: normal.log_normal(g, array, mean, std)
    )


@composite(method=True, function=False)
def random_(input: Tensor, *args: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Fills the tensor with integers: ``random_()``, ``random_(to)`` or ``random_(from, to)``.

    Without bounds: from 0 to the largest of the dtype; in a floating dtype up to 2^digits, so that
    every number is exact. ``random_(from, None)`` has no upper bound but that one.

    Raises:
        RuntimeError: an empty range, or one that the dtype cannot hold.
    """
    if generator is None and not named and len(args) < 3 and not ACTIVE.get():
        t = _INTEGERS.write(input, *(0, *args)[-2:]) if args else _WHOLE.write(input)
        if t is not None:
            return t  # type: ignore[no-any-return]
    if len(args) == 1 and "to" not in named:
        named = {"to": args[0], **named}
        args = ()
    given = _named("random_", args, named, {"from": 0, "to": None})
    low, high = given["from"], given["to"]
    if high is None and not args and "from" not in named:
        kind = dtypes.of(input._array.dtype)
        ordinary = kind.category in ("bool", "int", "float") and kind.name not in WIDE_UNSIGNED
        need_kernel("random_", kind, "bool, integral and floating dtypes", ordinary)
        return fill("random_", input, generator, integer.whole_range_, 2)

    def law(g: Generator, array: np.ndarray) -> None:
        from_to("random_", g, array, low, high)

    return fill("random_", input, generator, law, int(not args and "from" not in named))


@composite(method=True, function=False)
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills the tensor with ones of probability ``p`` and zeros.

    Args:
        p: a number, or a floating tensor that broadcasts to the tensor's shape.

    Raises:
        RuntimeError: a probability outside [0, 1].
    """
    if generator is None and not ACTIVE.get() and (t := _BERNOULLI.write(input, p)) is not None:
        return t  # type: ignore[no-any-return]
    kind = dtypes.of(input._array.dtype)
    ordinary = kind.category in ("bool", "int", "float") and kind.name not in WIDE_UNSIGNED
    ordinary = ordinary or not input._array.size
    need_kernel("bernoulli_", kind, "bool, integral and floating dtypes", ordinary)
    if isinstance(p, Tensor):
        chances = p._array
        check_chances("bernoulli_", chances)
        shape = input._array.shape
        try:
            fits = np.broadcast_shapes(chances.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise fail(
                RuntimeError,
                "bernoulli_",
                f"p has shape {list(chances.shape)}, which does not expand to the tensor's "
                f"{list(shape)}.",
            )
        return fill(
            "bernoulli_",
            input,
            generator,
            lambda g, array: uniform.bernoulli_each(g, array, chances),
            1,
        )
    chance = probability("bernoulli_", p)
    return fill(
        "bernoulli_", input, generator, lambda g, array: uniform.bernoulli(g, array, chance), 2
    )


@composite(method=True, function=False)
def exponential_(input: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fills the tensor with exponential numbers of rate ``lambd``: density ``lambd exp(-lambd x)``.

    Raises:
        RuntimeError: ``lambd`` is not positive, or the dtype is not floating.
    """
    if (
        generator is None
        and not ACTIVE.get()
        and (t := _EXPONENTIAL.write(input, lambd)) is not None
    ):
        return t  # type: ignore[no-any-return]
    rate = number("exponential_", "lambd", lambd)
    _need_continuous("exponential_", "Exponential", input)
    if not rate > 0:
        raise fail(
            RuntimeError,
            "exponential_",
            f"expects lambda > 0.0, but found lambda={rate}. Give a positive rate.",
        )
    return fill(
        "exponential_", input, generator, lambda g, array: uniform.exponential(g, array, rate)
    )


@composite(method=True, function=False)
def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fills the tensor with the number of trials of probability ``p`` up to the first success.

    Raises:
        RuntimeError: ``p`` is not inside (0, 1).
    """
    chance = number("geometric_", "p", p)
    if not 0 < chance < 1:
        raise fail(RuntimeError, "geometric_", f"expects p to be in (0, 1), but got p={chance}.")
    kind = dtypes.of(input._array.dtype)
    ordinary = kind.category in ("int", "float") and kind.name not in WIDE_UNSIGNED
    ordinary = ordinary or not input._array.size
    need_kernel("geometric_", kind, "integral and floating dtypes", ordinary)
    return fill(
        "geometric_", input, generator, lambda g, array: uniform.geometric(g, array, chance)
    )


@composite(method=True, function=False)
def cauchy_(
    input: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fills the tensor with Cauchy numbers around ``median`` with scale ``sigma``.

    Raises:
        RuntimeError: ``sigma`` is not positive, or the dtype is not floating.
    """
    middle, scale = number("cauchy_", "median", median), number("cauchy_", "sigma", sigma)
    if not scale > 0:
        raise fail(
            RuntimeError,
            "cauchy_",
            f"expects sigma > 0.0, but found sigma={scale}. Give a positive scale.",
        )
    _need_continuous("cauchy_", "Cauchy", input)
    return fill(
        "cauchy_", input, generator, lambda g, array: uniform.cauchy(g, array, middle, scale)
    )


def fill(
    name: str,
    input: Tensor,
    generator: Any,
    law: Callable[[Generator, np.ndarray], Any],
    overload: int = 0,
) -> Tensor:
    """Writes ``law(generator, array)`` over ``input``, with a write's checks and history, whose
    node PyTorch names by the overload.
    """
    if not isinstance(input, Tensor):
        raise fail(TypeError, name, f"argument 'input' must be Tensor, not {type(input).__name__}.")
    if generator is None and _plain(input):
        quiet(law, default_generator, input._array)
        touch(input, name)
        return input
    source = resolve(generator, name)
    check_inplace(name, input, False)
    array = input._array
    if isinstance(array, Abstract):
        return input
    if ACTIVE.get():
        draw_into(name, array, lambda memory: quiet(law, source, memory))
    else:
        quiet(law, source, array)
    if edge_of(input) is not None and state.grad_enabled():
        label = f"{name.title().replace('_', '')}Backward{overload}"
        write_result(name, input, ops._drawn_over(input, array.copy(), label))
        return input
    touch(input, name)
    return input


@primitive(
    function=False,
    method=False,
    node=lambda node: node.params[2],
    vjp={"input": lambda g, label: ops.zeros_like(g)},
)
def _drawn_over(input, values: Any, label: str):
    """Drawn values in the place of ``input``, which no longer matters: its gradient is zero."""
    return values


def whole(
    draw: Callable[[str, Generator, np.ndarray], None],
    name: str,
    source: Generator,
    array: np.ndarray,
) -> None:
    """A factory's fill, without NumPy's warnings about what overflows a half type."""
    if array.dtype.itemsize == 2:
        quiet(draw, name, source, array)
    else:
        draw(name, source, array)


def from_to(name: str, source: Generator, array: np.ndarray, low: Any, high: Any) -> None:
    """Integers in [low, high) with PyTorch's bounds; ``high`` None: up to the dtype's largest.

    In a floating dtype the bounds move inwards to integers that the dtype can hold.
    """
    kind = dtypes.of(array.dtype)
    if kind.category not in ("bool", "int", "float"):
        raise fail(
            RuntimeError,
            name,
            f"handles only integral, floating-point and boolean types, not {kind}.",
        )
    digits = _DIGITS.get(kind.name)
    lowest, largest = _bounds(kind)
    if high is None:
        high = min(1 << digits, _LONG_MAX) + 1 if digits else largest + 1
    if low >= high:
        raise fail(
            RuntimeError,
            name,
            f"expects 'from' to be less than 'to', but got from={low} >= to={high}. The range is "
            "[from, to).",
        )
    for argument, value in (("from", low), ("to - 1", high - 1)):
        if not lowest <= value <= largest:
            raise fail(
                RuntimeError,
                name,
                f"{argument} is out of bounds for {kind}: it is {value}, the dtype reaches from "
                f"{lowest} to "
                f"{largest}.",
            )
        if digits and abs(value) > 1 << digits:
            warnings.warn(
                f"{argument} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision "
                "limitations "
                f"{kind} can support discrete uniform distribution only within this range.",
                UserWarning,
                stacklevel=stack_level(),
            )
    if digits:
        low, high = _inwards(array.dtype, digits, low, high)
    integer.integers_(source, array, low, high)


def _inwards(dtype: np.dtype, digits: int, low: int, high: int) -> tuple[int, int]:
    """Bounds of a range in a floating dtype that rounding does not push outside of [low, high)."""
    after = _rounded(dtype, low + 1)
    if after < low:
        low = after + (1 << abs(low + 1).bit_length() - digits)
    before = _rounded(dtype, high - 1)
    if before >= high:
        high = before - (1 << abs(high - 1).bit_length() - digits)
    return low, high


def _rounded(dtype: np.dtype, value: int) -> int:
    if dtype.itemsize == 2:
        return int(np.float32(value).astype(dtype))
    return int(dtype.type(value))


@cache  # finfo and iinfo cost 10 to 20 us a call
def _bounds(kind: dtypes.dtype) -> tuple[int, int]:
    if kind.category == "bool":
        return 0, 1
    if kind.category == "int":
        found = np.iinfo(kind.numpy)
        return int(found.min), int(found.max)
    largest = int(_largest(kind))
    return -largest, largest


@cache
def _largest(kind: dtypes.dtype) -> float:
    return float(ml_dtypes.finfo(kind.numpy).max)


def need_kernel(name: str, kind: dtypes.dtype, wanted: str, there: bool) -> None:
    """Refuses a dtype that the law has no numbers for.

    Raises:
        NotImplementedError: as PyTorch does.
    """
    if not there:
        raise fail(
            NotImplementedError,
            name,
            f"is not implemented for '{kind.legacy}': it makes {wanted}, the tensor's dtype is "
            f"{kind}.",
        )


def _need_continuous(name: str, law: str, input: Tensor) -> None:
    kind = dtypes.of(input._array.dtype)
    if kind.category != "float":
        raise fail(
            RuntimeError,
            name,
            f"{law} distribution is a continuous probability distribution. dtype must be a "
            "floating point "
            f"but you specified {kind}.",
        )


def check_chances(name: str, chances: np.ndarray) -> None:
    """Probabilities in a tensor: floating, and all inside [0, 1]."""
    kind = dtypes.of(chances.dtype)
    there = kind.category == "float" or not chances.size
    need_kernel(name, kind, "ones and zeros from floating probabilities", there)
    if isinstance(chances, Abstract) or not chances.size:
        return
    if not (fold_min(chances, None) >= 0 and fold_max(chances, None) <= 1):  # NaN is neither
        raise fail(
            RuntimeError,
            name,
            "Expected p_in >= 0 && p_in <= 1 to be true: a probability lies outside [0, 1] or is "
            "NaN. "
            "Pass logits through sigmoid() first.",
        )


def probability(name: str, p: Any) -> float:
    """A number inside [0, 1]."""
    chance = number(name, "p", p)
    if not 0 <= chance <= 1:
        raise fail(RuntimeError, name, f"expects p to be in [0, 1], but got p={chance}.")
    return chance


def number(name: str, argument: str, value: Any) -> Any:
    """A real Python number: numbers, NumPy's, and tensors of one element without gradient."""
    if type(value) is float or type(value) is int:
        return value
    if isinstance(value, Tensor) and value._array.ndim == 0 and edge_of(value) is None:
        value = value._array.item()
    if isinstance(value, (int, float, np.integer, np.floating)):
        return value if isinstance(value, int) else float(value)
    if hasattr(value, "__float__") and not isinstance(value, (Tensor, str, np.ndarray, complex)):
        return float(value)
    raise fail(
        TypeError,
        name,
        f"argument '{argument}' must be float, not {type(value).__name__}. Convert it with "
        "float(...).",
    )


def _named(
    name: str, args: tuple, named: dict[str, Any], defaults: dict[str, Any]
) -> dict[str, Any]:
    """Arguments by name where a name (``from``) is a word that Python keeps for itself."""
    given = dict(zip(defaults, args, strict=False))
    wrong = [key for key in named if key not in defaults or key in given]
    if wrong or len(args) > len(defaults):
        text = f"an unexpected keyword argument '{wrong[0]}'" if wrong else f"{len(args)} arguments"
        raise fail(
            TypeError, name, f"got {text}: it is {name}({', '.join(defaults)}, *, generator)."
        )
    return defaults | given | named
