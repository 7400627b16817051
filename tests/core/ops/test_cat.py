"""Joining and cutting: values, shared memory, gradients, what may not be written."""

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck


def test_cat_promotes_and_skips_empty_vectors():
    a, b = flambeau.ones(2, 2), flambeau.zeros(1, 2, dtype=flambeau.float64)
    joined = flambeau.cat([a, flambeau.empty(0), b])
    assert joined.dtype is flambeau.float64
    assert joined.tolist() == [[1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "join",
    [
        flambeau.cat,
        flambeau.stack,
        flambeau.hstack,
        flambeau.vstack,
        flambeau.dstack,
        flambeau.column_stack,
    ],
)
def test_gradients_of_joins(join):
    parts = [flambeau.randn(2, 3, dtype=flambeau.float64, requires_grad=True) for _ in range(3)]
    assert gradcheck(lambda *parts: join(parts), parts)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: flambeau.cat([]), ValueError, "non-empty list"),
        (
            lambda: flambeau.cat([flambeau.ones(2, 2), flambeau.ones(2, 3)]),
            RuntimeError,
            "Sizes of tensors must match",
        ),
        (lambda: flambeau.cat([flambeau.tensor(1.0)]), RuntimeError, "zero-dimensional"),
        (lambda: flambeau.stack([flambeau.ones(2), flambeau.ones(3)]), RuntimeError, "equal size"),
    ],
)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_meshgrid_orders():
    a, b = flambeau.arange(3), flambeau.arange(2)
    assert [g.shape for g in flambeau.meshgrid(a, b, indexing="ij")] == [(3, 2)] * 2
    first, second = flambeau.meshgrid(a, b, indexing="xy")
    assert first.tolist() == [[0, 1, 2]] * 2
    assert second.tolist() == [[0] * 3, [1] * 3]


def test_broadcast_shapes_takes_tuples_and_ints():
    found = flambeau.broadcast_shapes((2, 1), 3, (1,))
    assert type(found) is flambeau.Size and tuple(found) == (2, 3)
    with pytest.raises(RuntimeError, match="broadcast"):
        flambeau.broadcast_shapes((2,), (3,))


def test_none_is_no_tensor():
    x = flambeau.zeros(2)
    for function in (flambeau.cat, flambeau.stack):
        with pytest.raises(TypeError, match="element 1"):
            function((x, None))
