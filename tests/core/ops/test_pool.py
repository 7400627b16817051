"""Pooling as an operation: gradients of every order, and no tracking where none is wanted."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau
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


def told(call):
    """The shapes of what a call gives, or the type of what it raises."""
    try:
        found = call()
    except Exception as error:
        return type(error).__name__
    return [tuple(each.shape) for each in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (kind, count)
        for kind in ("adaptive_avg", "adaptive_max", "fractional_max", "max", "avg")
        for count in (1, 2, 3)
        if kind != "fractional_max" or count > 1
    ],
)
def test_empty_inputs_are_pooled_where_pytorch_pools_them(oracle, kind, count):
    shapes = [(1, 0), (0, 2), (0, 0), (0,), (2,)]
    places = [(6, 7, 8)[:count], (0, 7, 8)[:count]]
    for shape in [(*lead, *place) for lead in shapes for place in places]:
        for size in (2, 0):

            def run(of, shape=shape, size=size):
                pool = getattr(of.nn.functional, f"{kind}_pool{count}d")
                if kind == "fractional_max":
                    return pool(of.ones(shape), 2, output_size=size)
                if "adaptive" in kind:
                    return pool(of.ones(shape), size)
                return pool(of.ones(shape), 2)

            ours, theirs = (told(lambda of=of: run(of)) for of in (flambeau, oracle))
            assert ours == theirs, (shape, size)


@pytest.mark.parametrize("size", [[], [2], [2, 2], (1, 2, 3), 2])
def test_fractional_sizes_are_one_or_as_many_as_axes(oracle, size):
    for settings in (
        {"kernel_size": size, "output_size": 3},
        {"kernel_size": 2, "output_size": size},
    ):

        def run(of, settings=settings):
            return of.nn.functional.fractional_max_pool2d(of.ones(1, 2, 6, 6), **settings)

        assert told(lambda: run(flambeau)) == told(lambda: run(oracle))


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 2), (1, 2, 2), (2, 1, 2), (2, 2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_of_fractional_pools(oracle, shape, dtype):
    def run(of):
        samples = of.zeros(shape, dtype=getattr(of, dtype))
        pool = of.nn.functional.fractional_max_pool2d
        return pool(of.ones(2, 2, 6, 6), 2, output_size=3, _random_samples=samples)

    assert told(lambda: run(flambeau)) == told(lambda: run(oracle))
