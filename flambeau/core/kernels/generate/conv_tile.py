"""The tile of a correlation: some output features by a few registers of pixels, over all channels
and taps.

Pixels lie in lanes. A tap is an offset into the (padded) planes, so a register of pixels is one
load wherever the window stands, and no columns are made; weights are read where they lie. What a
register holds beyond the end of a row is left behind when it is stored. Stands on jit and gemm.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flambeau.core.kernels.generate.gemm import Epilogue, Shape, hold, masked_store, suffix
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, Variable, vector

__all__ = [
    "TILE",
    "WIDEST",
    "compressed",
    "lanes_of",
    "row_counts",
    "steps",
    "steps_of",
    "tiles",
]

WIDEST = 3
"""Registers of pixels in a tile at most. Most loads of pixels cross a line of the cache, which
takes twice as long: more features and fewer pixels are 5 % quicker than the products' 6 by 4.
"""
TILE = (
    ("ptr", "weight"), ("i64", "weight_row"), ("ptr", "weight_deltas"), ("ptr", "pixels"),
    ("ptr", "deltas"), ("i64", "taps"), ("i64", "depth"), ("ptr", "bias"), ("ptr", "out"),
    ("i64", "out_row"), ("ptr", "masks"), ("ptr", "places"), ("ptr", "lanes"),
)  # fmt: skip


def row_counts(shape: Shape, width: int) -> list[int]:
    """How many features a tile of `width` registers may have: the most, then powers of two."""
    counts = [shape.rows[width - 1]]
    rest = 1 << ((counts[0] - 1).bit_length() - 1)
    while rest:
        counts.append(rest)
        rest //= 2
    return list(dict.fromkeys(counts))


def tiles(made: Module, shape: Shape, epilogue: Epilogue | None) -> dict[tuple[int, int], Function]:
    """By (features, registers): the function of that tile."""
    found = {}
    for width in range(1, WIDEST + 1):
        for rows in row_counts(shape, width):
            f = made.function(f"tile{rows}x{width}", TILE, internal=True, attributes="noinline")
            _tile(f, shape, rows, width, epilogue)
            found[rows, width] = f
    return found


def lanes_of(f: Function, bits: Value, lanes: int) -> Value:
    """The low bits of an i32 as a mask of lanes."""
    narrow = f.emit(f"i{lanes}", f"trunc i32 {bits.name} to i{lanes}")
    return f.emit(f"<{lanes} x i1>", f"bitcast i{lanes} {narrow.name} to <{lanes} x i1>")


def steps_of(f: Function, lanes: int) -> Value:
    """0, 1, 2 ... of a register of i32."""
    return Value(f"<{lanes} x i32>", f"<{', '.join(f'i32 {k}' for k in range(lanes))}>", f)


def compressed(f: Function, value: Value, mask: Value) -> Value:
    """The lanes of a mask, moved together to the front."""
    name = f"@llvm.experimental.vector.compress.{suffix(value.type)}"
    f.declared.add(f"declare {value.type} {name}({value.type}, {mask.type}, {value.type})")
    return f.emit(
        value.type,
        f"call {value.type} {name}({value.type} {value.name}, {mask.type} {mask.name}, "
        f"{value.type} poison)",
    )


def scatter(f: Function, value: Value, base: Value, lanes: Value, mask: Value) -> None:
    """Store the lanes of a mask, each at its own offset from `base`, counted in elements."""
    one = value.type[1:-1].split(" x ")[1]
    count = mask.type[1:].split(" x ")[0]
    pointers = f"<{count} x ptr>"
    to = f.emit(pointers, f"getelementptr {one}, ptr {base.name}, {lanes.type} {lanes.name}")
    name = f"@llvm.masked.scatter.{suffix(value.type)}.v{count}p0"
    f.declared.add(f"declare void {name}({value.type}, {pointers}, i32, {mask.type})")
    align = SIZES[one]
    f.line(
        f"call void {name}({value.type} {value.name}, {pointers} {to.name}, i32 {align}, "
        f"{mask.type} {mask.name})"
    )


def _tile(f: Function, shape: Shape, rows: int, width: int, epilogue: Epilogue | None) -> None:
    """`rows` features by `width` registers of pixels."""
    get = f.argument
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    sums = [[f.variable(many) for _ in range(width)] for _ in range(rows)]
    k = f.fresh()
    f.branch(get["bias"].eq(0), f"zero{k}", f"bias{k}")
    f.label(f"bias{k}")
    for r in range(rows):
        start = f.splat(f.load(type, get["bias"], r), lanes)
        for z in range(width):
            sums[r][z].set(start)
    f.jump(f"begin{k}")
    f.label(f"zero{k}")
    for r in range(rows):
        for z in range(width):
            sums[r][z].set(0.0)
    f.label(f"begin{k}")

    weight = [f.at(get["weight"], get["weight_row"] * r, type) for r in range(rows)]
    at = f.variable("ptr", get["pixels"])
    tap = f.variable("i64", 0)
    at_weight = f.variable("i64", 0)
    last = get["taps"] - 1
    with f.loop(0, get["depth"]):
        pixels, now, here = at.get(), tap.get(), at_weight.get()
        columns = [f.load(many, pixels, z * lanes) for z in range(width)]
        for r in range(rows):
            w = f.splat(f.load(type, weight[r], here), lanes)
            for z in range(width):
                sums[r][z].set(f.fma(w, columns[z], sums[r][z].get()))
            hold(f, sums[r], 32)
        at.set(f.at(pixels, f.load("i64", get["deltas"], now), type))
        at_weight.set(here + f.load("i64", get["weight_deltas"], now))
        tap.set(f.select(now.eq(last), f.index(0), now + 1))

    bits = [f.load("i32", get["masks"], z) for z in range(width)]
    places = [f.load("i64", get["places"], z) for z in range(width)]
    inside = [lanes_of(f, b, lanes) for b in bits]

    def results(r: int) -> list[Value]:
        found = [sums[r][z].get() for z in range(width)]
        return found if epilogue is None else [epilogue(f, value) for value in found]

    out = [f.at(get["out"], get["out_row"] * r, type) for r in range(rows)]
    k = f.fresh()
    f.branch(get["lanes"].eq(0), f"runs{k}", f"apart{k}")
    f.label(f"runs{k}")
    whole = f.value("i1", True)
    for b in bits:
        whole = whole & b.eq((1 << lanes) - 1)
    f.branch(whole, f"whole{k}", f"cut{k}")
    f.label(f"whole{k}")
    for r in range(rows):
        for z, value in enumerate(results(r)):
            f.store(value, f.at(out[r], places[z], type))
    f.ret()
    f.label(f"cut{k}")
    one = f.value("i32", 1)
    front = [lanes_of(f, (one << f.intrinsic("ctpop", b)) - 1, lanes) for b in bits]
    for r in range(rows):
        for z, value in enumerate(results(r)):
            place = f.at(out[r], places[z], type)
            masked_store(f, compressed(f, value, inside[z]), place, front[z])
    f.ret()
    f.label(f"apart{k}")
    for z in range(width):
        where = f.load(f"<{lanes} x i32>", get["lanes"], z * lanes)
        for r in range(rows):
            scatter(f, results(r)[z], f.at(out[r], places[z], type), where, inside[z])


@contextmanager
def steps(f: Function, at: Variable, step: int, stop: Value) -> Iterator[Value]:
    """``while at + step <= stop``: the body, with the place, then on by `step`."""
    k = f.fresh()
    f.label(f"head{k}")
    here = at.get()
    f.branch((here + step).le(stop), f"body{k}", f"done{k}")
    f.label(f"body{k}")
    yield here
    at.set(here + step)
    f.jump(f"head{k}")
    f.label(f"done{k}")
