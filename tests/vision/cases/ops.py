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


def regions(torch, n=9):
    """Rows of (image, box), some of them beyond the edges and some of no size."""
    rows = some_boxes(torch, n, 3) - 4
    rows[0, 2:] = rows[0, :2]
    return torch.cat(((torch.arange(n) % 2)[:, None].float(), rows), 1)


def with_gradient(inputs, call, *options):
    """The output and the gradients of a weighed sum of it."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = call(*leaves, *options)
    (out * (out.detach() * 0 + 1).cumsum(-1)).sum().backward()
    return [out, *(x.grad for x in leaves)]


@case
def regions_pooled(torch, tv):
    ops, rows = tv.ops, regions(torch)
    x, deep = floats(torch, 2, 3, 15, 17), floats(torch, 2, 12, 15, 17)
    out = []
    for ratio in (-1, 2):
        for aligned in (False, True):
            out += with_gradient([x], ops.roi_align, rows, (2, 3), 0.7, ratio, aligned)
        out += with_gradient([deep], ops.ps_roi_align, rows, 2, 0.7, ratio)
    out += with_gradient([x], ops.roi_pool, rows, (3, 2), 0.7)
    # At the far edges torchvision divides the gradient by another count than the mean.
    inner = rows.clone()
    inner[:, 1:] = rows[:, 1:].clamp(1, 18)
    out += [ops.ps_roi_pool(deep, rows, 2, 0.7)]
    out += with_gradient([deep], ops.ps_roi_pool, inner, 2, 0.7)
    out += [ops.roi_align(x, [rows[:2, 1:], rows[2:5, 1:]], 2), ops.roi_pool(x, rows[:0], 2)]
    layers = [
        ops.RoIAlign(3, 0.5, 2, True),
        ops.RoIPool((2, 3), 0.5),
        ops.PSRoIAlign(2, 1.0, 2),
        ops.PSRoIPool(2, 1.0),
    ]
    for layer in layers:
        out += [layer(deep, rows), repr(layer)]
    return out


def deform(x, offset, weight, bias, mask, ops, *options):
    return ops.deform_conv2d(x, offset, weight, bias, *options, mask)


@case
def deformed(torch, tv):
    ops, out = tv.ops, []
    for groups, parts, stride, pad, step in ((1, 1, 1, 0, 1), (2, 2, 2, 1, 2)):
        x, weight = floats(torch, 2, 4, 9, 8) - 0.5, floats(torch, 6, 4 // groups, 3, 2) - 0.5
        size = ((9 + 2 * pad - step * 2 - 1) // stride + 1, (8 + 2 * pad - step - 1) // stride + 1)
        offset = floats(torch, 2, 12 * parts, *size, seed=1) * 5 - 2.5
        mask, bias = floats(torch, 2, 6 * parts, *size, seed=2), floats(torch, 6, seed=3)
        inputs = [x, offset, weight, bias, mask]
        out += with_gradient(inputs, deform, ops, stride, pad, step)
    torch.manual_seed(0)
    layer = ops.DeformConv2d(4, 6, (3, 2), stride=2, padding=1, dilation=2, groups=2)
    return [*out, repr(layer), layer(x, offset), layer(x, offset, mask)]


@case
def pyramids(torch, tv):
    ops, out = tv.ops, []
    maps = {"a": floats(torch, 1, 3, 16, 16), "b": floats(torch, 1, 4, 8, 8)}
    module = tv.ops.feature_pyramid_network
    torch.manual_seed(1)
    for extra in (None, module.LastLevelMaxPool(), module.LastLevelP6P7(4, 5)):
        pyramid = ops.FeaturePyramidNetwork([3, 4], 5, extra)
        found = pyramid(maps)
        out += [list(found), *found.values(), list(pyramid.state_dict())]
    pool = ops.MultiScaleRoIAlign(["a", "b"], 3, 2, canonical_scale=16, canonical_level=2)
    same = {"a": maps["a"], "b": floats(torch, 1, 3, 8, 8)}
    return [*out, repr(pool), pool(same, [some_boxes(torch, 7) * 1.5], [(64, 64)])]


@case
def blocks_dropped(torch, tv):
    ops, out = tv.ops, []
    for p, block in ((0.3, 3), (0.2, 5), (0.1, 1)):
        torch.manual_seed(4)
        out.append(ops.drop_block2d(floats(torch, 2, 3, 9, 8), p, block))
        out.append(ops.drop_block3d(floats(torch, 1, 2, 5, 6, 7), p, block))
    layer = ops.DropBlock3d(0.1, 3)
    x = floats(torch, 1, 2, 5, 6, 7)
    return [*out, repr(layer), repr(ops.DropBlock2d(0.1, 3)), layer.eval()(x), layer.train()(x)]


@case
def layers(torch, tv):
    ops = tv.ops
    torch.manual_seed(2)
    made = [
        ops.Conv2dNormActivation(3, 4, (3, 5), stride=2),
        ops.SqueezeExcitation(3, 2),
        ops.FrozenBatchNorm2d(3),
        ops.Permute([0, 2, 3, 1]),
        ops.MLP(7, [5, 4], torch.nn.LayerNorm, dropout=0.3),
        ops.StochasticDepth(0.5, "row"),
    ]
    volume = ops.Conv3dNormActivation(2, 3)
    x = floats(torch, 2, 3, 6, 7)
    out = [volume(floats(torch, 2, 2, 4, 4, 4)), repr(volume)]
    for layer in made:
        out += [layer(x), repr(layer), list(layer.state_dict())]
    return out
