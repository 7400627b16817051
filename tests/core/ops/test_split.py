"""Cutting: sizes, shared memory, gradients, what may not be written."""

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck


@pytest.mark.parametrize(
    ("cut", "shapes"),
    [
        (lambda x: x.split(2), [(2, 4), (2, 4), (1, 4)]),
        (lambda x: x.split([1, 4]), [(1, 4), (4, 4)]),
        (lambda x: x.chunk(2), [(3, 4), (2, 4)]),
        (lambda x: x.unbind(1), [(5,)] * 4),
        (lambda x: x.tensor_split(3), [(2, 4), (2, 4), (1, 4)]),
        (lambda x: x.hsplit([1]), [(5, 1), (5, 3)]),
    ],
)
def test_cuts_are_views_with_gradients(cut, shapes):
    x = flambeau.randn(5, 4, dtype=flambeau.float64, requires_grad=True)
    parts = cut(x)
    assert [tuple(p.shape) for p in parts] == shapes
    assert all(p._base is x for p in parts)
    assert gradcheck(lambda x: tuple(cut(x)), (x,))


@pytest.mark.parametrize("cut", [lambda x: x.split(1), lambda x: x.chunk(2), lambda x: x.unbind()])
def test_parts_of_several_views_may_not_be_written(cut):
    x = flambeau.ones(4, requires_grad=True) * 1
    with pytest.raises(RuntimeError, match="modified inplace"):
        cut(x)[0].mul_(2)
    cut(x.detach())[0].mul_(2)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: flambeau.ones(3).split([1, 1]), RuntimeError, "sum exactly to 3"),
        (lambda: flambeau.ones(3).chunk(0), RuntimeError, "greater than 0"),
        (lambda: flambeau.tensor(1.0).unbind(), IndexError, "no dimensions"),
    ],
)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(
    "cut",
    [
        lambda x: x.split(2), lambda x: x.split([1, 4], 1), lambda x: x.chunk(3, 1),
        lambda x: x.unbind(1), lambda x: x.tensor_split((1, 2)), lambda x: x.tensor_split(4, 1),
        lambda x: x.vsplit(2), lambda x: x.chunk(1), lambda x: x.hsplit((1, -1)),
    ],
)  # fmt: skip
def test_geometry_graph_and_gradients_are_pytorchs(oracle, cut):
    found = []
    for engine in (flambeau, oracle):
        x = engine.arange(20.0).reshape(5, 4).t().contiguous().requires_grad_()
        parts = cut(x)
        sum((part * (k + 1)).sum() for k, part in enumerate(parts) if k != 1).backward()
        shapes = [(tuple(p.shape), p.stride(), p.storage_offset()) for p in parts]
        names = [type(p.grad_fn).__name__ for p in parts]
        with engine.no_grad():
            quiet = [p.requires_grad for p in cut(x)]
        found.append((shapes, names, x.grad.tolist(), quiet))
    assert found[0] == found[1]
