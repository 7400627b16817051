"""Tensors filled, bounded, resized and given other memory."""

from typing import Any

import pytest

import flambeau


def test_fill_and_zero():
    x = flambeau.ones(2, requires_grad=True) * 1
    assert x.fill_(3).tolist() == [3, 3]
    assert x.grad_fn.name() == "FillBackward2"
    assert x.zero_().grad_fn.name() == "ZeroBackward0"
    with pytest.raises(RuntimeError, match="without overflow"):
        flambeau.zeros(2, dtype=flambeau.int8).fill_(300)
    with pytest.raises(RuntimeError, match="0-dimension value"):
        x.fill_(flambeau.ones(2))


def test_renorm_bounds_the_norm_of_slices():
    x = flambeau.ones(2, 4) * flambeau.tensor([[1.0], [0.1]])
    norms = (x.renorm(2, 0, 1) ** 2).sum(1)
    assert abs(norms - flambeau.tensor([1.0, 0.04])).max().item() < 1e-6


def test_resize_keeps_the_first_elements():
    x = flambeau.arange(4.0)
    assert x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert x.resize_(3, 3).shape == (3, 3)
    assert x.reshape(-1)[:4].tolist() == [0, 1, 2, 3]


def test_set_shows_another_tensors_memory():
    x, y = flambeau.zeros(2), flambeau.ones(3)
    x.set_(y)
    y[0] = 5
    assert x.tolist() == [5, 1, 1]


def test_fill_diagonal():
    x = flambeau.zeros(3, 2)
    assert x.fill_diagonal_(1).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert flambeau.zeros(5, 2).fill_diagonal_(1, wrap=True)[3].tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["bool", "uint8", "int32", "int64", "float32", "float16"])
@pytest.mark.parametrize("value", [True, False, 1, 0, 5, 2.5])
def test_any_number_into_any_dtype(kind, value, oracle):
    found = []
    for t in (flambeau, oracle):
        x = t.zeros(2, 2, dtype=getattr(t, kind))
        x[0].fill_(value)
        found.append((x.tolist(), x.t().fill_(value).tolist(), str(x.dtype)))
    assert found[0] == found[1]


def _template(of: Any) -> Any:
    return of.ones(2, 3, 4, 5).to(memory_format=of.channels_last)


RESIZES = {
    "a format of the same shape": lambda of: of.ones(2, 3, 4, 5).resize_(
        2, 3, 4, 5, memory_format=of.channels_last
    ),
    "back to contiguous": lambda of: _template(of).resize_(
        2, 3, 4, 5, memory_format=of.contiguous_format
    ),
    "no format": lambda of: _template(of).resize_(2, 3, 4, 5),
    "preserve": lambda of: of.ones(3).resize_(2, memory_format=of.preserve_format),
    "too large": lambda of: of.ones(0).resize_(8, 2**29, 2**29),
    "as, contiguous": lambda of: of.ones(3).resize_as_(_template(of)),
    "as, preserve": lambda of: of.ones(3).resize_as_(
        _template(of), memory_format=of.preserve_format
    ),
    "as, preserve, of the same shape": lambda of: of.ones(2, 3, 4, 5).resize_as_(
        _template(of), memory_format=of.preserve_format
    ),
    "set to a storage": lambda of: of.ones(3).set_(of.ones(4).storage()),
    "set to another dtype's": lambda of: of.ones(3).set_(of.ones(4).double().storage()),
    "set to a part of another dtype's": lambda of: of.ones(3).set_(
        of.ones(4).double().storage(), 0, (1,), (1,)
    ),
    "set to bytes": lambda of: of.ones(3).set_(of.ones(4).double().untyped_storage()),
}


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("form", RESIZES)
def test_geometry_of_what_is_resized_or_set(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        try:
            x = RESIZES[form](of)
        except RuntimeError:
            return RuntimeError
        return tuple(x.shape), x.stride()

    assert run(flambeau) == run(oracle)


def test_a_leaf_of_another_shape_gets_a_gradient_of_that_shape(oracle):
    def seen(lib):
        p = lib.nn.Parameter(lib.ones(4))
        for _ in range(2):
            with lib.no_grad():
                p.set_(p[1:])
            p.grad = None
            lib.cat((p, p)).sum().backward()
        return p.grad.tolist()

    assert seen(flambeau) == seen(oracle)
