"""Gradients fit what they belong to."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.fit import fit, plus

NODE = torch.ones(2, requires_grad=True).exp()._edge


def test_a_broadcast_gradient_is_summed_and_cast():
    found = fit(NODE, np.ones((3, 2)), (2,), np.dtype("f4"))
    assert found.dtype == np.float32 and found.tolist() == [3, 3]
    assert fit(NODE, np.float64(2), (), np.dtype("f8")).shape == ()


def test_a_shape_that_does_not_sum_is_refused():
    with pytest.raises(RuntimeError, match="invalid gradient"):
        fit(NODE, np.ones((3,)), (2,), np.dtype("f4"))


def test_the_sum_of_two_scalars_stays_an_array():
    assert type(plus(np.ones(()), np.ones(()))) is np.ndarray
