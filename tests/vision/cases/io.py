"""torchvision.io: files of every kind of channels, encoded and decoded."""

import io as bytes_io

import numpy as np
from PIL import Image

from tests.vision.cases.utils import bytes_

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def packed(torch, image, kind="PNG"):
    out = bytes_io.BytesIO()
    image.save(out, kind)
    return torch.frombuffer(bytearray(out.getvalue()), dtype=torch.uint8)


def pictures(torch):
    array = bytes_(torch, 6, 5, 4).numpy()
    color = Image.fromarray(array[..., :3].copy())
    deep = Image.fromarray(np.arange(30, dtype=np.uint16).reshape(6, 5) * 2000)
    alpha = Image.fromarray(array[..., :2].copy(), "LA")
    return [color, color.convert("L"), alpha, Image.fromarray(array), color.convert("P"), deep,
            color.convert("1")]  # fmt: skip


@case
def channels(torch, tv):
    io, out = tv.io, []
    for index, picture in enumerate(pictures(torch)):
        data = packed(torch, picture)
        out.append(io.decode_image(data))
        if index != 4 and index != 6:
            modes = ["RGB", "rgb_alpha"] + (["GRAY", "GRAY_ALPHA"] if index in (1, 5) else [])
            out += [io.decode_png(data, io.ImageReadMode[m.upper()]) for m in modes]
    return out


@case
def gray(torch, tv):
    colored = [packed(torch, pictures(torch)[i]) for i in (0, 3)]
    modes = (tv.io.ImageReadMode.GRAY, tv.io.ImageReadMode.GRAY_ALPHA)
    return [tv.io.decode_image(each, mode) for each in colored for mode in modes]


@case
def jpeg(torch, tv):
    io, image = tv.io, bytes_(torch, 3, 18, 21) // 4 + 90
    out = []
    for quality in (75, 30):
        data = io.encode_jpeg(image, quality)
        out += [data, io.decode_image(data), io.decode_jpeg(data, io.ImageReadMode.GRAY)]
    out += [io.decode_jpeg(io.encode_jpeg(image[:1]))]
    return out + io.decode_jpeg(io.encode_jpeg([image, image]))


@case
def png(torch, tv):
    image = bytes_(torch, 3, 8, 9)
    return [tv.io.decode_image(tv.io.encode_png(x, 9)) for x in (image, image[:1])]
