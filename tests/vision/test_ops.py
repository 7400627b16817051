"""Boxes and losses against torchvision's own results, gradients included."""

import pytest

import flambeau as torch
from flambeau.vision import ops
from tests.vision.cases.ops import CASES
from tests.vision.check import check


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("ops", name, CASES[name])


def test_errors_are_torchvisions_types():
    boxes = torch.rand(3, 4)
    with pytest.raises(ValueError, match="formats"):
        ops.box_convert(boxes, "xyxy", "yxyx")
    with pytest.raises(RuntimeError, match="scores"):
        ops.nms(boxes, torch.rand(2), 0.5)
    with pytest.raises(ValueError, match="reduction"):
        ops.generalized_box_iou_loss(boxes, boxes, reduction="median")
