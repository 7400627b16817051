"""torchvision.transforms: functions and seeded classes on tensors and Pillow images."""

import random

from tests.vision.cases.utils import bytes_, floats

CASES = {}


def each_image(name, *calls):
    """A case for a function: every call on bytes, floats, a batch and a Pillow image."""

    def run(torch, tv):
        F = tv.transforms.functional
        out = []
        for image in (
            bytes_(torch, 3, 14, 17),
            floats(torch, 3, 14, 17),
            floats(torch, 2, 1, 9, 8),
        ):
            out += [call(F, image) for call in calls]
        picture = F.to_pil_image(bytes_(torch, 3, 14, 17))
        return out + [F.pil_to_tensor(call(F, picture)) for call in calls]

    CASES[name] = run


each_image("flips", lambda F, x: F.hflip(x), lambda F, x: F.vflip(x))
each_image(
    "crops",
    lambda F, x: F.crop(x, 2, 3, 4, 5),
    lambda F, x: F.crop(x, -2, 3, 14, 40),
    lambda F, x: F.center_crop(x, [5, 6]),
    lambda F, x: F.center_crop(x, [20, 7]),
    lambda F, x: F.five_crop(x, 4)[3],
    lambda F, x: F.ten_crop(x, [3, 4], vertical_flip=True)[7],
    lambda F, x: F.resized_crop(x, 1, 2, 6, 5, [4, 8]),
)
each_image(
    "pads",
    lambda F, x: F.pad(x, 2),
    lambda F, x: F.pad(x, [1, 2], fill=3),
    lambda F, x: F.pad(x, [1, 2, 3, 4], padding_mode="edge"),
    lambda F, x: F.pad(x, [1, 2, 3, 4], padding_mode="reflect"),
    lambda F, x: F.pad(x, [1, 2, 3, 4], padding_mode="symmetric"),
    lambda F, x: F.pad(x, [-1, 2, 3, -2], padding_mode="symmetric"),
)
each_image(
    "resizes",
    lambda F, x: F.resize(x, [7, 5]),
    lambda F, x: F.resize(x, 20),
    lambda F, x: F.resize(x, [6], max_size=7),
    lambda F, x: F.resize(x, [6, 30], F.InterpolationMode.NEAREST),
    lambda F, x: F.resize(x, [6, 30], F.InterpolationMode.NEAREST_EXACT),
    lambda F, x: F.resize(x, [6, 30], F.InterpolationMode.BICUBIC),
)
each_image(
    "colors",
    lambda F, x: F.adjust_brightness(x, 1.3),
    lambda F, x: F.adjust_contrast(x, 0.4),
    lambda F, x: F.adjust_saturation(x, 1.8),
    lambda F, x: F.adjust_hue(x, 0.2),
    lambda F, x: F.adjust_hue(x, -0.4),
    lambda F, x: F.adjust_gamma(x, 0.7, 1.1),
    lambda F, x: F.adjust_sharpness(x, 1.6),
    lambda F, x: F.adjust_sharpness(x, 0.2),
    lambda F, x: F.autocontrast(x),
    lambda F, x: F.invert(x),
    lambda F, x: F.solarize(x, 0.6),
    lambda F, x: F.rgb_to_grayscale(x),
    lambda F, x: F.gaussian_blur(x, [3, 5]),
    lambda F, x: F.gaussian_blur(x, 5, 1.2),
)
each_image(
    "warps",
    lambda F, x: F.rotate(x, 30),
    lambda F, x: F.rotate(x, 30, F.InterpolationMode.BILINEAR, expand=True, fill=[1.0]),
    lambda F, x: F.rotate(x, -75, center=[2, 3], fill=2),
    lambda F, x: F.affine(x, 20, [1, 2], 1.2, [5.0, 3.0], F.InterpolationMode.BILINEAR),
    lambda F, x: F.affine(x, -50, [0, 2], 0.8, 10.0, fill=1),
    lambda F, x: F.affine(x, 10, [1, 1], 1.1, [0.0, 0.0], center=[3, 4]),
)
# Perspective's eight numbers are float32 of a least-squares solution: pixels on an edge may differ.
each_image(
    "perspectives",
    lambda F, x: F.perspective(
        x, [[0, 0], [7, 0], [7, 8], [0, 8]], [[1, 1], [6, 0], [7, 7], [0, 6]]
    ),
)


def _bytes_only(torch, tv):
    F = tv.transforms.functional
    image = bytes_(torch, 3, 40, 41) // 3
    picture = F.to_pil_image(image)
    calls = (
        F.equalize,
        lambda x: F.posterize(x, 3),
        lambda x: F.solarize(x, 50),
        F.autocontrast,
    )
    return [call(image) for call in calls] + [F.pil_to_tensor(call(picture)) for call in calls]


def _conversions(torch, tv):
    F = tv.transforms.functional
    out = []
    image = bytes_(torch, 3, 6, 5)
    for dtype in (torch.float32, torch.float64, torch.int16, torch.int32, torch.int8):
        there = F.convert_image_dtype(image, dtype)
        out.append(there)
        if dtype != torch.int32:
            out.append(F.convert_image_dtype(there, torch.uint8))
    picture = F.to_pil_image(image)
    for mode in ("RGB", "L", "1", "I", "F", "RGBA", "CMYK"):
        converted = picture.convert(mode)
        out += [F.to_tensor(converted), F.pil_to_tensor(converted), F.get_dimensions(converted)]
    for x in (image[0], image[:1], image[:2], floats(torch, 4, 3, 3), floats(torch, 3, 3, 3)):
        made = F.to_pil_image(x)
        out += [made.mode, F.pil_to_tensor(made)]
    out.append(F.to_tensor(image.permute(1, 2, 0).numpy()))
    out.append(F.normalize(floats(torch, 3, 4, 5), [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    out.append(F.resize(image, [4, 3], antialias=False))
    out.append(F.erase(image, 1, 2, 2, 3, torch.tensor(7)))
    out.append(F.elastic_transform(floats(torch, 3, 6, 5), floats(torch, 1, 6, 5, 2) * 0.2))
    return out


CASES["bytes_only"] = _bytes_only
CASES["conversions"] = _conversions


def _classes(T):
    """Every class, as users build it; the first of a pair is seen on bytes and Pillow images."""
    jitter = T.ColorJitter(0.4, (0.5, 1.5), 0.3, 0.1)
    flip = T.RandomHorizontalFlip()
    return [
        T.CenterCrop(7), T.FiveCrop((4, 5)), T.TenCrop(4), T.Pad([1, 2], 3), T.Resize(9),
        T.Resize([5], max_size=6), T.Grayscale(3), T.RandomCrop(8), T.RandomCrop((9, 20), 2, True),
        T.RandomResizedCrop(8), T.RandomResizedCrop((5, 6), (0.3, 0.9), (0.5, 2.0)), flip,
        T.RandomVerticalFlip(0.7), T.RandomRotation(40), T.RandomRotation((0, 90), center=(2, 3)),
        T.RandomAffine(30), T.RandomAffine((10, 20), (0.1, 0.2), (0.8, 1.2), 5, fill=4),
        T.RandomAffine(5, shear=[1, 2, 3, 4]), T.RandomPerspective(p=0.9), jitter, T.ColorJitter(),
        T.RandomGrayscale(0.5), T.GaussianBlur(3), T.GaussianBlur((3, 5), 1.5), T.RandomInvert(),
        T.RandomPosterize(3), T.RandomSolarize(100), T.RandomAdjustSharpness(1.7),
        T.RandomAutocontrast(), T.RandomEqualize(), T.RandomApply([jitter, flip], 0.6),
        T.Compose([T.RandomCrop(9, padding=1), flip]), T.RandomOrder([flip, jitter]),
        T.RandomChoice([flip, jitter]), T.Lambda(lambda x: x),
    ]  # fmt: skip


def _values(torch, F, out):
    several = out if isinstance(out, tuple) else (out,)
    return [x if isinstance(x, torch.Tensor) else F.pil_to_tensor(x) for x in several]


def _seeded(torch, tv):
    F = tv.transforms.functional
    image = bytes_(torch, 3, 14, 17)
    out = []
    for index, transform in enumerate(_classes(tv.transforms)):
        out.append(repr(transform))
        for x in (image, F.to_pil_image(image)):
            torch.manual_seed(index)
            random.seed(index)
            for _ in range(2):
                out += _values(torch, F, transform(x))
            out.append(torch.rand(1))
    return out


def _seeded_floats(torch, tv):
    T = tv.transforms
    image = floats(torch, 3, 14, 17)
    out = []
    for transform in (
        T.RandomErasing(), T.RandomErasing(0.9, value="random"), T.RandomErasing(1, value=(1, 2, 3)),
        T.Normalize((0.5,), (0.25,)), T.ConvertImageDtype(torch.float64), T.ToPILImage(),
    ):  # fmt: skip
        torch.manual_seed(3)
        out.append(repr(transform))
        out += _values(torch, T.functional, transform(image))
        out += [torch.rand(1), repr(T.ToTensor()), repr(T.PILToTensor())]
    return out


CASES["seeded"] = _seeded
CASES["seeded_floats"] = _seeded_floats


def _drawn(torch, tv, transforms):
    T, image, out = tv.transforms, bytes_(torch, 3, 14, 17), []
    F = T.functional
    for transform in transforms:
        out.append(repr(transform))
        for seed in range(4):
            torch.manual_seed(seed)
            out += [transform(image), torch.rand(1)]
        torch.manual_seed(5)
        out += [F.pil_to_tensor(transform(F.to_pil_image(image))), torch.rand(1)]
    return out


def _augmented(torch, tv):
    T = tv.transforms
    made = [T.AutoAugment(policy) for policy in T.AutoAugmentPolicy]
    made += [T.RandAugment(3, 12), T.TrivialAugmentWide(fill=[7.0])]
    return _drawn(torch, tv, made)


def _mixed(torch, tv):
    T = tv.transforms
    made = [T.AugMix(), T.AugMix(5, 2, 2, 0.7, False)]
    made += [T.ElasticTransform(30.0, 1.5), T.ElasticTransform([9.0, 20.0], [1.0, 0.5], fill=3)]
    return _drawn(torch, tv, made)


def _linear(torch, tv):
    made = tv.transforms.LinearTransformation(
        floats(torch, 12, 12, seed=3), floats(torch, 12, seed=4)
    )
    return [made(floats(torch, 2, 3, 2, 2)), repr(made)]


CASES["augmented"] = _augmented
CASES["linear"] = _linear
CASES["mixed"] = _mixed
