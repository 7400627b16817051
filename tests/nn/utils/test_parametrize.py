"""Parametrizations, and weight and spectral norm in both forms, against the oracle."""

import copy

import pytest

LAYERS = {
    "linear": lambda torch: torch.nn.Linear(4, 3),
    "square": lambda torch: torch.nn.Linear(4, 4),
    "conv": lambda torch: torch.nn.Conv2d(4, 3, 3),
    "transposed": lambda torch: torch.nn.ConvTranspose2d(4, 3, 3),
}


def life(torch, apply, remove, layer, copies):
    """Apply, train two steps, copy, remove; what is there on the way. In double: singular vectors
    amplify rounding.
    """
    module = apply(torch)(LAYERS[layer](torch).double())
    seen = [sorted(module.state_dict()), repr(module), type(module).__name__]
    x = torch.randn(
        2, *((4,) if "near" in type(module).__name__ else (4, 6, 6)), dtype=torch.float64
    )
    module(x)
    y = module(x)
    (y * y).sum().backward()
    seen += [y, [p.grad for p in module.parameters()], list(module.state_dict().values())]
    if copies:
        seen.append(copy.deepcopy(module)(x))
    remove(torch)(module)
    return [*seen, module(x), list(module.state_dict().values()), repr(module)]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm", "orthogonal"])
def test_parametrizations(same, name, layer):
    same(
        lambda torch: life(
            torch,
            lambda torch: getattr(torch.nn.utils.parametrizations, name),
            lambda torch: lambda m: torch.nn.utils.parametrize.remove_parametrizations(m, "weight"),
            layer,
            copies=True,
        )
    )


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_older_forms(same, name, layer):
    same(
        lambda torch: life(
            torch,
            lambda torch: getattr(torch.nn.utils, name),
            lambda torch: getattr(torch.nn.utils, "remove_" + name),
            layer,
            copies=False,
        )
    )


def test_own_parametrization(same):
    def program(torch):
        parametrize = torch.nn.utils.parametrize

        class Symmetric(torch.nn.Module):
            def forward(self, x):
                return x.triu() + x.triu(1).transpose(-1, -2)

            def right_inverse(self, a):
                return a.triu()

        module, other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
        parametrize.register_parametrization(module, "weight", Symmetric())
        module.weight = torch.eye(3)
        with parametrize.cached():
            once = module.weight is module.weight
        parametrize.transfer_parametrizations_and_params(module, other)
        return [
            once,
            module.weight,
            other.weight,
            repr(module),
            sorted(module.state_dict()),
            parametrize.is_parametrized(module, "bias"),
            parametrize.type_before_parametrizations(module).__name__,
        ]

    same(program)


def test_refusals(same):
    def shrinks(torch):
        class First(torch.nn.Module):
            def forward(self, x):
                return x[0]

        module = torch.nn.Linear(3, 3)
        torch.nn.utils.parametrize.register_parametrization(module, "weight", First())

    def unknown(torch):
        module = torch.nn.Linear(3, 3)
        torch.nn.utils.parametrize.register_parametrization(module, "none", torch.nn.Identity())

    same(shrinks)
    same(unknown)
