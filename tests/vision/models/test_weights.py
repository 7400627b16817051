"""Trained weights by name, the old ways of asking for them, and what they say of themselves.

Nothing is fetched: the folder of downloads holds files that the tests write.
"""

import warnings

import pytest

import flambeau as torch
from flambeau.vision import models, transforms


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Where checkpoints are looked for, as a function that puts a model's there; every file has
    the digest that its name says.
    """
    monkeypatch.setattr(torch.hub, "digest", lambda path: path.rpartition("-")[2])
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    (tmp_path / "checkpoints").mkdir()

    def put(weights, model):
        name = weights.url.rpartition("/")[2]
        torch.save(model.state_dict(), tmp_path / "checkpoints" / name)
        return model.state_dict()

    yield put
    torch.hub.set_dir(before)


def same(model, state):
    return all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_weights_by_member_name_and_string(downloads):
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    assert weights is models.get_weight("SqueezeNet1_1_Weights.IMAGENET1K_V1")
    assert weights in models.get_model_weights("squeezenet1_1")
    assert models.get_model_weights(models.squeezenet1_1) is models.SqueezeNet1_1_Weights
    state = downloads(weights, models.squeezenet1_1())
    for given in (weights, "DEFAULT", "SqueezeNet1_1_Weights.IMAGENET1K_V1"):
        assert same(models.get_model("squeezenet1_1", weights=given), state)


def test_the_old_ways_of_asking(downloads):
    build = models.squeezenet1_1
    state = downloads(models.SqueezeNet1_1_Weights.DEFAULT, build())
    for args, kwargs, words in (
        ((True,), {}, ["by position", "IMAGENET1K_V1"]),
        ((True, False), {}, ["'weights', 'progress' by position", "IMAGENET1K_V1"]),
        ((), {"pretrained": True}, ["'pretrained' is deprecated", "IMAGENET1K_V1"]),
        ((), {"weights": True}, ["IMAGENET1K_V1"]),
        ((models.SqueezeNet1_1_Weights.DEFAULT,), {}, ["by position"]),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert same(build(*args, **kwargs), state)
        assert [w.category for w in caught] == [UserWarning] * len(words)
        assert all(word in str(w.message) for word, w in zip(words, caught))
        assert all(w.filename == __file__ for w in caught)
    with pytest.warns(UserWarning):
        assert build(False, num_classes=7).num_classes == 7
    with pytest.warns(UserWarning):
        assert not same(build(pretrained=False), state)


def test_a_backbone_by_itself(downloads):
    state = downloads(models.MobileNet_V3_Large_Weights.IMAGENET1K_V1, models.mobilenet_v3_large())
    build = models.segmentation.lraspp_mobilenet_v3_large
    model = build(num_classes=3)
    found = model.backbone.state_dict()
    assert all(torch.equal(v, state[f"features.{k}"]) for k, v in found.items())
    with pytest.warns(UserWarning, match="backbone"):
        bare = build(pretrained_backbone=False, num_classes=3)
    assert not torch.equal(bare.backbone["0"][0].weight, model.backbone["0"][0].weight)


def test_what_weights_do_not_fit_is_refused():
    with pytest.raises(TypeError, match="ResNet18_Weights"):
        models.resnet18(weights=models.AlexNet_Weights.DEFAULT)
    with pytest.raises(ValueError, match="num_classes=1000"):
        models.resnet18(weights="DEFAULT", num_classes=10)
    with pytest.raises(ValueError, match="aux_loss=True"):
        models.segmentation.fcn_resnet50(weights="DEFAULT", aux_loss=False)
    with pytest.raises(KeyError):
        models.resnet18(weights="NO")
    with pytest.raises(KeyError):
        models.get_weight("ResNet18_Weights.NO")
    with pytest.raises(ValueError, match="Nothing"):
        models.get_weight("Nothing")
    with pytest.raises(TypeError, match="by position"):
        models.resnet18(False, True, 5)
    with pytest.raises(TypeError, match="pretrained"):
        models.resnet18(weights=None, pretrained=True)


def test_weights_tell_their_classes_and_make_their_transform():
    weights = models.EfficientNet_B0_Weights.DEFAULT
    assert len(weights.meta["categories"]) == 1000
    assert weights.meta["categories"][:2] == ["tench", "goldfish"]
    assert models.segmentation.FCN_ResNet50_Weights.DEFAULT.meta["categories"][15] == "person"
    assert repr(weights.transforms()) == (
        "ImageClassification(\n    crop_size=[224]\n    resize_size=[256]\n"
        "    mean=[0.485, 0.456, 0.406]\n    std=[0.229, 0.224, 0.225]\n"
        "    interpolation=InterpolationMode.BICUBIC\n)"
    )
    image = torch.randint(0, 256, (3, 30, 40), dtype=torch.uint8)
    F = transforms.functional
    found = weights.transforms(crop_size=16, resize_size=20)(image)
    resized = F.center_crop(F.resize(image, [20], F.InterpolationMode.BICUBIC), [16])
    normal = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    assert torch.equal(found, F.normalize(resized / 255, *normal))
    segments = models.segmentation.FCN_ResNet50_Weights.DEFAULT.transforms(resize_size=None)
    assert torch.equal(segments(image), F.normalize(image / 255, *normal))


def test_the_old_place_of_weights_is_known():
    from flambeau.vision import models
    from flambeau.vision.models import _api

    assert all(getattr(_api, name) is getattr(models, name) for name in _api.__all__
               if hasattr(models, name))  # fmt: skip
    assert issubclass(models.EfficientNet_B0_Weights, _api.WeightsEnum)
    assert _api.get_model("resnet18", weights=None).fc.out_features == 1000
