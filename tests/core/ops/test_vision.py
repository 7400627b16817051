"""Resampling of images: what it saves, and how its gradient lies in memory."""

import pytest

import flambeau as torch


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_interpolating_keeps_no_input_and_lays_its_gradient_as_what_arrives(oracle, mode):
    strides = []
    for engine in (torch, oracle):
        for last in (engine.contiguous_format, engine.channels_last):
            x = engine.ones(2, 3, 4, 4, requires_grad=True)
            out = engine.nn.functional.interpolate(x, scale_factor=2, mode=mode)
            g = engine.ones_like(out, memory_format=last)
            out.backward(g)
            out.backward(g)  # nothing was saved, so nothing is freed
            strides.append(x.grad.stride())
            strides.append(engine.autograd.grad(out, x, g)[0].stride())
    assert strides[:4] == strides[4:]
