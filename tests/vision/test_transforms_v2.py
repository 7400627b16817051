"""transforms.v2 and tv_tensors against torchvision's own results."""

import copy

import pytest

import flambeau as torch
from flambeau.vision import tv_tensors
from flambeau.vision.transforms import v2
from tests.vision.cases.transforms_v2 import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")

F = v2.functional
# AugMix sums float32 shares that make up 1 and cuts the sum to bytes: where all chains agree it is
# the byte or one less. Sharpness rounds once where torchvision's last few pixels are rounded twice.
TIES = {"augmented": 1e-2, "seeded_pixels": 2e-3}


@pytest.mark.filterwarnings("ignore:ToDtype. scale was set:UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("transforms_v2", name, CASES[name], ties=TIES.get(name, 0.0))


def boxes(**changed):
    options = {"format": "XYXY", "canvas_size": (10, 12), **changed}
    return tv_tensors.BoundingBoxes([[1, 2, 3, 4]], **options)


def test_what_keeps_its_meaning():
    image = tv_tensors.Image(torch.zeros(3, 4, 5))
    for kept in (image.clone(), image.to(torch.float64), image.detach(), image.requires_grad_()):
        assert type(kept) is tv_tensors.Image
    for lost in (image + 1, image[0], torch.clone(image), torch.stack([image])):
        assert type(lost) is torch.Tensor
    with tv_tensors.set_return_type("TVTensor"):
        assert type(image + 1) is tv_tensors.Image
        assert boxes()[:, :2].canvas_size == (10, 12)
        assert [type(each) for each in boxes().unbind()] == [tv_tensors.BoundingBoxes]
    assert type(image + 1) is torch.Tensor
    assert copy.deepcopy(boxes()).format is tv_tensors.BoundingBoxFormat.XYXY
    assert repr(boxes()) == (
        "BoundingBoxes([[1, 2, 3, 4]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 12), "
        "clamping_mode=soft)"
    )
    wrapped = tv_tensors.wrap(torch.zeros(2, 4), like=boxes(), format="XYWH")
    assert (wrapped.format.value, wrapped.canvas_size) == ("XYWH", (10, 12))


def test_what_is_no_tensor_of_a_meaning():
    for error, make in (
        (ValueError, lambda: tv_tensors.Image(torch.zeros(2))),
        (ValueError, lambda: tv_tensors.Video(torch.zeros(2, 2))),
        (ValueError, lambda: tv_tensors.BoundingBoxes(torch.zeros(1, 1, 4), format="XYXY",
                                                      canvas_size=(1, 1))),
        (KeyError, lambda: boxes(format="corners")),
        (ValueError, lambda: boxes(clamping_mode="strict")),
        (ValueError, lambda: boxes(format="XYWHR")),
        (ValueError, lambda: tv_tensors.KeyPoints(torch.zeros(1, 3), canvas_size=(1, 1))),
        (ValueError, lambda: tv_tensors.set_return_type("array")),
    ):  # fmt: skip
        with pytest.raises(error):
            make()


class Sound(tv_tensors.TVTensor):
    pass


def test_kernels_of_the_users():
    sound = torch.zeros(3).as_subclass(Sound)
    assert v2.RandomHorizontalFlip(1.0)(sound) is sound
    with pytest.raises(TypeError, match="register_kernel"):
        F.horizontal_flip(sound)

    @F.register_kernel(F.horizontal_flip, Sound)
    def backwards(inpt):
        return tv_tensors.wrap(inpt.flip(-1) + 1, like=inpt)

    assert v2.RandomHorizontalFlip(1.0)(sound).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="already"):
        F.register_kernel(F.horizontal_flip, Sound)
    with pytest.raises(ValueError, match="builtin"):
        F.register_kernel(F.vertical_flip, tv_tensors.Image)
    with pytest.raises(TypeError):
        F.adjust_brightness(tv_tensors.Mask(torch.zeros(2, 2)), 1.0)


def test_errors_are_torchvisions_types():
    image, mask = tv_tensors.Image(torch.zeros(3, 6, 6)), tv_tensors.Mask(torch.zeros(6, 6))
    for error, run in (
        (TypeError, lambda: v2.Compose(v2.ToImage())),
        (ValueError, lambda: v2.Compose([])),
        (ValueError, lambda: v2.RandomHorizontalFlip(2)),
        (ValueError, lambda: v2.RandomCrop(9)(image)),
        (ValueError, lambda: v2.Resize(None)),
        (ValueError, lambda: v2.CenterCrop([1, 2, 3])),
        (ValueError, lambda: v2.RandomCrop(3)(image, boxes())),
        (TypeError, lambda: v2.FiveCrop(3)(image, mask)),
        (TypeError, lambda: v2.RandomIoUCrop()(image)),
        (TypeError, lambda: v2.AutoAugment()(image, mask)),
        (ValueError, lambda: v2.MixUp()(torch.zeros(2, 3, 4, 4), torch.tensor([0, 1]))),
        (ValueError, lambda: v2.CutMix(num_classes=2)(torch.zeros(3, 4, 4), torch.tensor([0, 1]))),
        (ValueError, lambda: v2.SanitizeBoundingBoxes()({"boxes": boxes()})),
        (ValueError, lambda: v2.SanitizeBoundingBoxes(min_size=0)),
        (ValueError, lambda: v2.ClampBoundingBoxes("no")(boxes())),
        (ValueError, lambda: v2.Pad(1.5)),
        (ValueError, lambda: v2.ToDtype("float")),
        (ValueError, lambda: v2.GaussianBlur(4)),
        (ValueError, lambda: F.pad(boxes(), 2, padding_mode="reflect")),
        (ValueError, lambda: F.convert_bounding_box_format(boxes(), "XYXY", "XYWH")),
        (ValueError, lambda: F.convert_bounding_box_format(boxes(), new_format="XYWHR")),
        (ValueError, lambda: F.clamp_bounding_boxes(torch.zeros(1, 4))),
        (ValueError, lambda: F.gaussian_noise(image.to(torch.int32))),
    ):  # fmt: skip
        with pytest.raises(error):
            run()
    with pytest.warns(UserWarning, match="deprecated"):
        v2.ToTensor()
    with pytest.warns(UserWarning, match="passing through"):
        v2.RandomErasing(1.0)(image, mask)


def test_jpeg_loses_little():
    torch.manual_seed(0)
    ramp = (torch.arange(24 * 32).view(1, 24, 32) // 4).to(torch.uint8).expand(3, -1, -1)
    image = tv_tensors.Image(ramp)
    out = v2.JPEG((80, 90))({"image": image})["image"]
    assert type(out) is tv_tensors.Image
    assert (out.float() - ramp.float()).abs().mean() < 3
    assert not torch.equal(F.jpeg(image, 5), ramp)
