"""Detectors against goldens that make_detection.py wrote under real torchvision."""

import json

import pytest

import flambeau as torch
from flambeau.vision import models
from flambeau.vision.models import detection
from flambeau.vision.models.detection import backbone_utils
from tests.vision.models.make_detection import CLASSES, GOLDENS, build, measure
from tests.vision.models.make_goldens import layout

WANTED = json.loads(GOLDENS.read_text())
# One of each kind; all were compared once so, with make_detection.py as it is.
KINDS = [
    "fasterrcnn_mobilenet_v3_large_320_fpn", "fcos_resnet50_fpn", "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2", "retinanet_resnet50_fpn_v2", "ssdlite320_mobilenet_v3_large",
]  # fmt: skip


def close(got, wanted, rtol, atol=0.0):
    got, wanted = (torch.tensor(v, dtype=torch.float64) for v in (got, wanted))
    assert got.shape == wanted.shape
    torch.testing.assert_close(got, wanted, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_layout_and_parameters(name):
    with torch.device("meta"):
        model = build(models, name)
    assert layout(model) == WANTED[name]["layout"]
    assert sum(p.numel() for p in model.parameters()) == WANTED[name]["parameters"]


@pytest.mark.parametrize("name", KINDS)
def test_draws_detections_and_losses(name):
    wanted, found = WANTED[name], measure(torch, models, name)
    assert found["after"] == wanted["after"]
    assert found["drawn"] == pytest.approx(wanted["drawn"], rel=1e-6)
    for got, each in zip(found["eval"], wanted["eval"]):
        assert got["count"] == each["count"]
        assert got["labels"] == each["labels"]
        for key in each.keys() - {"count", "labels"}:
            close(got[key], each[key], 1e-4, 1e-3 if key in ("boxes", "keypoints") else 1e-6)
    assert list(found["losses"]) == list(wanted["losses"])
    close(list(found["losses"].values()), list(wanted["losses"].values()), 2e-4)


def test_every_detector_is_known():
    assert models.list_models(detection) == sorted(WANTED)
    weights = detection.FasterRCNN_ResNet50_FPN_Weights.DEFAULT
    assert (len(weights.meta["categories"]), weights.meta["categories"][1]) == (91, "person")
    image = torch.zeros(3, 4, 5, dtype=torch.uint8)
    assert weights.transforms()(image).dtype is torch.float32


@pytest.fixture(scope="module")
def small():
    return build(models, "ssdlite320_mobilenet_v3_large").train()


def test_what_detectors_refuse(small):
    image, box = torch.rand(3, 40, 50), [1.0, 2.0, 9.0, 8.0]
    label = torch.tensor([1])
    for error, targets in (
        (AssertionError, None),
        (AssertionError, [{"boxes": [box], "labels": label}]),
        (AssertionError, [{"boxes": torch.tensor([box + box]), "labels": label}]),
        (AssertionError, [{"boxes": torch.tensor([[5.0, 5, 5, 9]]), "labels": label}]),
    ):
        with pytest.raises(error):
            small([image], targets)
    with pytest.raises(ValueError, match="3d"):
        small.eval()([image[None]])
    with pytest.raises(TypeError, match="floating"):
        small([image.byte()])
    with pytest.raises(ValueError, match="out_channels"):
        detection.FasterRCNN(small.backbone, 2)
    with pytest.raises(ValueError, match="out_channels"):
        detection.RetinaNet(torch.nn.Identity(), CLASSES)


def test_images_without_objects_are_trained_on(small):
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    losses = small.train()([torch.rand(3, 40, 50), torch.rand(3, 50, 40)], [nothing] * 2)
    assert losses["bbox_regression"] == 0
    assert losses["classification"] == 0


def test_changing_the_backbones_layers_needs_trained_weights():
    with pytest.warns(UserWarning, match="no effect"):
        models.get_model(
            "ssdlite320_mobilenet_v3_large",
            weights=None,
            weights_backbone=None,
            trainable_backbone_layers=2,
        )


@pytest.mark.parametrize("old", [{"pretrained": False}, {"weights": False}])
def test_a_backbone_is_asked_for_in_old_forms(old):
    with pytest.warns(UserWarning, match="deprecated since 0.13"):
        made = backbone_utils.resnet_fpn_backbone("resnet18", **old, trainable_layers=1)
    names = {name for name, p in made.named_parameters() if p.requires_grad}
    assert any("layer4" in name for name in names) and not any("layer3" in name for name in names)


def test_a_backbone_by_keywords_says_nothing():
    made = backbone_utils.resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    assert made.out_channels == 256
