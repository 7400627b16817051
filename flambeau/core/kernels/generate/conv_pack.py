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
    pointer,
    smaller,
    suffix,
    words,
)
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, vector

__all__ = ["PLANES", "pack"]

PLANES = (
    "input", "input_channel", "input_depth", "input_row", "input_column",
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
    """
    f = made.function("pack", ARGUMENTS, internal=True)
    get = words(f, PLANES)
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    argument = f.argument
    rows, pitch = get["rows"], get["pitch"]
    step = get["row_stride"] * get["input_row"]
    plane = rows * pitch + lanes  # a row's last register may go beyond it
    columns = (pitch + (lanes - 1)) / lanes
    zero = f.value(many, 0.0)
    row_stride, column_stride = get["row_stride"], get["column_stride"]
    side_by_side = column_stride.eq(1) & get["input_column"].eq(1)
    steps = steps_of(f, lanes)

    # The last registers of all rows first: what they write beyond a row is written again, or lies
    # behind the plane.
    with f.loop(0, columns * get["phases"]) as number:
        column = (columns - 1 - number / get["phases"]) * lanes
        phase = number % get["phases"]
        y = f.load("i64", pointer(f, get["phase_rows"]), phase)
        x = f.load("i64", pointer(f, get["phase_columns"]), phase)
        above = (row_stride - 1 - y) / row_stride - argument["y"]
        above = smaller(f, larger(f, above, 0), rows)
        below = (get["height"] - y + row_stride - 1) / row_stride - argument["y"]
        below = smaller(f, larger(f, below, above), rows)
        # Which lanes see the image.
        start = x + column * column_stride
        at = f.splat(start.to("i32"), lanes) + steps * f.splat(column_stride.to("i32"), lanes)
        inside = at.ge(0) & at.lt(f.splat(get["width"].to("i32"), lanes))
        where = at * f.splat(get["input_column"].to("i32"), lanes)
        first_row = ((argument["y"] + above) * row_stride + y) * get["input_row"]
        target = f.variable("ptr", f.at(argument["target"], phase * plane + column, type))
        with (
            f.loop(argument["first"], argument["first"] + argument["count"]) as channel,
            f.loop(0, get["depths"]) as depth,
        ):
            z = f.load("i64", pointer(f, get["depth_places"]), depth)
            z = argument["z"] * get["depth_stride"] + z
            there = z.ge(0) & z.lt(get["length"])
            begin = f.select(there, above, rows)
            end = f.select(there, below, rows)
            line = f.variable(
                "ptr",
                f.at(
                    argument["source"],
                    channel * get["input_channel"] + z * get["input_depth"] + first_row,
                    type,
                ),
            )
            to = f.variable("ptr", target.get())

            def write(value: Value, to: Variable = to) -> None:
                f.store(value, to.get())
                to.set(f.at(to.get(), pitch, type))

            with f.loop(0, begin):
                write(zero)
            k = f.fresh()
            f.branch(side_by_side, f"beside{k}", f"apart{k}")
            f.label(f"beside{k}")
            with f.loop(begin, end):
                write(masked_load(f, many, f.at(line.get(), start, type), inside))
                line.set(f.at(line.get(), step, type))
            f.jump(f"done{k}")
            f.label(f"apart{k}")
            with f.loop(begin, end):
                write(gather(f, many, line.get(), where, inside))
                line.set(f.at(line.get(), step, type))
            f.label(f"done{k}")
            with f.loop(end, rows):
                write(zero)
            target.set(f.at(target.get(), get["phases"] * plane, type))
    return f


def gather(f: Function, type: str, base: Value, lanes: Value, mask: Value) -> Value:
    """The lanes of a mask, each from its own offset, counted in elements; zero in the others."""
    one = type[1:-1].split(" x ")[1]
    count = mask.type[1:].split(" x ")[0]
    pointers = f"<{count} x ptr>"
    at = f.emit(pointers, f"getelementptr {one}, ptr {base.name}, {lanes.type} {lanes.name}")
    name = f"@llvm.masked.gather.{suffix(type)}.v{count}p0"
    f.declared.add(f"declare {type} {name}({pointers}, i32, {mask.type}, {type})")
    align = 4 if one == "float" else 8
    return f.emit(
        type,
        f"call {type} {name}({pointers} {at.name}, i32 {align}, {mask.type} {mask.name}, "
        f"{type} zeroinitializer)",
    )
