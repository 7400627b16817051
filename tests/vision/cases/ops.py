"""torchvision.ops: boxes and detection's losses, with gradients."""

from tests.vision.cases.utils import floats

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def some_boxes(torch, n, seed=0):
    low, edges = floats(torch, n, 2, seed=seed) * 20, floats(torch, n, 2, seed=seed + 9) * 15 + 1
    return torch.cat((low, low + edges), dim=1)


@case
def boxes(torch, tv):
    ops = tv.ops
    a, b = some_boxes(torch, 7), some_boxes(torch, 5, 1)
    formats = ("xyxy", "xywh", "cxcywh")
    out = [ops.box_convert(a, i, o) for i in formats for o in formats]
    out += [ops.box_area(a), ops.box_area(a.int()), ops.box_area(a, fmt="xywh")]
    for f in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou):
        out += [f(a, b), f(a.int(), b.int())]
    out += [ops.box_iou(a, b, fmt="cxcywh"), ops.remove_small_boxes(a, 6.0)]
    out += [
        ops.clip_boxes_to_image(a - 3, (12, 15)),
        ops.masks_to_boxes(floats(torch, 3, 9, 8) > 0.9),
    ]
    return out


@case
def suppression(torch, tv):
    a, scores = some_boxes(torch, 60), floats(torch, 60, seed=4)
    kinds = (scores * 1000).long() % 3
    out = [tv.ops.nms(a, scores, t) for t in (0.1, 0.3, 0.7)]
    out += [tv.ops.nms(a, (scores * 4).round(), 0.3), tv.ops.nms(a[:0], scores[:0], 0.3)]
    return out + [tv.ops.batched_nms(a, scores, kinds, 0.3)]


@case
def losses(torch, tv):
    out = []
    for name in ("generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"):
        for reduction in ("none", "mean", "sum"):
            a = some_boxes(torch, 6).requires_grad_()
            loss = getattr(tv.ops, name)(a, some_boxes(torch, 6, 1), reduction)
            loss.sum().backward()
            out += [loss, a.grad]
    for alpha, gamma in ((0.25, 2), (-1, 1.5)):
        x = (floats(torch, 4, 5) * 6 - 3).requires_grad_()
        loss = tv.ops.sigmoid_focal_loss(
            x, (floats(torch, 4, 5, seed=2) > 0.6).float(), alpha, gamma, "sum"
        )
        loss.backward()
        out += [loss, x.grad]
    return out
