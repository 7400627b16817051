"""torchvision.utils: each case takes (torch, torchvision) and gives what both must agree on."""

import numpy as np

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def floats(torch, *shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape, dtype=np.float32))


def bytes_(torch, *shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


BOXES = [[2, 3, 20, 22], [10, 5, 30, 28], [0, 0, 6, 6]]


@case
def grid(torch, tv):
    x = floats(torch, 7, 3, 4, 5)
    make = tv.utils.make_grid
    return [
        make(x),
        make(x, nrow=3, padding=1, pad_value=0.5),
        make(x * 4 - 2, normalize=True),
        make(x, normalize=True, value_range=(0.2, 0.6)),
        make(x, normalize=True, scale_each=True, nrow=2),
        make(x[:, :1], padding=0),
        make(list(x[:2])),
        make(x[0, 0]),
        make(x[0]),
        make(bytes_(torch, 3, 3, 2, 2), pad_value=9),
    ]


@case
def boxes(torch, tv):
    draw = tv.utils.draw_bounding_boxes
    image, where = bytes_(torch, 3, 32, 40), torch.tensor(BOXES)
    return [
        draw(image, where),
        draw(image, where.float(), colors="red", width=2),
        draw(image, where, colors=["blue", "#FF00FF", (1, 2, 3)], fill=True),
        draw(image[:1], where, labels=["a", None, "bc"]),
        draw(image, where, labels=["a", "b", "c"], fill_labels=True),
        draw(
            image,
            where,
            labels=["a", "b", "c"],
            label_colors="white",
            fill_labels=True,
            label_background_colors="green",
        ),
        draw(floats(torch, 3, 32, 40), where),
    ]


@case
def masks(torch, tv):
    draw = tv.utils.draw_segmentation_masks
    where = floats(torch, 3, 9, 8) < 0.3
    return [
        draw(bytes_(torch, 3, 9, 8), where),
        draw(bytes_(torch, 3, 9, 8), where, alpha=0.3, colors="red"),
        draw(floats(torch, 3, 9, 8), where[0], colors=[(5, 6, 7)]),
    ]


@case
def keypoints(torch, tv):
    draw = tv.utils.draw_keypoints
    image = bytes_(torch, 3, 32, 40)
    points = floats(torch, 2, 4, 2) * 30
    seen = torch.tensor([[1, 1, 0, 1], [1, 1, 1, 1]])
    return [
        draw(image, points, colors="red"),
        draw(image, points, [(0, 1), (1, 2), (2, 3)], radius=3, width=2),
        draw(image, points, [(0, 1), (1, 2)], colors=(9, 8, 7), visibility=seen[..., None]),
        draw(floats(torch, 3, 32, 40), points),
    ]


@case
def flow(torch, tv):
    field = floats(torch, 2, 2, 12, 13) * 6 - 3
    return [tv.utils.flow_to_image(field), tv.utils.flow_to_image(field[0])]
