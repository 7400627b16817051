"""Pooling as an operation: gradients of every order, and no tracking where none is wanted."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.autograd.gradcheck import gradcheck, gradgradcheck
from flambeau.core.declare import ops
from flambeau.core.ops import pooling
from flambeau.core.tensor import wrap


def drawn(*shape):
    return wrap(
        np.random.RandomState(0).permutation(np.prod(shape)).reshape(shape) / 7.0
    ).requires_grad_()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: pooling.maximum(2, x, 2),
        lambda x: pooling.maximum(2, x, 3, 2, 1, 1, True),
        lambda x: pooling.average(2, x, 3, 2, 1, True, False),
        lambda x: pooling.average(2, x, 2),
        lambda x: pooling.adaptive_average(2, x, (2, 3)),
        lambda x: pooling.adaptive_max(2, x, (2, 3)),
    ],
)
@pytest.mark.parametrize("shape", [(1, 2, 5, 4), (2, 4, 4)])
def test_gradients(function, shape):
    x = drawn(*shape)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_values_without_a_graph_are_the_same():
    x = drawn(1, 2, 6, 6)
    np.testing.assert_array_equal(
        pooling.maximum(2, x, 2)._array, pooling.maximum(2, x.detach(), 2)._array
    )


def test_unpooling_inverts_pooling():
    x = wrap(np.arange(16.0).reshape(1, 1, 4, 4))
    values, indices = pooling.maximum(2, x, 2, return_indices=True)
    back = pooling.unpool(2, values, indices, 2)
    assert back._array[0, 0, 1].tolist() == [0, 5, 0, 7]


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: ops.max_pool2d(x, 9), r"Given input size: \(1x4x4\).*too small"),
        (lambda x: ops.max_pool2d(x, 2, padding=2), "half of effective kernel size"),
        (lambda x: ops.max_pool2d(x, 2, stride=0), "stride should be greater than zero"),
        (lambda x: pooling.average(2, x, 2, divisor_override=0), "divisor"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call(wrap(np.zeros((1, 1, 4, 4))))
