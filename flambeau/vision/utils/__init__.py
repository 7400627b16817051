"""Batches as one picture, and pictures with boxes, masks, keypoints and flow on them."""

from flambeau.vision.utils.draw import (
    draw_bounding_boxes,
    draw_keypoints,
    draw_segmentation_masks,
)
from flambeau.vision.utils.flow import flow_to_image
from flambeau.vision.utils.grid import make_grid, save_image

__all__ = [
    "draw_bounding_boxes",
    "draw_keypoints",
    "draw_segmentation_masks",
    "flow_to_image",
    "make_grid",
    "save_image",
]
