"""Images of bytes resampled in fixed point: every pixel as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

SIZES = [((4, 4), (3, 3)), ((5, 7), (9, 4)), ((8, 8), (5, 5)), ((4, 4), (9, 9))]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("corners", [False, True])
def test_bytes(oracle: Any, mode: str, corners: bool, antialias: bool) -> None:
    draw = np.random.default_rng(0)
    for size, out in SIZES:
        for channels in (1, 3):
            pixels = draw.integers(0, 256, (2, channels, *size)).astype(np.uint8)
            named = {"mode": mode, "align_corners": corners, "antialias": antialias}
            mine = flambeau.nn.functional.interpolate(flambeau.from_numpy(pixels), out, **named)
            theirs = oracle.nn.functional.interpolate(oracle.from_numpy(pixels), out, **named)
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), f"{size} to {out}")
