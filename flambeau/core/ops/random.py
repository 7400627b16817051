"""Random factories: rand, randn, randint, randperm, normal's sized form, and the ``_like`` forms.

They draw from ``generator`` or the process's default one, word for word as PyTorch does. Draws
with tensor parameters stand in ``random_draw``, in-place fills in ``random_fill``. Stands on
core.random and factory_options.
"""

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.batch.array import ACTIVE
from flambeau.core.batch.draws import draw_new, draw_whole
from flambeau.core.declare import composite
from flambeau.core.device import CPU, META
from flambeau.core.errors import fail
from flambeau.core.factory.short import is_here
from flambeau.core.factory_options import (
    element_type,
    empty,
    finish,
    into,
    options,
    shape_of,
    sizes,
)
from flambeau.core.ir.abstract import Abstract
from flambeau.core.layout import sparse_coo
from flambeau.core.ops.random_fill import WIDE_UNSIGNED, from_to, need_kernel, whole
from flambeau.core.ops.random_short import new
from flambeau.core.random import integer
from flambeau.core.random.generator import Generator, resolve
from flambeau.core.random.normal import normal_
from flambeau.core.random.order import empty_like
from flambeau.core.random.uniform import uniform_
from flambeau.core.tensor import PLAIN, Tensor, wrap

__all__: list[str] = []


_UNIFORM, _UNIFORM_LIKE = new("uniform", 2), new("uniform", 2, like=True)
_NORMAL, _NORMAL_LIKE = new("normal", 2), new("normal", 2, like=True)
_INTEGERS, _PERMUTATION = new("integers", 2), new("permutation", 0)
_INT64 = np.dtype("i8")


def _usual(generator: Any, out: Any, layout: Any, device: Any, others: Any) -> bool:
    """Whether a factory's options say nothing."""
    if not generator is out is layout is None or others or ACTIVE.get():
        return False
    return device is None or is_here(device)


def _kind_of(input: Any) -> Any:
    return input._array.dtype if type(input) in PLAIN and not ACTIVE.get() else None


@composite()
def rand(
    *size: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> Tensor:
    """Uniform random numbers in [0, 1), in a new tensor of shape ``size``.

    Args:
        size: the shape, as ints or one sequence.
        generator: where to draw from; default: the process's generator (see ``manual_seed``).
        out: a tensor to write (and resize).
        dtype: floating or complex; default: the default dtype.

    Example:
        >>> import flambeau as torch
        >>> _ = torch.manual_seed(0)
        >>> torch.rand(3)
        tensor([0.4963, 0.7682, 0.0885])
    """
    if _usual(generator, out, layout, device, pin_memory or requires_grad or named):
        kind = getattr(dtypes.default() if dtype is None else dtype, "numpy", None)
        if (found := _UNIFORM[kind](*size, 0.0, 1.0)) is not None:
            return found  # type: ignore[no-any-return]
    shape = sizes("rand", size, _size_of("rand", named))
    return _filled(
        "rand", shape, _uniform, generator, out, dtype, layout, device, pin_memory, requires_grad
    )


@composite()
def randn(
    *size: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> Tensor:
    """Standard normal random numbers (mean 0, variance 1), in a new tensor of shape ``size``.

    Complex numbers have variance 1 as well: parts of variance 1/2.

    Args: as :func:`rand`.
    """
    if _usual(generator, out, layout, device, pin_memory or requires_grad or named):
        kind = getattr(dtypes.default() if dtype is None else dtype, "numpy", None)
        if (found := _NORMAL[kind](*size, 0.0, 1.0)) is not None:
            return found  # type: ignore[no-any-return]
    shape = sizes("randn", size, _size_of("randn", named))
    return _filled(
        "randn", shape, _normal, generator, out, dtype, layout, device, pin_memory, requires_grad
    )


@composite()
def randint(
    *args: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> Tensor:
    """Random integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    Args:
        low: smallest value, default 0.
        high: one above the largest value.
        size: the shape, a sequence of ints.
        dtype: default int64.

    Raises:
        RuntimeError: an empty range, or one that the dtype cannot hold.
    """
    count = len(args)
    if count == 2 or count == 3:
        if _usual(generator, out, layout, device, pin_memory or requires_grad or named or dtype):
            low, high, size = args if count == 3 else (0, *args)
            if type(size) is list:
                size = tuple(size)
            if type(size) is not int and (found := _INTEGERS[_INT64](size, low, high)) is not None:
                return found  # type: ignore[no-any-return]
    given = _overload("randint", args, named, ("low", "high", "size"))
    low, high = _int("randint", "low", given["low"]), _int("randint", "high", given["high"])
    shape = shape_of("randint", given["size"])

    def draw(name: str, generator: Generator, array: np.ndarray) -> None:
        from_to(name, generator, array, low, high)

    if dtype is None and out is None:
        dtype = dtypes.int64
    return _filled(
        "randint", shape, draw, generator, out, dtype, layout, device, pin_memory, requires_grad
    )


@composite()
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> Tensor:
    """A random permutation of the integers 0 to n - 1 (int64 unless ``dtype`` says otherwise).

    Raises:
        RuntimeError: ``n`` is negative, or too large for the dtype.
    """
    if _usual(generator, out, layout, device, pin_memory or requires_grad or dtype):
        if type(n) is int and (found := _PERMUTATION[_INT64](n)) is not None:
            return found  # type: ignore[no-any-return]
    count = _int("randperm", "n", n)
    shape = shape_of("randperm", (count,))

    def draw(name: str, generator: Generator, array: np.ndarray) -> None:
        kind = dtypes.of(array.dtype)
        ordinary = kind.category in ("int", "float") and kind.name not in WIDE_UNSIGNED
        need_kernel(name, kind, "integral and floating dtypes", ordinary)
        if kind.category == "int" and array.size - 1 > np.iinfo(array.dtype).max:
            raise fail(
                RuntimeError,
                name,
                f"n is {n}, and {kind} holds at most {np.iinfo(array.dtype).max}. Give a wider "
                "dtype.",
            )
        most = _EXACT.get(kind.name)
        if most is not None and array.size > most:
            raise fail(
                RuntimeError,
                name,
                f"n is {n}, and {kind} counts to {most} only. Give a wider dtype.",
            )
        array[...] = integer.permutation(generator, array.size, array.dtype)

    if dtype is None and out is None:
        dtype = dtypes.int64
    return _filled(
        "randperm", shape, draw, generator, out, dtype, layout, device, pin_memory, requires_grad
    )


_EXACT = {"float16": 2049, "bfloat16": 257, "float32": (1 << 24) + 1, "float64": (1 << 53) + 1}


@composite()
def rand_like(input: Tensor, **named: Any) -> Tensor:
    """Uniform random numbers in [0, 1) in the shape, dtype and memory order of ``input``.

    Args:
        dtype, layout, device, pin_memory, requires_grad: as :func:`rand`; default: ``input``'s.
        memory_format: default ``preserve_format``.
        generator: where to draw from.
    """
    if not named and (found := _UNIFORM_LIKE[_kind_of(input)](input, 0.0, 1.0)) is not None:
        return found  # type: ignore[no-any-return]
    return _like("rand_like", input, _uniform, **named)


@composite()
def randn_like(input: Tensor, **named: Any) -> Tensor:
    """Standard normal random numbers in the shape, dtype and memory order of ``input``.

    Args: as :func:`rand_like`.
    """
    if not named and (found := _NORMAL_LIKE[_kind_of(input)](input, 0.0, 1.0)) is not None:
        return found  # type: ignore[no-any-return]
    return _like("randn_like", input, _normal, **named)


@composite()
def randint_like(input: Tensor, *args: Any, **named: Any) -> Tensor:
    """Random integers in [low, high): ``randint_like(input, [low,] high)``.

    The dtype is ``input``'s unless ``dtype`` says otherwise.

    Args: as :func:`rand_like`.
    """
    bounds: dict[str, Any] = {n: named.pop(n) for n in ("low", "high") if n in named}
    given = _overload("randint_like", args, bounds, ("low", "high"))
    low, high = (
        _int("randint_like", "low", given["low"]),
        _int("randint_like", "high", given["high"]),
    )

    def draw(name: str, generator: Generator, array: np.ndarray) -> None:
        from_to(name, generator, array, low, high)

    return _like("randint_like", input, draw, **named)


def _uniform(name: str, generator: Generator, array: np.ndarray) -> None:
    kind = dtypes.of(array.dtype)
    need_kernel(name, kind, "floating and complex dtypes", kind.category in ("float", "complex"))
    uniform_(generator, array)


def _normal(name: str, generator: Generator, array: np.ndarray) -> None:
    kind = dtypes.of(array.dtype)
    there = kind.category in ("float", "complex") or not array.size
    need_kernel(name, kind, "floating and complex dtypes", there)
    normal_(generator, array)


def _filled(
    name: str,
    shape: tuple[int, ...],
    draw: Any,
    generator: Any,
    out: Any,
    dtype: Any,
    layout: Any,
    device: Any,
    pin_memory: Any,
    requires_grad: Any,
) -> Tensor:
    """A new tensor, or ``out``, filled by ``draw(name, generator, array)``."""
    source = resolve(generator, name)
    if out is not None:
        array = into(name, out, shape, dtype)
        if not isinstance(array, Abstract):
            whole(draw, name, source, array)
        return out
    chosen = options(name, dtype, device, layout, requires_grad, pin_memory)
    if ACTIVE.get() and not chosen.meta:
        return finish(
            name, _for_levels(draw, name, source, shape, chosen.dtype.numpy), chosen.requires_grad
        )
    array = empty(chosen.meta, shape, chosen.dtype.numpy)
    if not chosen.meta:
        whole(draw, name, source, array)
    return finish(name, array, chosen.requires_grad)


def _for_levels(
    draw: Any, name: str, source: Generator, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Any:
    """The numbers of all samples inside `vmap`; a permutation is drawn for each."""
    if name == "randperm":

        def alone() -> Any:
            array = np.empty(shape, dtype)
            whole(draw, name, source, array)
            return array

        return draw_new(alone)
    return draw_whole(shape, dtype, lambda array: whole(draw, name, source, array))


def _like(
    name: str,
    input: Tensor,
    draw: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    memory_format: Any = None,
    generator: Generator | None = None,
) -> Tensor:
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            name,
            f"argument 'input' must be Tensor, not {type(input).__name__}. Give a tensor, or use "
            f"{name.removesuffix('_like')}(size).",
        )
    model = input._array
    if hasattr(model, "is_sparse_data"):
        return _like_sparse(name, input, draw, dtype, generator)
    abstract = isinstance(model, Abstract)
    kind = element_type(name, dtype, dtypes.of(model.dtype))
    place = device if device is not None else META if abstract else CPU
    chosen = options(name, kind, place, layout, requires_grad, pin_memory)
    source = resolve(generator, name)
    if ACTIVE.get() and not chosen.meta:
        made = _for_levels(draw, name, source, tuple(model.shape), kind.numpy)
        return finish(name, made, chosen.requires_grad)
    plan = str(memory_format).removeprefix("torch.")
    array: Any
    if memory_format is not None and plan != "preserve_format":
        shape = model.shape
        if plan == "contiguous_format":
            array = np.empty(shape, kind.numpy)
        else:
            array = np.moveaxis(np.empty((shape[0], *shape[2:], shape[1]), kind.numpy), -1, 1)
    else:
        array = empty_like(model.proxy() if abstract else model, kind.numpy)
    if chosen.meta:
        array = Abstract(array.shape, array.dtype, array.strides)
    else:
        whole(draw, name, source, array)
    return finish(name, array, chosen.requires_grad)


def _like_sparse(
    name: str, input: Tensor, draw: Any, dtype: Any, generator: Generator | None
) -> Tensor:
    """Random values at the places of a compressed tensor.

    Raises:
        NotImplementedError: coordinates, or numbers that are not normal, as in PyTorch.
    """
    data = input._array
    if name != "randn_like" or input.layout is sparse_coo:
        raise fail(
            NotImplementedError,
            name,
            f"Could not run '{name}' on a tensor of layout {input.layout}: it would fill the "
            "zeros, too. Draw for x.to_dense(), or fill the values.",
        )
    values = np.empty(data.values.shape, element_type(name, dtype, dtypes.of(data.dtype)).numpy)
    whole(draw, name, resolve(generator, name), values)
    return wrap(data.with_values(values))


def _size_of(name: str, named: dict[str, Any]) -> Any:
    size = named.pop("size", None)
    if named:
        raise _unexpected(name, named)
    return size


def _overload(
    name: str, args: tuple, named: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Arguments of ``(high, ...)`` or ``(low, high, ...)`` by name; ``low`` is 0 by default."""
    full = len(args) + len(named) == len(names)
    order = names if full else names[1:]
    given = dict(zip(order, args, strict=False))
    wrong = [key for key in named if key not in names]
    if wrong:
        raise _unexpected(name, {wrong[0]: None})
    doubled = [key for key in named if key in given]
    missing = [key for key in order if key not in given and key not in named]
    if len(args) > len(names) or doubled or missing:
        text = f"missing {', '.join(missing)}" if missing else "too many arguments"
        raise fail(
            TypeError,
            name,
            f"received an invalid combination of arguments ({text}): it is "
            f"{name}({', '.join(names[1:])}) or {name}({', '.join(names)}).",
        )
    return {"low": 0} | given | named


def _unexpected(name: str, named: dict[str, Any]) -> Exception:
    return fail(
        TypeError, name, f"got an unexpected keyword argument '{next(iter(named))}'. Leave it out."
    )


def _int(name: str, argument: str, value: Any) -> int:
    if isinstance(value, Tensor) and value._array.size == 1 and value._array.dtype.kind in "iu":
        value = value._array.item()
    if isinstance(value, (bool, float)) or not hasattr(value, "__index__"):
        raise fail(
            TypeError,
            name,
            f"argument '{argument}' must be int, not {type(value).__name__}. Convert it with "
            "int(...).",
        )
    number = value.__index__()
    if not -(1 << 63) <= number < 1 << 63:
        raise fail(
            ValueError,
            name,
            f"argument '{argument}' is {number}, which does not fit int64. Give less.",
        )
    return number
