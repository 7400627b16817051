"""Pruning against the oracle: every method, and every method after another."""

import importlib

import pytest

METHODS = [
    ("identity", {}),
    ("random_unstructured", {"amount": 0.3}),
    ("l1_unstructured", {"amount": 5}),
    ("random_structured", {"amount": 2, "dim": 0}),
    ("ln_structured", {"amount": 0.4, "n": 2, "dim": 1}),
]


def prune_of(torch):
    return importlib.import_module(f"{torch.__name__}.nn.utils.prune")


@pytest.mark.parametrize("second", [None, *METHODS], ids=str)
@pytest.mark.parametrize("first", METHODS, ids=str)
def test_methods(same, first, second):
    def program(torch):
        prune = prune_of(torch)
        module = torch.nn.Conv2d(4, 6, 3)
        seen = []
        for name, arguments in filter(None, (first, second)):
            getattr(prune, name)(module, "weight", **arguments)
            seen += [module.weight, module.weight_mask, sorted(module.state_dict())]
        seen += [prune.is_pruned(module), module(torch.ones(1, 4, 5, 5))]
        prune.remove(module, "weight")
        return [*seen, module.weight, sorted(module.state_dict()), prune.is_pruned(module)]

    same(program)


@pytest.mark.parametrize("amount", [2.0, -1, 20000, "half"])
def test_amounts(same, amount):
    same(
        lambda torch: prune_of(torch).random_unstructured(
            torch.nn.Linear(3, 3), "weight", amount=amount
        )
    )


def test_global(same):
    def program(torch):
        prune = prune_of(torch)
        a, b = torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)
        pairs = [(a, "weight"), (b, "weight")]
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.5)
        return [a.weight, b.weight, a.weight_mask]

    same(program)
