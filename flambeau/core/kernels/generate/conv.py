"""Correlations of planes: ``out[n, m, p] = bias[m] + sum_{c, t} weight[m, c, t] x[n, c, p + t]``.

One function for every stride, padding, dilation, group and layout: planes are packed with their
borders into scratch memory (`conv_pack`), or read where they lie when they have none, and met by
tiles of features and pixels (`conv_tile`). Convolution, its input gradient and transposed
convolution are all of this kind. Stands on jit and gemm.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_pack import PLANES, aligned, clear, pack
from flambeau.core.kernels.generate.conv_tile import WIDEST, row_counts, steps, tiles
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Epilogue,
    Shape,
    pointer,
    smaller,
    taken,
    words,
)
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value

__all__ = ["CORRELATE", "module"]

CORRELATE = (
    *PLANES, "input", "weight", "bias", "out", "scratch",
    "input_batch", "input_group", "images_out", "next", "units",
    "groups", "bands", "band", "last_band", "split", "blocks", "block",
    "weight_group", "weight_row", "weight_deltas", "taps", "first", "deltas", "depth",
    "out_batch", "out_depth", "out_row", "out_channel", "features",
    "runs", "run_panels", "starts", "widths", "masks", "places", "lanes", "scratch_each",
)  # fmt: skip
"""Words of `correlate`'s context: those of the planes, addresses, strides in elements.

`deltas` are from one tap of a channel to the next in the planes, and at last to the first one of
the next channel; `weight_deltas` are the same in a row of weights. `images_out` outputs lie along
depth for each image. `bands` cut the rows of an output plane (each of `band` rows, the last one
from row `last_band`), or, where planes are read in place, its runs by `split`; `blocks` cut the
features. A panel is up to `WIDEST` registers of pixels: where it
`starts`, its `widths`, and as many `masks` and `places` in the output; `lanes` has offsets where
the pixels of a register do not lie side by side in it. A run is of panels of one width that stay in
the cache together: run i ends where panel `run_panels[i + 1]` begins.
"""


def module(shape: Shape, epilogue: Epilogue | None = None, name: str = "conv") -> Module:
    """`correlate` for one number type, with an epilogue on what is stored."""
    made = Module(f"{name}-{shape.type}")
    packing = pack(made, shape)
    found = tiles(made, shape, epilogue)
    _correlate(made, shape, packing, found)
    return made


def _correlate(
    made: Module, shape: Shape, packing: Function, found: dict[tuple[int, int], Function]
) -> None:
    f = made.function("correlate", ARGUMENTS)
    context = f.argument["context"]
    get = words(f, CORRELATE)
    type, size = shape.type, SIZES[shape.type]
    memory = f.at(aligned(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    clear(f, shape, memory, get["scratch_each"])
    packed = f.variable("i64", -1)
    following = f.at(context, CORRELATE.index("next"), "i64")
    with taken(f, following, get["units"]) as unit:
        block, plane = unit % get["blocks"], unit / get["blocks"]
        band, rest = plane % get["bands"], plane / get["bands"]
        group, image = rest % get["groups"], rest / get["groups"]
        n, z = image / get["images_out"], image % get["images_out"]
        source = f.at(
            pointer(f, get["input"]), n * get["input_batch"] + group * get["input_group"], type
        )
        base = f.variable("ptr", source)
        y0 = smaller(f, band * get["band"], get["last_band"])
        k = f.fresh()
        f.branch(get["scratch_each"].eq(0), f"there{k}", f"scratch{k}")
        f.label(f"scratch{k}")
        base.set(memory)
        with f.when(packed.get().ne(plane)):
            f.call(packing, "void", context, source, memory, z, y0, f.index(0), get["channels"])
        packed.set(plane)
        f.jump(f"ready{k}")
        f.label(f"there{k}")
        f.label(f"ready{k}")
        pixels = f.at(base.get(), get["first"], type)
        feature = group * get["features"]
        out = f.at(
            pointer(f, get["out"]),
            n * get["out_batch"] + z * get["out_depth"] + y0 * get["out_row"]
            + feature * get["out_channel"],
            type,
        )  # fmt: skip
        weight = f.at(pointer(f, get["weight"]), group * get["weight_group"], type)
        low = block * get["block"]
        high = smaller(f, low + get["block"], get["features"])
        bias = f.select(get["bias"].eq(0), f.index(0), get["bias"] + feature * size)
        from_run = band * get["split"]
        to_run = smaller(
            f, f.select(get["split"].eq(0), get["runs"], from_run + get["split"]), get["runs"]
        )
        with f.loop(from_run, to_run) as run:
            panels = pointer(f, get["run_panels"])
            panel = f.load("i64", panels, run)
            ends = f.load("i64", f.at(panels, run, "i64"), 1)
            width = f.load("i64", pointer(f, get["widths"]), panel)
            for count in range(WIDEST, 0, -1):
                with f.when(width.eq(count)):
                    _rows(
                        f, shape, found, count, (panel, ends), (low, high), pixels, weight, bias,
                        out, get,
                    )  # fmt: skip


def _rows(
    f: Function, shape: Shape, found: dict[tuple[int, int], Function], width: int,
    panels: tuple[Value, Value], features: tuple[Value, Value], pixels: Value, weight: Value,
    bias: Value, out: Value, get: dict[str, Value],
) -> None:  # fmt: skip
    """The features of a block against a run of panels: whole tiles, then what is left."""
    type = shape.type
    row = f.variable("i64", features[0])
    for rows in row_counts(shape, width):
        with steps(f, row, rows, features[1]) as at:
            at_bias = f.select(get["bias"].eq(0), f.index(0), bias + at * SIZES[type]).to("ptr")
            at_weight = f.at(weight, at * get["weight_row"], type)
            at_out = f.at(out, at * get["out_channel"], type)
            with f.loop(*panels) as panel:
                lanes = get["lanes"] + panel * (4 * WIDEST * shape.lanes)
                f.call(
                    found[rows, width], "void",
                    at_weight, get["weight_row"], pointer(f, get["weight_deltas"]),
                    f.at(pixels, f.load("i64", pointer(f, get["starts"]), panel), type),
                    pointer(f, get["deltas"]), get["taps"], get["depth"], at_bias,
                    at_out, get["out_channel"],
                    f.at(pointer(f, get["masks"]), panel * WIDEST, "i32"),
                    f.at(pointer(f, get["places"]), panel * WIDEST, "i64"),
                    f.select(get["lanes"].eq(0), f.index(0), lanes).to("ptr"),
                )  # fmt: skip
