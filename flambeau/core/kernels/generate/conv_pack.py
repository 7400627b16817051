"""Planes of an image copied with their borders into scratch memory, phase by phase.

A stride of s makes s phases of every axis: phase p holds the positions p, p + s, p + 2 s ..., so
that neighbouring outputs always meet neighbouring numbers. Rows are `pitch` long. Stands on jit and
gemm.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_tile import steps_of
from flambeau.core.kernels.generate.gemm import (
    Shape,
    larger,
    masked_load,
    masked_store,
    pointer,
    smaller,
    suffix,
    words,
)
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, vector

__all__ = ["PLANES", "aligned", "clear", "every_second", "gather", "pack"]

PLANES = (
    "input_channel", "input_depth", "input_row", "input_column",
    "length", "height", "width", "channels", "depths", "depth_stride", "depth_places",
    "row_stride", "column_stride", "phases", "phase_rows", "phase_columns", "rows", "pitch",
)  # fmt: skip
"""The words of a context that tell how planes are packed: the input's strides, its sizes (`length`
is that along depth), `channels` of `depths` planes each, the first position of every plane along
depth and of every phase along rows and columns, and the size of what is made. A plane takes
`rows * pitch` numbers and a register more.
"""

ARGUMENTS = (
    ("ptr", "context"), ("ptr", "source"), ("ptr", "target"), ("i64", "z"), ("i64", "y"),
    ("i64", "first"), ("i64", "count"),
)  # fmt: skip


def pack(made: Module, shape: Shape) -> Function:
    """Planes of `count` channels, from channel `first` of the image at `source` on, for the outputs
    from row `y` on of plane `z`: [channel][plane][phase][row][column].

    Borders left and right are not written: they are zeros from the beginning (`clear`).
    """
    f = made.function("pack", ARGUMENTS, internal=True, attributes="noinline")
    get = words(f, PLANES)
    type, lanes = shape.type, shape.lanes
    argument = f.argument
    rows, pitch = get["rows"], get["pitch"]
    plane = rows * pitch + lanes
    with f.loop(0, get["phases"]) as phase:
        y = f.load("i64", pointer(f, get["phase_rows"]), phase)
        x = f.load("i64", pointer(f, get["phase_columns"]), phase)
        above, below = _inside(f, y, get["row_stride"], get["height"])
        above = smaller(f, larger(f, above - argument["y"], 0), rows)
        below = smaller(f, larger(f, below - argument["y"], above), rows)
        left, right = _inside(f, x, get["column_stride"], get["width"])
        left = smaller(f, larger(f, left, 0), pitch)
        right = smaller(f, larger(f, right, left), pitch)
        first_row = (argument["y"] + above) * get["row_stride"] + y
        target = f.variable("ptr", f.at(argument["target"], phase * plane, type))
        with (
            f.loop(argument["first"], argument["first"] + argument["count"]) as channel,
            f.loop(0, get["depths"]) as depth,
        ):
            z = f.load("i64", pointer(f, get["depth_places"]), depth)
            z = argument["z"] * get["depth_stride"] + z
            there = z.ge(0) & z.lt(get["length"])
            begin, end = f.select(there, above, rows), f.select(there, below, rows)
            image = f.at(
                argument["source"],
                channel * get["input_channel"] + z * get["input_depth"]
                + first_row * get["input_row"],
                type,
            )  # fmt: skip
            with f.loop(left, right, lanes) as column:
                count = smaller(f, right - column, lanes)
                line = f.at(image, (x + column * get["column_stride"]) * get["input_column"], type)
                to = f.at(target.get(), column, type)
                _rows(f, shape, line, to, count, begin, end, get)
            target.set(f.at(target.get(), get["phases"] * plane, type))
    return f


def _inside(f: Function, first: Value, stride: Value, size: Value) -> tuple[Value, Value]:
    """From which number on and up to which one `first + number * stride` is in range(size)."""
    return (stride - 1 - first) / stride, (size - first + stride - 1) / stride


def _rows(
    f: Function, shape: Shape, line: Value, to: Value, count: Value, begin: Value, end: Value,
    get: dict[str, Value],
) -> None:  # fmt: skip
    """A register of every row of a plane: zeros before `begin` and from `end` on."""
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    pitch, step = get["pitch"], get["row_stride"] * get["input_row"]
    stride, apart = get["column_stride"], get["input_column"]
    some = first_lanes(f, count, lanes)
    zero = f.value(many, 0.0)
    with f.loop(0, begin) as i:
        masked_store(f, zero, f.at(to, i * pitch, type), some)
    k = f.fresh()
    f.branch(stride.eq(1) & apart.eq(1), f"one{k}", f"more{k}")
    f.label(f"one{k}")
    with f.loop(begin, end) as i:
        value = masked_load(f, many, f.at(line, (i - begin) * step, type), some)
        masked_store(f, value, f.at(to, i * pitch, type), some)
    f.jump(f"done{k}")
    f.label(f"more{k}")
    f.branch(stride.eq(2) & apart.eq(1), f"two{k}", f"any{k}")
    f.label(f"two{k}")
    reach = count * 2 - 1
    low = first_lanes(f, smaller(f, reach, lanes), lanes)
    high = first_lanes(f, larger(f, reach - lanes, 0), lanes)
    with f.loop(begin, end) as i:
        row = f.at(line, (i - begin) * step, type)
        value = every_second(
            f, masked_load(f, many, row, low), masked_load(f, many, f.at(row, lanes, type), high)
        )
        masked_store(f, value, f.at(to, i * pitch, type), some)
    f.jump(f"done{k}")
    f.label(f"any{k}")
    where = steps_of(f, lanes) * f.splat((stride * apart).to("i32"), lanes)
    with f.loop(begin, end) as i:
        value = gather(f, many, f.at(line, (i - begin) * step, type), where, some)
        masked_store(f, value, f.at(to, i * pitch, type), some)
    f.label(f"done{k}")
    with f.loop(end, get["rows"]) as i:
        masked_store(f, zero, f.at(to, i * pitch, type), some)


def aligned(f: Function, address: Value) -> Value:
    """The next place where a line of the cache begins."""
    return ((address + 63) & -64).to("ptr")


def clear(f: Function, shape: Shape, target: Value, count: Value) -> None:
    """Zeros, whole registers of them."""
    with f.loop(0, count, shape.lanes) as i:
        f.store(f.value(vector(shape.type, shape.lanes), 0.0), target, i)


def every_second(f: Function, low: Value, high: Value) -> Value:
    """The first, third, fifth ... lane of two registers."""
    lanes = low.type[1:].split(" x ")[0]
    order = ", ".join(f"i32 {2 * lane}" for lane in range(int(lanes)))
    return f.emit(
        low.type,
        f"shufflevector {low.type} {low.name}, {low.type} {high.name}, <{lanes} x i32> <{order}>",
    )


def gather(f: Function, type: str, base: Value, lanes: Value, mask: Value) -> Value:
    """The lanes of a mask, each from its own offset, counted in elements; zero in the others."""
    one = type[1:-1].split(" x ")[1]
    count = mask.type[1:].split(" x ")[0]
    pointers = f"<{count} x ptr>"
    at = f.emit(pointers, f"getelementptr {one}, ptr {base.name}, {lanes.type} {lanes.name}")
    name = f"@llvm.masked.gather.{suffix(type)}.v{count}p0"
    f.declared.add(f"declare {type} {name}({pointers}, i32, {mask.type}, {type})")
    align = SIZES[one]
    return f.emit(
        type,
        f"call {type} {name}({pointers} {at.name}, i32 {align}, {mask.type} {mask.name}, "
        f"{type} zeroinitializer)",
    )
