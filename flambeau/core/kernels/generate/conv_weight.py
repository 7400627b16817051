"""The gradient of a correlation in its weight: ``out[m, c, t] = sum_{n, p} grad[n, m, p] x[n, c, p
+ t]``.

Pixels lie in lanes here too: a tile is some features by some taps of channels, each a register of
partial sums over a block of pixels, added up across lanes at the block's end. Threads share the
tiles, never the sums, and blocks come in one order, so results do not depend on their number.
Stands on jit, gemm and conv_pack.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_pack import PLANES, aligned, clear, pack
from flambeau.core.kernels.generate.conv_tile import lanes_of, steps
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    masked_load,
    pointer,
    smaller,
    suffix,
    taken,
    words,
)
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector

__all__ = ["WEIGHTS", "module", "sizes"]

WEIGHTS = (
    *PLANES, "input", "grad", "out", "scratch", "special",
    "input_batch", "input_group", "images_out", "images", "next", "units", "groups",
    "grad_batch", "grad_group", "grad_channel", "grad_depth", "grad_row",
    "features", "features_each", "feature_blocks", "channels_each", "channel_blocks",
    "bands", "band", "channels_near", "images_each", "places_of_channel", "out_row",
    "vectors", "vectors_last", "starts", "masks", "masks_last", "places", "offsets",
    "grad_pitch", "grad_image", "spread", "image_pitch", "packed", "scratch_each",
)  # fmt: skip
"""Words of `weight_gradient`'s context.

Blocks of features (`features_each`) by channels (`channels_each`) are units of work. Pixels are
taken in blocks of `images_each` images, or of one image's `bands` of `band` rows. The planes of
`channels_near` channels of a block are packed and met by all features before the next ones are.
What a block has of an image is `vectors` registers (`vectors_last` in the last band): where each
`starts` in the planes, which lanes are outputs (`masks`), where those begin in the gradient
(`places`). `offsets` has the place of every channel and tap; `places_of_channel` are those of one
channel. Gradients are `spread` into lanes that are outputs, or read where they lie if all lanes
are: `grad_pitch` from one feature to the next, `grad_image` from one image's to the next. `special`
is where to say that a sum is not finite.
"""
TILE = (
    ("ptr", "grad"), ("i64", "grad_pitch"), ("i64", "grad_image"), ("ptr", "planes"),
    ("ptr", "offsets"), ("ptr", "starts"), ("ptr", "masks"), ("i64", "vectors"), ("i64", "images"),
    ("i64", "image_pitch"), ("ptr", "out"), ("i64", "out_row"), ("ptr", "special"),
)  # fmt: skip


def sizes(masked: bool) -> tuple[list[int], list[int]]:
    """How many features and how many taps a tile may have: the most first."""
    return ([4, 2, 1], [6, 3, 1]) if masked else ([2, 1], [6, 3, 1])


def module(shape: Shape, careful: bool = False) -> Module:
    """`weight_gradient` for one number type.

    Lanes that are no outputs hold zeros in the gradient and neighbours in the planes: where those
    are finite their product is nothing. Where a sum is not finite, `careful` code has to find out
    whose it is: it loads outputs alone, which costs a quarter of the time.
    """
    made = Module(f"conv-weight-{shape.type}{'-careful' * careful}")
    packing = pack(made, shape)
    features, taps = sizes(shape.masked)
    found = {}
    for rows in features:
        for columns in taps:
            f = made.function(f"sums{rows}x{columns}", TILE, internal=True, attributes="noinline")
            _tile(f, shape, rows, columns, careful)
            found[rows, columns] = f
    _weight_gradient(made, shape, packing, found)
    return made


def _tile(f: Function, shape: Shape, rows: int, columns: int, careful: bool) -> None:
    """Add a block's sums of `rows` features by `columns` taps to what is there."""
    get = f.argument
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    sums = [[f.variable(many, 0.0) for _ in range(columns)] for _ in range(rows)]
    grad = [f.at(get["grad"], get["grad_pitch"] * r, type) for r in range(rows)]
    planes = [f.at(get["planes"], f.load("i64", get["offsets"], j), type) for j in range(columns)]
    base = f.variable("i64", 0)
    with f.loop(0, get["images"]) as number:
        image = base.get()
        place = f.variable("i64", number * get["grad_image"])
        with f.loop(0, get["vectors"]) as v:
            start = image + f.load("i64", get["starts"], v)
            inside = lanes_of(f, f.load("i32", get["masks"], v), lanes) if careful else None
            at = place.get()
            left = [f.load(many, g, at) for g in grad]
            for j in range(columns):
                right = (
                    f.load(many, planes[j], start)
                    if inside is None
                    else masked_load(f, many, f.at(planes[j], start, type), inside)
                )
                for r in range(rows):
                    sums[r][j].set(f.fma(left[r], right, sums[r][j].get()))
                # Loads stay where they are needed: drawn together, they push sums out of registers.
                f.line('call void asm sideeffect "", "~{memory}"()')
            place.set(at + lanes)
        base.set(image + get["image_pitch"])
    found = [total.get() for line in sums for total in line]
    totals = f.memory(type, -(-len(found) // lanes) * lanes)
    for first in range(0, len(found), lanes):
        total = summed(f, found[first : first + lanes], lanes)
        f.store(total, totals, first)
        strange = (total * 0.0).isnan()
        bits = f.emit(f"i{lanes}", f"bitcast {strange.type} {strange.name} to i{lanes}")
        with f.when(bits.ne(0)):
            f.store(f.index(1), get["special"])
    for r in range(rows):
        for j in range(columns):
            place_out = f.at(get["out"], get["out_row"] * r + j, type)
            f.store(f.load(type, place_out) + f.load(type, totals, r * columns + j), place_out)


def summed(f: Function, values: list[Value], lanes: int) -> Value:
    """A register whose lane i is the sum of the lanes of values[i], by exchanges of neighbours."""
    type = values[0].type
    zero = f.value(type, 0.0)
    values = values + [zero] * (lanes - len(values))
    distance = 1
    while distance < lanes:
        pairs = zip(values[::2], values[1::2], strict=True)
        values = [
            zero if a is zero and b is zero else _exchanged(f, a, b, lanes, distance)
            for a, b in pairs
        ]
        distance *= 2
    return values[0]


def _exchanged(f: Function, a: Value, b: Value, lanes: int, distance: int) -> Value:
    """Sums of lanes `distance` apart: those of `a` where the distance's bit is 0, else of `b`."""

    def picked(flip: int) -> Value:
        order = ", ".join(
            f"i32 {(lane ^ flip) + (lanes if lane & distance else 0)}" for lane in range(lanes)
        )
        return f.emit(
            a.type,
            f"shufflevector {a.type} {a.name}, {a.type} {b.name}, <{lanes} x i32> <{order}>",
        )

    return picked(0) + picked(distance)


def _weight_gradient(
    made: Module, shape: Shape, packing: Function, found: dict[tuple[int, int], Function]
) -> None:
    f = made.function("weight_gradient", ARGUMENTS)
    context = f.argument["context"]
    get = words(f, WEIGHTS)
    type = shape.type
    memory = f.at(aligned(f, get["scratch"]), f.argument["thread"] * get["scratch_each"], type)
    clear(f, shape, memory, get["packed"])
    gradients = f.at(memory, get["packed"], type)
    count = (get["images"] + (get["images_each"] - 1)) / get["images_each"]
    following = f.at(context, WEIGHTS.index("next"), "i64")
    with taken(f, following, get["units"]) as unit:
        channel_block, rest = unit % get["channel_blocks"], unit / get["channel_blocks"]
        feature_block, group = rest % get["feature_blocks"], rest / get["feature_blocks"]
        channel = channel_block * get["channels_each"]
        channels = smaller(f, get["channels_each"], get["channels"] - channel)
        feature = feature_block * get["features_each"]
        features = smaller(f, get["features_each"], get["features"] - feature)
        out = f.at(
            pointer(f, get["out"]),
            (group * get["features"] + feature) * get["out_row"]
            + channel * get["places_of_channel"],
            type,
        )  # fmt: skip
        source = f.at(pointer(f, get["input"]), group * get["input_group"], type)
        grad = f.at(
            pointer(f, get["grad"]),
            group * get["grad_group"] + feature * get["grad_channel"],
            type,
        )  # fmt: skip
        with f.loop(0, count * get["bands"]) as step:
            band, first = step % get["bands"], step / get["bands"] * get["images_each"]
            images = smaller(f, get["images_each"], get["images"] - first)
            ends = band.eq(get["bands"] - 1)
            vectors = f.select(ends, get["vectors_last"], get["vectors"])
            masks = f.select(ends, get["masks_last"], get["masks"]).to("ptr")
            from_band = band * get["band"] * get["grad_row"]
            left = f.variable("ptr", gradients)
            k = f.fresh()
            f.branch(get["spread"].eq(0), f"lies{k}", f"spread{k}")
            f.label(f"lies{k}")
            left.set(f.at(grad, first * get["grad_image"] + from_band, type))
            f.jump(f"laid{k}")
            f.label(f"spread{k}")
            with f.loop(0, features) as row, f.loop(0, images) as i:
                image, z = (first + i) / get["images_out"], (first + i) % get["images_out"]
                place = (
                    image * get["grad_batch"] + z * get["grad_depth"] + row * get["grad_channel"]
                    + from_band
                )  # fmt: skip
                _spread(
                    f, shape, f.at(grad, place, type),
                    f.at(gradients, row * get["grad_pitch"] + i * get["grad_image"], type),
                    masks, pointer(f, get["places"]), vectors,
                )  # fmt: skip
            f.jump(f"laid{k}")
            f.label(f"laid{k}")
            near = get["channels_near"]
            with f.loop(0, channels, near) as c0:
                some = smaller(f, channels - c0, near)
                planes = f.variable("ptr", memory)
                k = f.fresh()
                f.branch(get["packed"].eq(0), f"there{k}", f"scratch{k}")
                f.label(f"scratch{k}")
                with f.loop(0, images) as i:
                    image, z = (first + i) / get["images_out"], (first + i) % get["images_out"]
                    f.call(
                        packing, "void", context, f.at(source, image * get["input_batch"], type),
                        f.at(memory, i * get["image_pitch"], type), z, band * get["band"],
                        channel + c0, some,
                    )  # fmt: skip
                f.jump(f"ready{k}")
                f.label(f"there{k}")
                place = first * get["input_batch"] + (channel + c0) * get["input_channel"]
                place = place + band * get["band"] * get["input_row"]
                planes.set(f.at(source, place, type))
                f.label(f"ready{k}")
                _tiles(
                    f, shape, found, left.get(), planes.get(), masks, vectors, images, features,
                    some * get["places_of_channel"],
                    f.at(out, c0 * get["places_of_channel"], type), get,
                )  # fmt: skip


def _spread(
    f: Function, shape: Shape, source: Value, target: Value, masks: Value, places: Value,
    vectors: Value,
) -> None:  # fmt: skip
    """Rows side by side into lanes that are outputs; zeros in the others."""
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    name = f"@llvm.masked.expandload.{suffix(many)}"
    f.declared.add(f"declare {many} {name}(ptr, <{lanes} x i1>, {many})")
    with f.loop(0, vectors) as v:
        inside = lanes_of(f, f.load("i32", masks, v), lanes)
        place = f.at(source, f.load("i64", places, v), type)
        value = f.emit(
            many,
            f"call {many} {name}(ptr {place.name}, {inside.type} {inside.name}, "
            f"{many} zeroinitializer)",
        )
        f.store(value, target, v * lanes)


def _tiles(
    f: Function, shape: Shape, found: dict[tuple[int, int], Function], grad: Value, planes: Value,
    masks: Value, vectors: Value, images: Value, features: Value, taps: Value, out: Value,
    get: dict[str, Value],
) -> None:  # fmt: skip
    """All features by all taps of a block of pixels."""
    type = shape.type
    rows_of, columns_of = sizes(shape.masked)
    row = f.variable("i64", 0)
    for rows in rows_of:
        with steps(f, row, rows, features) as r:
            column = f.variable("i64", 0)
            for columns in columns_of:
                with steps(f, column, columns, taps) as j:
                    f.call(
                        found[rows, columns], "void",
                        f.at(grad, r * get["grad_pitch"], type), get["grad_pitch"],
                        get["grad_image"], planes,
                        f.at(pointer(f, get["offsets"]), j, "i64"), pointer(f, get["starts"]),
                        masks, vectors, images, get["image_pitch"],
                        f.at(out, r * get["out_row"] + j, type), get["out_row"],
                        pointer(f, get["special"]),
                    )  # fmt: skip
