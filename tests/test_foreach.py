"""`torch._foreach_*` against PyTorch: every name, and the lists it refuses."""

import pytest

import flambeau
from flambeau.foreach import NAMES


def test_the_names_are_pytorch_s(oracle):
    assert list(NAMES) == sorted(n for n in dir(oracle) if n.startswith("_foreach_"))
    assert all(callable(getattr(flambeau, n)) for n in NAMES)


OPERANDS = {
    "add": [(1,), (2.0,), ("lists",), ([1.0, 2.0],)],
    "sub": [(1,), ("lists",)],
    "mul": [(2.5,), ("lists",), ([1.0, 2.0],), ("scalar",)],
    "div": [(2.5,), ("lists",)],
    "pow": [(2,), ("lists",), ([1.0, 2.0],)],
    "maximum": [(0.7,), ("lists",), ([0.5, 0.8],)],
    "minimum": [(0.7,), ("lists",)],
    "clamp_max": [(0.7,), ("lists",)],
    "clamp_min": [(0.7,), ("lists",)],
    "lerp": [("lists", 0.3), ("lists", [0.1, 0.2]), ("lists", "lists")],
    "addcmul": [("lists", "lists"), ("lists", "lists", 0.5), ("lists", "lists", [0.5, 2.0])],
    "addcdiv": [("lists", "lists"), ("lists", "lists", 0.5), ("lists", "lists", "scalars")],
    "copy": [("lists",)],
    "norm": [(), (1,)],
    "powsum": [(3,)],
    "mm": [],
}


def run(torch, name, operands):
    def lists(k):
        return [torch.arange(1.0, 4.0) / (4 + k), torch.arange(1.0, 3.0).view(1, 2) / (3 + k)]

    made = {"lists": lists(2), "scalar": torch.tensor(2.0), "scalars": torch.tensor([0.5, 2.0])}
    given = lists(0)
    found = getattr(torch, name)(given, *(made[o] if isinstance(o, str) else o for o in operands))
    assert (found is given) == name.endswith("_") and isinstance(found, (list, tuple))
    return [f.tolist() for f in found]


@pytest.mark.parametrize("name", [n for n in NAMES if n != "_foreach_mm"])
def test_each_gives_pytorch_s(name, oracle):
    for operands in OPERANDS.get(name.removeprefix("_foreach_").rstrip("_"), [()]):
        for got, want in zip(
            run(flambeau, name, operands), run(oracle, name, operands), strict=True
        ):
            assert flambeau.allclose(
                flambeau.tensor(got), flambeau.tensor(want), atol=1e-6, equal_nan=True
            ), (name, operands)


def test_a_number_to_powers_alpha_and_gradients():
    lists = [flambeau.ones(2, requires_grad=True), flambeau.zeros(1, requires_grad=True)]
    assert [t.tolist() for t in flambeau._foreach_pow(2.0, lists)] == [[2, 2], [1]]
    added = flambeau._foreach_add(lists, lists, alpha=2)
    assert [t.tolist() for t in added] == [[3, 3], [0]]
    added[0].sum().backward()
    assert lists[0].grad.tolist() == [3, 3]


def test_lists_that_do_not_fit():
    pair = [flambeau.ones(2), flambeau.ones(3)]
    with pytest.raises(RuntimeError, match="at least one"):
        flambeau._foreach_add([], 1)
    with pytest.raises(RuntimeError, match="same number"):
        flambeau._foreach_add(pair, [1.0])
    with pytest.raises(RuntimeError, match="0-d"):
        flambeau._foreach_mul(pair, flambeau.ones(2))
    with pytest.raises(TypeError, match="list of tensors"):
        flambeau._foreach_add_(flambeau.ones(2), 1)
    with pytest.raises(AttributeError, match="_foreach_zero"):
        _ = flambeau._foreach_zero
