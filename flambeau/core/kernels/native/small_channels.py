"""Normalisation of few numbers by channels and by groups of them, as native functions:
``batch(input, weight, bias, running_mean, running_var, training, momentum, eps)`` and
``group(input, groups, weight, bias, eps)`` give the result, means and 1 / deviations.

Arrays are contiguous and of one dtype, float32 or float64; parameters may be None. Sums are kept in
double precision. What does not fit goes to the NumPy form, larger arrays to ``generate.channels``
and ``generate.groups``. Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import MOST, SIGNATURE, contiguous, end, require, whole
from flambeau.core.kernels.native.objects import field, made_array, python_number, tuple_of, word

__all__ = ["NORMS", "native"]

LARGEST = 1 << 12
"""Numbers from which on the call no longer counts."""
TYPES = ("float", "double")
NORMS = {"_native_batch_norm": "batch", "_native_group_norm": "group"}
"""By the operation's name."""
ROWS = (
    ("ptr", "x"), ("ptr", "weight"), ("ptr", "bias"), ("ptr", "middle"), ("ptr", "spread"),
    ("ptr", "out"), ("ptr", "means"), ("ptr", "scales"), ("i64", "batch"), ("i64", "channels"),
    ("i64", "length"), ("i64", "groups"), ("double", "momentum"), ("double", "eps"),
)  # fmt: skip


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of the operation `name`, with `numpy_form` for what it does not take."""
    if name not in NORMS:
        return numpy_form
    return table.native(NORMS[name], numpy_form, _module)


def _module() -> Module:
    made = Module("small_channels", vectorize=True)
    trained, known, grouped = (
        {type: write(made, type) for type in TYPES} for write in (_trained, _known, _grouped)
    )
    f = made.function("batch", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(8))
    x, *others, training, momentum, eps = (f.load("ptr", f.argument["args"], k) for k in range(8))
    kind, sizes = _sizes(f, x)
    weight, bias, mean, variance = (_parameter(f, each, kind, sizes[1]) for each in others)
    trains = f.call(word(f, "as_long"), "i64", training).ne(0)
    require(f, trains | (mean.ne(0) & variance.ne(0)))
    require(f, (sizes[0] * sizes[2]).gt(1))
    for array, place in zip(others[2:], (mean, variance), strict=True):
        with f.when(trains & place.ne(0)):
            require(f, (field(f, array, table.FLAGS, "i32") & table.WRITEABLE).ne(0))
    rate, small = python_number(f, momentum)[1].get(), python_number(f, eps)[1].get()
    room = f.memory("i64", 1)
    f.store(sizes[1], room)
    numbers = (weight, bias, mean, variance)
    stats = (room, f.index(1), sizes[1])
    for way, loops in (("train", trained), ("known", known)):
        k = f.fresh()
        f.branch(trains if way == "train" else ~trains, f"this{k}", f"that{k}")
        f.label(f"this{k}")
        _run(f, loops, x, kind, numbers, sizes, stats, sizes[1], rate, small)
        f.label(f"that{k}")
    f.jump("other")
    end(f)

    f = made.function("group", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(5))
    x, number, *others, eps = (f.load("ptr", f.argument["args"], k) for k in range(5))
    kind, sizes = _sizes(f, x)
    groups = whole(f, number)
    require(f, groups.gt(0) & groups.le(sizes[1]))
    require(f, (sizes[1] % groups).eq(0))
    null = f.value("ptr", 0)
    given = (*(_parameter(f, each, kind, sizes[1]) for each in others), null, null)
    small = python_number(f, eps)[1].get()
    room = f.memory("i64", 2)
    f.store(sizes[0], room, 0)
    f.store(groups, room, 1)
    stats = (room, f.index(2), sizes[0] * groups)
    _run(f, grouped, x, kind, given, sizes, stats, groups, f.value("double", 0.0), small)
    f.jump("other")
    end(f)
    return made


def _sizes(f: Function, x: Value) -> tuple[Value, tuple[Value, Value, Value]]:
    """The dtype of (N, C, *), and N, C and what is behind."""
    kind, ndim = contiguous(f, x), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.ge(2) & ndim.lt(MOST))
    dims, length = field(f, x, table.DIMS, "ptr"), f.variable("i64", 1)
    with f.loop(2, ndim) as k:
        length.set(length.get() * f.load("i64", dims, k))
    batch, channels = (f.load("i64", dims, k) for k in range(2))
    total = batch * channels * length.get()
    require(f, total.gt(0) & total.lt(LARGEST))
    return kind, (batch, channels, length.get())


def _parameter(f: Function, x: Value, kind: Value, count: Value) -> Value:
    """Where the numbers of all channels lie; null for None."""
    place = f.variable("ptr", f.value("ptr", 0))
    with f.when(x.ne(word(f, "none"))):
        require(f, contiguous(f, x).eq(kind))
        require(f, field(f, x, table.NDIM, "i32").eq(1))
        require(f, f.load("i64", field(f, x, table.DIMS, "ptr")).eq(count))
        place.set(field(f, x, table.DATA, "ptr"))
    return place.get()


def _run(
    f: Function, loops: dict[str, Function], x: Value, kind: Value, given: tuple[Value, ...],
    sizes: tuple[Value, ...], stats: tuple[Value, Value, Value], groups: Value, momentum: Value,
    eps: Value,
) -> None:  # fmt: skip
    """Make the results and return them, for a dtype that is served; `stats` are shape, rank and
    number of the means.
    """
    room, rank, count = stats
    ndim, dims = field(f, x, table.NDIM, "i32"), field(f, x, table.DIMS, "ptr")
    total = sizes[0] * sizes[1] * sizes[2]
    for type, loop in loops.items():
        k, item = f.fresh(), SIZES[type]
        f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
        f.label(f"is{k}")
        results = [made_array(f, kind, ndim, dims, total * item)]
        results += [made_array(f, kind, rank.to("i32"), room, count * item) for _ in range(2)]
        data = [field(f, r, table.DATA, "ptr") for r in results]
        f.call(loop, "void", field(f, x, table.DATA, "ptr"), *given, *data, *sizes, groups,
               momentum, eps)  # fmt: skip
        f.ret(tuple_of(f, *results))
        f.label(f"not{k}")


def _spread(f: Function, type: str, rows: tuple[Value, Value, Value], width: Value) -> Any:
    """Mean and variance of the numbers of ``rows`` (where the first begins, how far apart, how
    many), each so wide.
    """
    first, step, number = rows
    count = (number * width).to("double")
    total, squares = f.variable("double", 0.0), f.variable("double", 0.0)
    with f.loop(0, number) as r, f.loop(0, width) as i:
        total.set(total.get() + f.load(type, first, r * step + i).to("double"))
    mean = (total.get() / count).to(type)
    with f.loop(0, number) as r, f.loop(0, width) as i:
        away = (f.load(type, first, r * step + i) - mean).to("double")
        squares.set(squares.get() + away * away)
    return mean, (squares.get() / count).to(type)


def _inverse(f: Function, type: str, variance: Value) -> Value:
    """1 / deviation."""
    root = f.intrinsic("sqrt", variance.to("double") + f.argument["eps"])
    return (f.value("double", 1.0) / root).to(type)


def _changed(
    f: Function, type: str, c: Value, at: Value, mean: Value, scale: Value, width: Value
) -> None:
    """A row of channel `c` from `at` on, normalised."""
    a = f.argument
    factor, shift = f.variable(type, scale), f.variable(type, 0.0)
    with f.when(a["weight"].ne(0)):
        factor.set(scale * f.load(type, a["weight"], c))
    with f.when(a["bias"].ne(0)):
        shift.set(f.load(type, a["bias"], c))
    gain, more = factor.get(), shift.get()
    with f.loop(0, width, independent=True) as i:
        f.store(f.fma(f.load(type, a["x"], at + i) - mean, gain, more), a["out"], at + i)


def _each_channel(
    made: Module, name: str, type: str, find: Callable[[Function, Value], tuple[Value, Value]]
) -> Function:
    """All channels, whose mean and 1 / deviation ``find(f, channel)`` gives."""
    f = made.function(f"{name}_{type}", ROWS, internal=True, attributes="noinline")
    a = f.argument
    with f.loop(0, a["channels"]) as c:
        mean, scale = find(f, c)
        f.store(mean, a["means"], c)
        f.store(scale, a["scales"], c)
        with f.loop(0, a["batch"]) as n:
            _changed(f, type, c, (n * a["channels"] + c) * a["length"], mean, scale, a["length"])
    f.ret()
    return f


def _trained(made: Module, type: str) -> Function:
    """By the batch's own statistics, towards which the running ones move."""

    def find(f: Function, c: Value) -> tuple[Value, Value]:
        a = f.argument
        first, step = f.at(a["x"], c * a["length"], type), a["channels"] * a["length"]
        mean, variance = _spread(f, type, (first, step, a["batch"]), a["length"])
        count = (a["batch"] * a["length"]).to("double")
        unbiased = variance * (count / (count - 1.0)).to(type)
        gain, keep = a["momentum"].to(type), (1.0 - a["momentum"]).to(type)
        for key, new in (("middle", mean), ("spread", unbiased)):
            with f.when(a[key].ne(0)):
                f.store(keep * f.load(type, a[key], c) + gain * new, a[key], c)
        return mean, _inverse(f, type, variance)

    return _each_channel(made, "trained", type, find)


def _known(made: Module, type: str) -> Function:
    """By statistics that are given."""

    def find(f: Function, c: Value) -> tuple[Value, Value]:
        a = f.argument
        return f.load(type, a["middle"], c), _inverse(f, type, f.load(type, a["spread"], c))

    return _each_channel(made, "known", type, find)


def _grouped(made: Module, type: str) -> Function:
    """Every sample's groups of channels."""
    f = made.function(f"grouped_{type}", ROWS, internal=True, attributes="noinline")
    a = f.argument
    channels = a["channels"] / a["groups"]
    width = channels * a["length"]
    with f.loop(0, a["batch"] * a["groups"]) as r:
        first = f.at(a["x"], r * width, type)
        mean, variance = _spread(f, type, (first, f.index(0), f.index(1)), width)
        scale = _inverse(f, type, variance)
        f.store(mean, a["means"], r)
        f.store(scale, a["scales"], r)
        with f.loop(0, channels) as j:
            c = r % a["groups"] * channels + j
            _changed(f, type, c, r * width + j * a["length"], mean, scale, a["length"])
    f.ret()
    return f
