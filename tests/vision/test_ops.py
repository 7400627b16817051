"""Boxes and losses against torchvision's own results, gradients included."""

import pytest

import flambeau as torch
from flambeau import fx
from flambeau.vision import ops
from flambeau.vision.ops._utils import split_normalization_params
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


@pytest.mark.parametrize("layer", [ops.RoIAlign(2, 0.5, 2), ops.RoIPool(2, 0.5)])
def test_a_tracer_notes_a_pooling_of_regions_as_one_call(layer):
    traced = fx.symbolic_trace(layer)
    calls = [node.target for node in traced.graph.nodes if node.op == "call_function"]
    assert [each.__name__ for each in calls] == [type(layer).function.__name__]
    image, boxes = torch.rand(1, 3, 8, 8), [torch.tensor([[0.0, 0.0, 6.0, 6.0]])]
    assert torch.equal(traced(image, boxes), layer(image, boxes))


def test_quantised_images_and_boxes_are_read_as_their_numbers():
    image, corners = torch.rand(1, 2, 8, 8), torch.tensor([[0.0, 1.0, 1.0, 7.0, 6.0]])
    quantised, boxes = (
        torch.quantize_per_tensor(t, 0.5, 3, torch.quint8) for t in (image, corners)
    )
    found = ops.roi_align(quantised, boxes, 3)
    want = ops.roi_align(quantised.dequantize(), boxes.dequantize(), 3)
    assert found.q_scale() == 0.5 and found.q_zero_point() == 3
    assert torch.equal(found, torch.quantize_per_tensor(want, 0.5, 3, torch.quint8))
    corners, scores = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 7, 7]]), torch.rand(3)
    both = [torch.quantize_per_tensor(t, 0.25, 0, torch.quint8) for t in (corners, scores)]
    assert torch.equal(ops.nms(*both, 0.5), ops.nms(*(t.dequantize() for t in both), 0.5))


@pytest.mark.parametrize(
    "loss",
    [ops.generalized_box_iou_loss, ops.distance_box_iou_loss, ops.complete_box_iou_loss],
)
def test_losses_of_16_bit_boxes_do_not_overflow(loss):
    first, second = torch.tensor([[0.0, 0, 900, 800]]), torch.tensor([[10.0, 20, 900, 700]])
    found = loss(first.half(), second.half())
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, loss(first, second))


def test_a_deformable_convolution_takes_no_images_and_strided_offsets():
    weight = torch.rand(4, 3, 3, 2)
    offset = torch.rand(2, 5, 6, 12).permute(0, 3, 1, 2)
    image = torch.rand(2, 3, 7, 7)
    found = ops.deform_conv2d(image, offset, weight)
    assert torch.equal(found, ops.deform_conv2d(image, offset.contiguous(), weight))
    assert ops.deform_conv2d(image[:0], offset[:0], weight).shape == (0, 4, 5, 6)


def test_parameters_of_norms_are_split_from_the_rest():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3), torch.nn.ReLU())
    model[0].bias.requires_grad_(False)
    norms, others = split_normalization_params(model)
    assert norms == list(model[1].parameters()) and others == [model[0].weight]
    with pytest.raises(ValueError, match="subclasses"):
        split_normalization_params(model, [int])
