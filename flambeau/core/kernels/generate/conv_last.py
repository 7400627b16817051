"""Convolution of images whose channels lie last: each tap is a product of a row of pixels with the
tap's matrix, added to the row of the result.

Nothing is padded or turned; weights come as (taps, channels, features). Each channel by itself is
in ``windows_last``, planes side by side are in ``conv``. Stands on gemm.
"""

from __future__ import annotations

from flambeau.core.kernels.generate import gemm
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
from flambeau.core.kernels.jit.ir import Module, vector

__all__ = ["WORDS", "module"]

WORDS = (
    "input", "weight", "bias", "out", "images", "channels", "height", "width", "features", "rows",
    "columns", "kernel_rows", "kernel_columns", "row_stride", "column_stride", "row_padding",
    "column_padding", "row_dilation", "column_dilation", "next",
)  # fmt: skip


def module(shape: Shape) -> Module:
    """`convolve` for one number type: a row of the result is a unit of work."""
    made = gemm.module(shape, name="conv-last", dots=False)
    against = made.named("against")
    f = made.function("convolve", ARGUMENTS)
    get = words(f, WORDS)
    type, panel, lanes = shape.type, shape.panel, shape.lanes
    many = vector(type, lanes)
    channels, features = get["channels"], get["features"]
    following = f.at(f.argument["context"], WORDS.index("next"), "i64")
    with (
        taken(f, following, get["images"] * get["rows"]) as unit,
        f.loop(0, features, panel) as first,
    ):
        n, row = unit / get["rows"], unit % get["rows"]
        columns = smaller(f, features - first, panel)
        out = f.at(pointer(f, get["out"]), unit * get["columns"] * features + first, type)
        bias = bias_of(f, get["bias"], first, type)
        with f.loop(0, columns, lanes) as j:
            some = first_lanes(f, columns - j, lanes)
            start = f.variable(many, 0.0)
            with f.when(get["bias"].ne(0)):
                start.set(masked_load(f, many, f.at(bias, j, type), some))
            with f.loop(0, get["columns"]) as x:
                masked_store(f, start.get(), f.at(out, x * features + j, type), some)
        with f.loop(0, get["kernel_rows"]) as ky:
            y = row * get["row_stride"] - get["row_padding"] + ky * get["row_dilation"]
            with f.when(y.ge(0) & y.lt(get["height"])), f.loop(0, get["kernel_columns"]) as kx:
                shift = kx * get["column_dilation"] - get["column_padding"]
                stride = get["column_stride"]
                left = larger(f, (stride - 1 - shift) / stride, 0)
                right = smaller(f, (get["width"] - shift + stride - 1) / stride, get["columns"])
                line = (n * get["height"] + y) * get["width"]
                tap = ky * get["kernel_columns"] + kx
                f.call(
                    against, "void",
                    f.at(pointer(f, get["input"]), (line + shift) * channels, type),
                    stride * channels, f.index(1),
                    f.at(pointer(f, get["weight"]), tap * channels * features + first, type),
                    features, out, features, f.value("ptr", 0), f.index(1), channels, f.index(1),
                    columns, left, right, *nothing_ahead(f),
                )  # fmt: skip
    return made
