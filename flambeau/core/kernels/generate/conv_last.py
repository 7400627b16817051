"""Convolution of images whose channels lie last, a band of rows at a time: these are copied with
their borders, and every pixel meets a tap's matrix where it stands.

Taps that lie side by side are one product. Weights come as (taps, channels, features). Pixels of
narrow images are gathered by what they see in ``conv_blocks``, each channel by itself is in
``windows_last``, planes side by side are in ``conv``. Stands on gemm and conv_pack.
"""

from __future__ import annotations

from flambeau.core.kernels.generate import gemm
from flambeau.core.kernels.generate.conv_blocks import blocks
from flambeau.core.kernels.generate.conv_last_weight import weight_gradient
from flambeau.core.kernels.generate.conv_pack import aligned
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    bias_of,
    larger,
    masked_load,
    masked_store,
    nothing_ahead,
    pointer,
    smaller,
    taken,
    words,
)
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["WORDS", "module"]

WORDS = (
    "input", "weight", "bias", "out", "scratch", "images", "channels", "height", "width",
    "features", "rows", "columns", "kernel_rows", "kernel_columns", "row_stride", "column_stride",
    "row_padding", "column_padding", "row_dilation", "column_dilation", "band", "bands", "together",
    "pitch", "out_image", "out_row", "out_column", "scratch_each", "next",
)  # fmt: skip
"""The context: `bands` of `band` rows of the result are units of work, `together` how many taps of
a kernel's row lie side by side, `pitch` the numbers of a row with its borders; strides of the
result in numbers, its features side by side.
"""


def module(shape: Shape) -> Module:
    """`convolve`, `blocks` and `weight_gradient` for one number type: most of it is the products'
    functions, which they share.
    """
    made = gemm.module(shape, name="conv-last", dots=False)
    _convolve(made, shape)
    blocks(made, shape)
    weight_gradient(made, shape)
    return made


def _convolve(made: Module, shape: Shape) -> None:
    against = made.named("against")
    f = made.function("convolve", ARGUMENTS)
    get = words(f, WORDS)
    type, panel = shape.type, shape.panel
    channels, features, pitch = get["channels"], get["features"], get["pitch"]
    own = f.at(aligned(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    following = f.at(f.argument["context"], WORDS.index("next"), "i64")
    depth = get["together"] * channels
    with taken(f, following, get["images"] * get["bands"]) as unit:
        n, first_row = unit / get["bands"], unit % get["bands"] * get["band"]
        count = smaller(f, get["rows"] - first_row, get["band"])
        _pack(f, shape, get, own, n, first_row, count)
        with (
            f.loop(0, features, panel) as first,
            f.loop(0, get["kernel_rows"]) as ky,
            f.loop(0, get["kernel_columns"], get["together"]) as kx,
            f.loop(0, count) as row,
        ):
            line = (row * get["row_stride"] + ky * get["row_dilation"]) * pitch
            tap = ky * get["kernel_columns"] + kx
            place = n * get["out_image"] + (first_row + row) * get["out_row"] + first
            f.call(
                against, "void",
                f.at(own, line + kx * get["column_dilation"] * channels, type),
                get["column_stride"] * channels, f.index(1),
                f.at(pointer(f, get["weight"]), tap * channels * features + first, type), features,
                f.at(pointer(f, get["out"]), place, type), get["out_column"],
                bias_of(f, get["bias"], first, type), tap.ne(0).to("i64"), depth, f.index(1),
                smaller(f, features - first, panel), f.index(0), get["columns"],
                *nothing_ahead(f),
            )  # fmt: skip


def _pack(
    f: Function, shape: Shape, get: dict[str, Value], own: Value, n: Value, first_row: Value,
    count: Value,
) -> None:  # fmt: skip
    """The rows that `count` rows of the result see, their borders filled with zeros."""
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    pitch, channels = get["pitch"], get["channels"]
    left = smaller(f, larger(f, get["column_padding"], 0) * channels, pitch)
    skipped = larger(f, f.index(0) - get["column_padding"], 0) * channels
    length = larger(f, smaller(f, get["width"] * channels - skipped, pitch - left), 0)
    seen = (count - 1) * get["row_stride"] + (get["kernel_rows"] - 1) * get["row_dilation"] + 1
    with f.loop(0, seen) as line:
        y = first_row * get["row_stride"] - get["row_padding"] + line
        there = y.ge(0) & y.lt(get["height"])
        begin, end = f.select(there, left, pitch), f.select(there, left + length, pitch)
        to = f.at(own, line * pitch, type)
        for low, high in ((f.index(0), begin), (end, pitch)):
            with f.loop(low, high, lanes) as j:
                some = first_lanes(f, high - j, lanes)
                masked_store(f, f.value(many, 0.0), f.at(to, j, type), some)
        place = (n * get["height"] + y) * get["width"] * channels + skipped
        source = f.at(pointer(f, get["input"]), place, type)
        with f.loop(begin, end, lanes) as j:
            some = first_lanes(f, end - j, lanes)
            value = masked_load(f, many, f.at(source, j - begin, type), some)
            masked_store(f, value, f.at(to, j, type), some)
