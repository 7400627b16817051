"""Writes detection.json; run under real torchvision: ``python -m tests.vision.models.make_detection``.

With names of models it measures those alone and keeps the others.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.vision.models.make_goldens import TABLE, layout

GOLDENS = Path(__file__).with_name("detection.json")
CLASSES = 4


def build(models, name):
    """A model of few classes on small images."""
    options = {} if name.startswith("ssd") else {"min_size": 96, "max_size": 160}
    if "rcnn" in name:  # few regions: what is done with each of them is the same
        options |= {"box_detections_per_img": 8, "box_batch_size_per_image": 16}
        options |= {f"rpn_post_nms_top_n_{when}": 40 for when in ("train", "test")}
    return models.get_model(
        name, weights=None, weights_backbone=None, num_classes=CLASSES, **options
    )


def fill(torch, model):
    """The same state in every engine, of the scale of first weights.

    Not by a table that wraps round: images and regions have to differ for scores to.
    """
    for index, (name, value) in enumerate(model.state_dict().items()):
        if not value.is_floating_point():
            continue
        size = value.numel()
        draw = np.random.default_rng(index).standard_normal(size, dtype=np.float32)
        if value.ndim > 1:
            fan = size / value.shape[0]
            last = name.endswith(("cls_score.weight", "cls_logits.weight"))
            array = draw * np.float32((0.5 if last else 1.0) / fan**0.5)
        elif name.endswith("running_var"):
            array = 1 + 0.1 * np.abs(draw)
        elif name.endswith("scale_weight"):
            array = 20 + draw
        else:
            norm = name.endswith("weight")
            array = norm + 0.05 * draw
        with torch.no_grad():
            value.copy_(torch.from_numpy(array.reshape(tuple(value.shape)).astype(np.float32)))


def samples(torch, name):
    """Two images of different sizes and what is in them."""
    images, targets = [], []
    for i, (height, width) in enumerate(((70, 90), (110, 80))):
        values = np.resize(TABLE[1000 * i :], 3 * height * width).reshape(3, height, width)
        images.append(torch.from_numpy(1 / (1 + np.exp(-values))))
        boxes = torch.tensor([[5.0, 8.0, 45.0, 60.0], [30.0, 20.0, 76.0, 66.0]][: 2 - i])
        target = {"boxes": boxes, "labels": torch.tensor([1, 3][: 2 - i])}
        if name.startswith("maskrcnn"):
            masks = torch.zeros((len(boxes), height, width), dtype=torch.uint8)
            for mask, (left, top, right, bottom) in zip(masks, boxes.int().tolist()):
                mask[top:bottom, left : (left + right) // 2] = 1
            target["masks"] = masks
        if name.startswith("keypoint"):
            share = torch.from_numpy(np.random.default_rng(i).random((len(boxes), 17, 3)))
            share = share.float()
            points = boxes[:, None, :2] + share[..., :2] * (boxes[:, 2:] - boxes[:, :2])[:, None]
            target["keypoints"] = torch.cat([points, (share[..., 2:] > 0.3).float()], dim=-1)
            target["labels"] = torch.ones_like(target["labels"])
        targets.append(target)
    return images, targets


def rounded(tensor):
    return [float(f"{v:.7g}") for v in tensor.detach().double().flatten().tolist()]


def told(torch, found):
    """What is compared of one image's detections: all scores, some places."""
    out = {"count": len(found["scores"]), "scores": rounded(found["scores"][:20])}
    out["labels"] = found["labels"][:20].tolist()
    out["boxes"] = rounded(found["boxes"][:8])
    if "masks" in found:
        out["masks"] = rounded(found["masks"][:8].mean(dim=(1, 2, 3)))
    if "keypoints" in found:
        out["keypoints"] = rounded(found["keypoints"][:3])
        out["keypoints_scores"] = rounded(found["keypoints_scores"][:3])
    return out


def measure(torch, models, name):
    """Everything that is compared of one model."""
    torch.manual_seed(0)
    model = build(models, name)
    drawn = sum(p.detach().double().abs().sum().item() for p in model.parameters())
    out = {"after": torch.rand(3).tolist(), "drawn": drawn, "layout": layout(model)}
    out["parameters"] = sum(p.numel() for p in model.parameters())
    fill(torch, model)
    images, targets = samples(torch, name)
    with torch.no_grad():
        out["eval"] = [told(torch, found) for found in model.eval()(images)]
        torch.manual_seed(0)
        model.train()
        for module in model.modules():  # a small batch's statistics would make rounding grow
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        losses = model(images, targets)
    out["losses"] = {key: value.item() for key, value in losses.items()}
    return out


if __name__ == "__main__":
    import torch
    from torchvision import models

    goldens = json.loads(GOLDENS.read_text()) if GOLDENS.exists() else {}
    for name in sys.argv[1:] or models.list_models(models.detection):
        goldens[name] = measure(torch, models, name)
        counts = [found["count"] for found in goldens[name]["eval"]]
        print(name, counts, goldens[name]["eval"][0]["scores"][:3], goldens[name]["losses"])
    rows = (f'"{name}":{json.dumps(row)}' for name, row in sorted(goldens.items()))
    GOLDENS.write_text("{" + ",\n".join(rows) + "}\n")
