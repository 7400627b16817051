"""Ranges: what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch


def test_a_step_that_rounds_to_zero_is_a_value_error():
    with pytest.raises(ValueError, match="step must be nonzero"):
        torch.arange(0, 64, 0.5, dtype=torch.int64)


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize("steps", [3.0, True, "3"])
def test_the_number_of_points_is_an_integer(name, steps):
    with pytest.raises(TypeError, match="'steps' must be int, not"):
        getattr(torch, name)(0, 3, steps)
    assert len(getattr(torch, name)(0, 3, torch.tensor(3))) == 3


def test_linspace_is_bit_equal_in_float32(oracle):
    draw = np.random.default_rng(0)
    for _ in range(200):
        start, end = (float(v) for v in draw.normal(0, 10, 2))
        steps = int(draw.integers(2, 99))
        ours, theirs = (t.linspace(start, end, steps).numpy() for t in (torch, oracle))
        assert (ours == theirs).all(), (start, end, steps)


@pytest.mark.parametrize("name", ["linspace", "logspace"])
def test_complex_ends_want_a_complex_dtype(oracle, name):
    for engine in (torch, oracle):
        for dtype in (engine.float32, engine.int64):
            with pytest.raises(RuntimeError):
                getattr(engine, name)(0, 1j, 3, dtype=dtype)
