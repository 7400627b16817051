"""Grids of affine maps: where the coordinates are pixels' own, their rounding decides the slope."""

from __future__ import annotations

import warnings

import pytest

import flambeau
import flambeau.nn.functional


@pytest.mark.parity
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [7, 12, 28])
def test_the_identity_maps_gradient(oracle, size, align_corners):
    def theta_grad(torch):
        torch.manual_seed(0)
        image, weight = torch.rand(2, 1, size, size), torch.rand(2, 1, size, size)
        theta = torch.eye(2, 3).repeat(2, 1, 1).requires_grad_()
        functional = torch.nn.functional
        grid = functional.affine_grid(theta, image.shape, align_corners=align_corners)
        out = functional.grid_sample(image, grid, align_corners=align_corners)
        (out * weight).sum().backward()
        return grid.detach().numpy(), theta.grad.numpy()

    (grid, grad), (their_grid, their_grad) = theta_grad(flambeau), theta_grad(oracle)
    assert (grid == their_grid).all()
    assert abs(grad - their_grad).max() <= 1e-5 * max(1, abs(their_grad).max())


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize(
    ("shape", "points"),
    [((0, 1, 3, 4), (0, 2, 2, 2)), ((2, 0, 3, 4), (2, 3, 4, 2)), ((1, 1, 3, 3), (1, 0, 2, 2))],
)
def test_samples_and_slopes_of_nothing(oracle, mode, shape, points):
    def run(torch, create_graph):
        image = torch.ones(shape, requires_grad=True)
        grid = torch.zeros(points, requires_grad=True)
        found = torch.nn.functional.grid_sample(image, grid, mode, align_corners=False)
        back = torch.autograd.grad(found.sum(), (image, grid), create_graph=create_graph)
        return [tuple(each.shape) for each in (found, *back)], [
            each.abs().sum().item() for each in back
        ]

    for create_graph in (False, True):
        assert run(flambeau, create_graph) == run(oracle, create_graph)


@pytest.mark.parametrize("size", [(1, 1, 2, 1), (1, 1, 1, 3), (1, 1, 2, 1, 3), (1, 1, 2, 2)])
def test_sides_of_one_pixel_are_warned_of(oracle, size):
    rows = len(size) - 2
    for engine in (flambeau, oracle):
        said = []
        for align_corners in (True, False):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                theta = engine.zeros(1, rows, rows + 1)
                engine.nn.functional.affine_grid(theta, size, align_corners=align_corners)
            said += ["documentation of affine_grid" in str(each.message) for each in caught]
        assert said == [True] * (1 in size[2:])
