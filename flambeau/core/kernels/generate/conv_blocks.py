"""Convolution of images whose channels lie last, a block of pixels at a time: what its windows see
is copied into rows, which meet a matrix of weights.

Blocks go on from row to row and from image to image, so that small images fill tiles, and a large
matrix is gone through for many pixels at once. Rows of pixels without copies are in ``conv_last``.
Stands on gemm.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_pack import aligned
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    bias_of,
    larger,
    masked_load,
    masked_store,
    pointer,
    smaller,
    taken,
    words,
)
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["WORDS", "blocks", "pack_pixels"]

WORDS = (
    "input", "weight", "bias", "out", "scratch", "channels", "height", "width", "features", "rows",
    "columns", "kernel_columns", "row_stride", "column_stride", "row_padding", "column_padding",
    "row_dilation", "column_dilation", "pixels", "block", "split", "splits", "groups", "together",
    "groups_each", "weight_group", "weight_step", "weight_feature", "room", "scratch_each", "next",
)  # fmt: skip
"""The context. `pixels` of all results are cut into blocks of `block`, features into `splits` of
`split`. Taps that lie side by side in the input as in the weights are copied `together`: `groups`
of them in all, `groups_each` before they meet their weights. Those begin `weight_group` apart for
each group, `weight_step` from one channel to the next. They are a matrix of features side by side,
or `weight_feature` is from one to the next, not 1: then panels of them are turned, behind `room`
numbers of the scratch memory. Where `weight_feature` is 0 they are in panels already, each group as
`pack` leaves it, and meet pixels one group at a time.
"""
PACK = (("ptr", "context"), ("ptr", "target"), ("i64", "first"), ("i64", "count"), ("i64", "group"),
        ("i64", "row"))  # fmt: skip


def blocks(made: Module, shape: Shape) -> None:
    """`blocks`, in a module that has the products' functions."""
    against = made.named("against")
    turning = made.named("panel")
    packing = pack_pixels(made, shape, "pack_for_blocks", WORDS)
    f = made.function("blocks", ARGUMENTS)
    get = words(f, WORDS)
    type, panel = shape.type, shape.panel
    features = get["features"]
    own = f.at(aligned(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    following = f.at(f.argument["context"], WORDS.index("next"), "i64")
    count_of = (get["pixels"] + (get["block"] - 1)) / get["block"]
    packed = get["weight_feature"].eq(0)
    turns = get["weight_feature"].gt(1)
    panels = f.at(own, get["room"], type)
    run = get["together"] * get["channels"]
    with taken(f, following, count_of * get["splits"]) as unit:
        pixel = unit / get["splits"] * get["block"]
        count = smaller(f, get["pixels"] - pixel, get["block"])
        low = unit % get["splits"] * get["split"]
        high = smaller(f, low + get["split"], features)
        out = f.at(pointer(f, get["out"]), pixel * features, type)
        with f.loop(0, get["groups"], get["groups_each"]) as group:
            some = smaller(f, get["groups"] - group, get["groups_each"])
            row = some * run
            with f.loop(0, some) as g:
                f.call(
                    packing, "void", f.argument["context"], f.at(own, g * run, type), pixel, count,
                    group + g, row,
                )  # fmt: skip
            with f.loop(low, high, panel) as first:
                columns = smaller(f, high - first, panel)
                wide = (columns + (shape.lanes - 1)) / shape.lanes * shape.lanes
                place = group * get["weight_group"] + first * get["weight_feature"]
                place = f.select(packed, group * get["weight_group"] + first * run, place)
                weight = f.at(pointer(f, get["weight"]), place, type)
                left = f.variable("ptr", weight)
                step = f.variable("i64", f.select(packed, wide, get["weight_step"]))
                with f.when(turns):
                    f.call(
                        turning, "void", weight, f.index(1), get["weight_feature"], panels, columns,
                        row,
                    )  # fmt: skip
                    left.set(panels)
                    step.set(wide)
                f.call(
                    against, "void", own, row, f.index(1), left.get(), step.get(),
                    f.at(out, first, type), features, bias_of(f, get["bias"], first, type),
                    group.ne(0).to("i64"), row, f.index(1), columns, f.index(0), count,
                    f.at(weight, f.select(packed, run * panel, panel), type), step.get(),
                    f.select(turns, f.index(0), row),
                )  # fmt: skip


def pack_pixels(made: Module, shape: Shape, name: str, names: tuple[str, ...]) -> Function:
    """What `count` pixels from number `first` on see of a group of taps, a piece of a row each;
    zeros beyond the borders. `names` are those of the context's words.
    """
    f = made.function(name, PACK, internal=True, attributes="noinline")
    get = words(f, names)
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    argument = f.argument
    columns, rows, channels = get["columns"], get["rows"], get["channels"]
    tap = argument["group"] * get["together"]
    down = tap / get["kernel_columns"] * get["row_dilation"] - get["row_padding"]
    right = tap % get["kernel_columns"] * get["column_dilation"] - get["column_padding"]
    line = argument["first"] / columns
    column = f.variable("i64", argument["first"] % columns)
    row, image = f.variable("i64", line % rows), f.variable("i64", line / rows)
    length = get["together"] * channels
    whole = length / lanes * lanes
    rest = first_lanes(f, length - whole, lanes)
    steps = ", ".join(f"i32 {k}" for k in range(lanes))
    lane = Value(f"<{lanes} x i32>", f"<{steps}>", f)
    stride = get["column_stride"]
    done = f.variable("i64", 0)
    k = f.fresh()
    f.label(f"line{k}")
    begin = done.get()
    f.branch(begin.lt(argument["count"]), f"more{k}", f"done{k}")
    f.label(f"more{k}")
    count = smaller(f, columns - column.get(), argument["count"] - begin)
    y = row.get() * get["row_stride"] + down
    x = column.get() * stride + right
    there = y.ge(0) & y.lt(get["height"])
    source = ((image.get() * get["height"] + y) * get["width"] + x) * channels
    from_ = f.at(pointer(f, get["input"]), source, type)
    to = f.at(argument["target"], begin * argument["row"], type)
    # Pixels whose taps are all inside: from `low` on, up to `high`.
    low = smaller(f, larger(f, (stride - 1 - x) / stride, 0), count)
    high = (get["width"] - get["together"] - x + stride) / stride
    high = f.select(there, larger(f, smaller(f, high, count), low), low)
    with f.loop(low, high) as i:
        this = f.at(from_, i * (stride * channels), type)
        that = f.at(to, i * argument["row"], type)
        with f.loop(0, whole, lanes) as j:
            f.store(f.load(many, f.at(this, j, type)), f.at(that, j, type))
        with f.when(whole.lt(length)):
            value = masked_load(f, many, f.at(this, whole, type), rest)
            masked_store(f, value, f.at(that, whole, type), rest)
    with (
        f.loop(0, 2) as side,
        f.loop(f.select(side.eq(0), 0, high), f.select(side.eq(0), low, count)) as i,
    ):
        here = x + i * stride
        this = f.at(from_, i * (stride * channels), type)
        that = f.at(to, i * argument["row"], type)
        left = smaller(f, larger(f, f.index(0) - here, 0), get["together"])
        stop = larger(f, smaller(f, get["width"] - here, get["together"]), left)
        left, stop = left * channels, f.select(there, stop, left) * channels
        from_lane, to_lane = (f.splat(n.to("i32"), lanes) for n in (left, stop))
        with f.loop(0, length, lanes) as j:
            at = lane + f.splat(j.to("i32"), lanes)
            inside = at.ge(from_lane) & at.lt(to_lane)
            value = masked_load(f, many, f.at(this, j, type), inside)
            masked_store(f, value, f.at(that, j, type), first_lanes(f, length - j, lanes))
    done.set(begin + count)
    column.set(0)
    below = row.get() + 1
    over = below.eq(rows)
    row.set(f.select(over, f.index(0), below))
    image.set(image.get() + over.to("i64"))
    f.jump(f"line{k}")
    f.label(f"done{k}")
    return f
