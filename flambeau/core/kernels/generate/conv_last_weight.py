"""The gradient of a convolution in its weight for images whose channels lie last: what a block of
pixels sees is copied into rows, which the gradient's columns meet.

Pixels are cut into parts whose sums are added up by the caller: parts depend on shapes alone, and
threads share parts, taps and features, so results do not depend on their number. Stands on gemm and
conv_blocks.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_blocks import pack_pixels
from flambeau.core.kernels.generate.conv_pack import aligned
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    nothing_ahead,
    pointer,
    smaller,
    taken,
    words,
)
from flambeau.core.kernels.jit.ir import Module

__all__ = ["WORDS", "weight_gradient"]

WORDS = (
    "input", "grad", "out", "scratch", "channels", "height", "width", "features", "rows", "columns",
    "kernel_columns", "row_stride", "column_stride", "row_padding", "column_padding",
    "row_dilation", "column_dilation", "pixels", "block", "part", "parts", "groups", "together",
    "groups_each", "chunk", "chunks", "split", "splits", "scratch_each", "next",
)  # fmt: skip
"""The context. `pixels` of all results are cut into `parts` of `part`, each gone through in blocks
of `block`; features into `splits` of `split`, the `groups` of taps into `chunks` of `chunk`. Taps
are copied `together`, `groups_each` groups at a time, as in ``conv_blocks``: so many numbers that
they stay in the first cache. `out` is (parts, features, taps, channels).
"""


def weight_gradient(made: Module, shape: Shape) -> None:
    """`weight_gradient`, in a module that has the products' functions."""
    against = made.named("against")
    packing = pack_pixels(made, shape, "pack_for_weight", WORDS)
    f = made.function("weight_gradient", ARGUMENTS)
    get = words(f, WORDS)
    type, panel = shape.type, shape.panel
    features, each = get["features"], get["groups_each"]
    own = f.at(aligned(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    following = f.at(f.argument["context"], WORDS.index("next"), "i64")
    run = get["together"] * get["channels"]
    out_row = get["groups"] * run
    with taken(f, following, get["parts"] * get["chunks"] * get["splits"]) as unit:
        low, rest = unit % get["splits"] * get["split"], unit / get["splits"]
        chunk, part = rest % get["chunks"] * get["chunk"], rest / get["chunks"]
        last = smaller(f, chunk + get["chunk"], get["groups"])
        count = smaller(f, features - low, get["split"])
        place = (part * features + low) * out_row
        out = f.at(pointer(f, get["out"]), place, type)
        begin = part * get["part"]
        end = smaller(f, begin + get["part"], get["pixels"])
        with f.loop(begin, end, get["block"]) as pixel:
            depth = smaller(f, end - pixel, get["block"])
            grad = f.at(pointer(f, get["grad"]), pixel * features + low, type)
            with f.loop(chunk, last, each) as group:
                some = smaller(f, last - group, each)
                row = some * run
                with f.loop(0, some) as g:
                    f.call(
                        packing, "void", f.argument["context"], f.at(own, g * run, type), pixel,
                        depth, group + g, row,
                    )  # fmt: skip
                with f.loop(0, row, panel) as first:
                    f.call(
                        against, "void", grad, f.index(1), features, f.at(own, first, type), row,
                        f.at(out, group * run + first, type), out_row, f.value("ptr", 0),
                        pixel.ne(begin).to("i64"), depth, f.index(1),
                        smaller(f, row - first, panel), f.index(0), count, *nothing_ahead(f),
                    )  # fmt: skip
