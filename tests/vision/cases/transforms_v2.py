"""torchvision.transforms.v2: functions and seeded classes on everything that a sample holds."""

from tests.vision.cases.utils import bytes_, floats

CASES = {}
BOXES = [[2, 3, 9, 8], [0, 0, 5, 6], [4, 5, 16, 13]]


def told(torch, value):
    """What a value says: its type, its numbers, its canvas."""
    if type(value).__name__ == "Image" and hasattr(value, "getbands"):
        import numpy as np

        return [f"{value.mode}", torch.from_numpy(np.asarray(value).copy())]
    if isinstance(value, torch.Tensor):
        known = [getattr(value, n, None) for n in ("format", "canvas_size", "clamping_mode")]
        text = f"{type(value).__name__} {known}"
        return [
            text,
            torch.Tensor(value.as_subclass(torch.Tensor))
            if False
            else value.as_subclass(torch.Tensor),
        ]
    if isinstance(value, (list, tuple)):
        return [each for one in value for each in told(torch, one)]
    if isinstance(value, dict):
        return [each for key in value for each in [key, *told(torch, value[key])]]
    return [repr(value)]


def sample(torch, tv, seed=0):
    """One of each kind, on a canvas of 14 x 17."""
    kinds = tv.tv_tensors
    options = {"format": "XYXY", "canvas_size": (14, 17)}
    boxes = kinds.BoundingBoxes(torch.tensor(BOXES), **options)
    other = tv.transforms.v2.functional.convert_bounding_box_format
    return {
        "image": kinds.Image(bytes_(torch, 3, 14, 17, seed=seed)),
        "float": kinds.Image(floats(torch, 3, 14, 17, seed=seed)),
        "video": kinds.Video(floats(torch, 2, 3, 14, 17, seed=seed)),
        "mask": kinds.Mask(bytes_(torch, 2, 14, 17, seed=seed) // 60),
        "segments": kinds.Mask(bytes_(torch, 14, 17, seed=seed) // 60),
        "boxes": kinds.BoundingBoxes(torch.tensor(BOXES).float() + 0.25, **options),
        "whole": other(boxes, new_format="XYWH"),
        "middles": other(boxes, new_format="CXCYWH"),
        "points": kinds.KeyPoints(
            torch.tensor([[[2.0, 3.5], [8.0, 1.0]], [[16.0, 13.0], [0.0, 7.0]]]),
            canvas_size=(14, 17),
        ),
        "labels": torch.tensor([1, 2, 3]),
        "name": "one",
    }


def each_kind(name, *calls, places=True, whole=True, floating=True):
    """A case for functionals: every call on every kind that it takes."""

    def run(torch, tv):
        F = tv.transforms.v2.functional
        given = sample(torch, tv)
        kinds = ["image"] * whole + ["float", "video"] * floating
        kinds += ["mask", "segments", "boxes", "whole", "middles", "points"] * places
        out = []
        for kind in kinds:
            for call in calls:
                out += [kind, *told(torch, call(F, given[kind]))]
        out += (
            told(torch, [call(F, given["image"].as_subclass(torch.Tensor)) for call in calls])
            if whole
            else []
        )
        if whole:
            picture = F.to_pil_image(given["image"].as_subclass(torch.Tensor))
            for call in calls:
                out += told(torch, call(F, picture))
        return out

    CASES[name] = run


each_kind("flips", lambda F, x: F.horizontal_flip(x), lambda F, x: F.vflip(x))
each_kind(
    "crops",
    lambda F, x: F.crop(x, 2, 3, 6, 8),
    lambda F, x: F.crop(x, -2, 3, 30, 5),
    lambda F, x: F.center_crop(x, [9, 6]),
    lambda F, x: F.center_crop(x, [20, 7]),
    lambda F, x: F.center_crop(x, [15, 24]),
    lambda F, x: F.resized_crop(x, 1, 2, 6, 10, [12, 5]),
)
each_kind(
    "pads",
    lambda F, x: F.pad(x, 2),
    lambda F, x: F.pad(x, [1, 2], fill=3),
    lambda F, x: F.pad(x, [1, 2, 3, 4]),
)
each_kind(
    "pads_mirrored",
    lambda F, x: F.pad(x, [1, 2, 3, 4], padding_mode="reflect"),
    lambda F, x: F.pad(x, [1, 2, 3, 4], padding_mode="edge"),
    lambda F, x: F.pad(x, [1, 2], fill=[1.0, 2.0, 3.0]),
    places=False,
)
each_kind(
    "resizes",
    lambda F, x: F.resize(x, [7, 5]),
    lambda F, x: F.resize(x, 20),
    lambda F, x: F.resize(x, [6], max_size=7),
    lambda F, x: F.resize(x, None, max_size=9),
    lambda F, x: F.resize(x, [6, 30], F.InterpolationMode.NEAREST),
    lambda F, x: F.resize(x, [6, 30], F.InterpolationMode.BICUBIC),
)
each_kind(
    "warps",
    lambda F, x: F.rotate(x, 30),
    lambda F, x: F.rotate(x, 30, expand=True),
    lambda F, x: F.rotate(x, 90, expand=True),
    lambda F, x: F.rotate(x, 180),
    lambda F, x: F.rotate(x, -75, center=[2, 3], fill=2),
    lambda F, x: F.affine(x, 20, [1, 2], 1.2, [5.0, 3.0]),
    lambda F, x: F.affine(x, -50, [0, 2], 0.8, [10.0, 0.0], center=[4, 9]),
    lambda F, x: F.elastic(x, (floats_of(x, 1, 14, 17, 2) - 0.5) * 0.2),
)


def floats_of(x, *shape):
    """Floats in the engine of ``x``."""
    import importlib

    name = "PIL" if "PIL" in type(x).__module__ else type(x).__module__.partition(".")[0]
    if name == "PIL":
        import sys

        name = "torch" if "torchvision" in sys.modules else "flambeau"
    engine = importlib.import_module("torch" if name.startswith("torch") else "flambeau")
    return floats(engine, *shape)


each_kind(
    "perspectives",
    lambda F, x: F.perspective(
        x, [[0, 0], [16, 0], [16, 13], [0, 13]], [[1, 1], [15, 0], [14, 12], [0, 11]]
    ),
)
each_kind(
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
    lambda F, x: F.equalize(x),
    lambda F, x: F.invert(x),
    lambda F, x: F.posterize(x, 3),
    lambda F, x: F.solarize(x, 0.6),
    lambda F, x: F.permute_channels(x, [2, 0, 1]),
    lambda F, x: F.gaussian_blur(x, [3, 5]),
    lambda F, x: F.gaussian_blur(x, 5, 1.2),
    places=False,
)


def _greys(torch, tv):
    F = tv.transforms.v2.functional
    given, out = sample(torch, tv), []
    for kind in ("image", "float"):
        for call in (
            F.rgb_to_grayscale,
            lambda x: F.rgb_to_grayscale(x, 3),
            lambda x: F.grayscale_to_rgb(x[:1]),
            lambda x: F.five_crop(x, [5, 6]),
            lambda x: F.ten_crop(x, 5, True),
            lambda x: F.erase(x, 2, 3, 4, 5, torch.tensor(1)),
        ):
            out += told(torch, call(given[kind]))
    out += told(torch, F.normalize(given["float"], [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    out += told(torch, F.normalize(given["video"], [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    out += told(torch, F.uniform_temporal_subsample(given["video"], 5))
    for value in given.values():
        if isinstance(value, torch.Tensor) and value.ndim > 1:
            out += [repr(F.get_size(value))]
            out += told(torch, F.to_dtype(value, torch.float64))
    for kind in ("image", "float"):
        for dtype in (torch.float32, torch.float64, torch.int16, torch.int32, torch.uint8):
            if kind == "image" or dtype != torch.int32:
                out += told(torch, F.to_dtype(given[kind], dtype, scale=True))
    return out


def _boxes(torch, tv):
    F, kinds, out = tv.transforms.v2.functional, tv.tv_tensors, []
    given = sample(torch, tv)
    for kind in ("boxes", "whole", "middles"):
        for new in ("XYXY", "XYWH", "CXCYWH"):
            out += told(torch, F.convert_bounding_box_format(given[kind], new_format=new))
    turned = torch.tensor([[6.0, 5.0, 4.0, 3.0, 30.0], [8.0, 6.0, 3.0, 5.0, -100.0]])
    for first in ("CXCYWHR", "XYWHR"):
        boxes = kinds.BoundingBoxes(turned, format=first, canvas_size=(14, 17))
        for new in ("XYWHR", "CXCYWHR", "XYXYXYXY"):
            made = F.convert_bounding_box_format(boxes, new_format=new)
            out += told(torch, made)
            out += told(torch, F.convert_bounding_box_format(made, new_format="XYXYXYXY"))
    beyond = kinds.BoundingBoxes(
        torch.tensor([[-3.0, 2, 9, 30], [4, 5, 4.5, 9], [1, 1, 8, 8]]),
        format="XYXY",
        canvas_size=(14, 17),
    )
    for mode in ("soft", "hard", None, "auto"):
        out += told(torch, F.clamp_bounding_boxes(beyond, clamping_mode=mode))
    out += told(torch, F.sanitize_bounding_boxes(beyond))
    out += told(torch, F.sanitize_bounding_boxes(F.clamp_bounding_boxes(beyond), min_area=3))
    points = kinds.KeyPoints(torch.tensor([[-1.0, 3], [16.5, 3], [18, 20]]), canvas_size=(14, 17))
    out += told(torch, F.clamp_keypoints(points))
    out += told(torch, F.sanitize_keypoints(points))
    return out


def _turned(torch, tv):
    F, kinds, out = tv.transforms.v2.functional, tv.tv_tensors, []
    turned = torch.tensor([[6.0, 5.0, 4.0, 3.0, 30.0], [8.0, 6.0, 3.0, 5.0, -100.0]])
    boxes = kinds.BoundingBoxes(turned, format="CXCYWHR", canvas_size=(14, 17))
    for new in ("XYWHR", "CXCYWHR", "XYXYXYXY"):
        made = F.convert_bounding_box_format(boxes, new_format=new)
        for call in (
            F.horizontal_flip,
            F.vertical_flip,
            lambda x: F.resize(x, [28, 34]),
            lambda x: F.crop(x, 1, 1, 13, 16),
            lambda x: F.pad(x, 3),
            lambda x: F.rotate(x, 20),
        ):
            out += told(torch, call(made))
    return out


CASES["greys"] = _greys
CASES["boxes"] = _boxes
CASES["turned"] = _turned


def _classes(T, torch, kinds):
    """Transforms that take everything, as users build them."""
    mask_fill = {kinds.Mask: 3, "others": 1}
    return [
        T.Resize(9), T.Resize([5], max_size=6), T.Resize(None, max_size=11), T.CenterCrop(7),
        T.RandomCrop(8, padding=2), T.RandomCrop((14, 9)), T.RandomCrop(20, pad_if_needed=True),
        T.RandomResizedCrop(8), T.RandomResizedCrop((5, 6), (0.3, 0.9), (0.5, 2.0)),
        T.RandomHorizontalFlip(), T.RandomVerticalFlip(0.9), T.Pad([1, 2], mask_fill), T.Pad(3),
        T.RandomZoomOut(), T.RandomZoomOut(mask_fill, (1.0, 2.0), 1.0), T.RandomRotation(40),
        T.RandomRotation((20, 90), expand=True, fill=2),
        T.RandomAffine((10, 20), (0.1, 0.2), (0.8, 1.2), 5, fill=4),
        T.RandomAffine(5, shear=[1, 2, 3, 4]), T.ElasticTransform(20.0, 2.0), T.RandomIoUCrop(),
        T.ScaleJitter((16, 20), (0.5, 1.5)), T.RandomShortestSize(9),
        T.RandomShortestSize([8, 10], 12), T.RandomResize(6, 12),
        T.RandomApply([T.Resize(8)], 0.6), T.RandomChoice([T.Resize(8), T.RGB()], [1, 3]),
        T.RandomOrder([T.Pad(1), T.CenterCrop(9), T.RandomHorizontalFlip()]), T.Identity(),
        T.Compose([T.RandomCrop(9), T.ToDtype(torch.float32, scale=True), T.ToPureTensor()]),
        T.ToDtype({kinds.Image: torch.float64, "others": None}, scale=True), T.ClampKeyPoints(),
        T.ClampBoundingBoxes(), T.ConvertBoundingBoxFormat("CXCYWH"), T.SetClampingMode(None),
        T.ConvertImageDtype(torch.float32),
    ]  # fmt: skip


def _photometric(T):
    """Transforms of pixels alone."""
    return [
        T.ColorJitter(0.4, (0.5, 1.5), 0.3, 0.1), T.ColorJitter(0.4), T.RandomGrayscale(0.5),
        T.Grayscale(3), T.RGB(), T.RandomPhotometricDistort(), T.RandomPhotometricDistort(p=1.0),
        T.RandomChannelPermutation(), T.GaussianBlur(3), T.GaussianBlur((3, 5), 1.5),
        T.GaussianNoise(), T.GaussianNoise(0.1, 0.05, False), T.RandomInvert(),
        T.RandomPosterize(3), T.RandomSolarize(0.6), T.RandomAdjustSharpness(1.7),
        T.RandomAutocontrast(), T.RandomEqualize(), T.RandomErasing(),
        T.RandomErasing(0.9, value="random"), T.RandomErasing(1, value=(1, 2, 3)),
    ]  # fmt: skip


def _seeded(torch, tv):
    out = []
    for index, transform in enumerate(_classes(tv.transforms.v2, torch, tv.tv_tensors)):
        given = sample(torch, tv)
        if "IoU" in repr(transform) or "Perspective" in repr(transform):
            given = {name: given[name] for name in ("image", "boxes", "mask", "labels")}
        out.append(repr(transform))
        for seed in range(3):
            torch.manual_seed(100 * index + seed)
            out += told(torch, transform(given))
            out.append(torch.rand(1))
    return out


def _seeded_pixels(torch, tv):
    out = []
    given = sample(torch, tv)
    given = {name: given[name] for name in ("image", "labels", "name")}
    picture = tv.transforms.v2.functional.to_pil_image(given["image"].as_subclass(torch.Tensor))
    for index, transform in enumerate(_photometric(tv.transforms.v2)):
        out.append(repr(transform))
        values = [(given, 5), (floats(torch, 3, 14, 17), 5)]
        if "Noise" not in repr(transform) and "Erasing" not in repr(transform):
            values += [(picture, 7)]
        for seed in range(3):
            torch.manual_seed(100 * index + seed)
            for value, _ in values:
                out += told(torch, transform(value))
            out.append(torch.rand(1))
    return out


def _batches(torch, tv):
    T, kinds, out = tv.transforms.v2, tv.tv_tensors, []
    images = floats(torch, 4, 3, 6, 7)
    labels = torch.tensor([2, 0, 1, 2])
    for transform in (T.MixUp(num_classes=3), T.CutMix(num_classes=3, alpha=0.5)):
        out.append(repr(transform))
        for seed in range(3):
            torch.manual_seed(seed)
            out += told(torch, transform(images, labels))
            out += told(torch, transform({"image": kinds.Image(images), "labels": labels}))
            out.append(torch.rand(1))
    return out


def _augmented(torch, tv):
    T, out = tv.transforms.v2, []
    made = [T.AutoAugment(policy) for policy in T.AutoAugmentPolicy]
    made += [T.RandAugment(3, 12), T.TrivialAugmentWide(fill=7.0), T.AugMix()]
    given = sample(torch, tv)
    picture = T.functional.to_pil_image(given["image"].as_subclass(torch.Tensor))
    for transform in made:
        out.append(repr(transform))
        for seed in range(4):
            torch.manual_seed(seed)
            out += told(torch, transform({k: given[k] for k in ("image", "labels")}))
            out += told(torch, [transform(picture), torch.rand(1)])
    return out


def _sanitized(torch, tv):
    T, out = tv.transforms.v2, []
    given = sample(torch, tv)
    boxes = given["boxes"].clone()
    boxes[1] = 0
    point = torch.tensor([[1.0, 2.0], [20.0, 3.0]])
    given = {
        "image": given["image"],
        "boxes": boxes,
        "mask": tv.tv_tensors.Mask(bytes_(torch, 3, 14, 17)),
        "Labels": given["labels"],
        "points": tv.tv_tensors.KeyPoints(point, canvas_size=(14, 17)),
    }
    for transform in (
        T.SanitizeBoundingBoxes(), T.SanitizeBoundingBoxes(min_area=40),
        T.SanitizeBoundingBoxes(labels_getter=None), T.SanitizeKeyPoints(),
        T.Lambda(lambda x: x[:1], tv.tv_tensors.Mask), T.ToPureTensor(),
        T.Compose([T.ToPILImage(), T.PILToTensor()]), T.Compose([T.ToPILImage(), T.ToImage()]),
    ):  # fmt: skip
        out += [repr(transform).replace("_sanitized.<locals>.", ""), *told(torch, transform(given))]
    normal = T.Compose([T.ToDtype(torch.float32, scale=True), T.Normalize([0.5] * 3, [0.2] * 3)])
    return [*out, repr(normal), *told(torch, normal(given))]


CASES["seeded"] = _seeded
CASES["seeded_pixels"] = _seeded_pixels
CASES["batches"] = _batches
CASES["augmented"] = _augmented
CASES["sanitized"] = _sanitized
