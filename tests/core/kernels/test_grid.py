"""Sampling: positions and sums are rounded as PyTorch rounds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau


def gradients(engine: Any, padding: str, mode: str) -> Any:
    drawn = np.random.default_rng(0)
    x = engine.tensor(drawn.standard_normal((2, 3, 4, 5, 6)).astype("f4")).requires_grad_()
    places = drawn.uniform(-1.3, 1.3, (2, 7, 8, 9, 3)).astype("f4")
    grid = engine.tensor(places).requires_grad_()
    sampled = engine.nn.functional.grid_sample(x, grid, mode, padding, align_corners=False)
    sampled.backward(engine.tensor(drawn.standard_normal((2, 3, 7, 8, 9)).astype("f4")))
    return x.grad, grid.grad


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_digits(mode: str, padding: str, oracle: Any) -> None:
    pairs = zip(gradients(flambeau, padding, mode), gradients(oracle, padding, mode), strict=True)
    for ours, theirs in pairs:
        same = ours.numpy() == theirs.numpy()
        assert same.mean() > 0.99
        assert np.abs(ours.numpy() - theirs.numpy()).max() < 1e-5


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_positions_on_large_images(mode: str, padding: str, oracle: Any) -> None:
    drawn = np.random.default_rng(1)
    x = drawn.standard_normal((1, 1, 345, 456)).astype("f4") * 4
    places = drawn.uniform(-1.1, 1.1, (1, 100, 90, 2)).astype("f4")
    ours, theirs = (
        engine.nn.functional.grid_sample(
            engine.from_numpy(x), engine.from_numpy(places), mode, padding, align_corners=False
        ).numpy()
        for engine in (flambeau, oracle)
    )
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(270, 270), (600, 700)])
def test_resized_large_images(mode: str, size: tuple[int, int], oracle: Any) -> None:
    x = np.random.default_rng(2).standard_normal((1, 1, 345, 456)).astype("f4") * 4
    ours, theirs = (
        engine.nn.functional.interpolate(engine.from_numpy(x), size=size, mode=mode).numpy()
        for engine in (flambeau, oracle)
    )
    assert np.abs(ours - theirs).max() < 2e-5
