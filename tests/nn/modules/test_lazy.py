"""Lazy layers take their sizes from the first input."""

import pytest

import flambeau as torch


def test_a_lazy_layer_becomes_the_plain_one_without_a_warning():
    layer = torch.nn.LazyLinear(3)
    assert layer(torch.ones(2, 5)).shape == (2, 3)
    assert type(layer) is torch.nn.Linear and layer.in_features == 5


@pytest.mark.parametrize(
    "use",
    [
        lambda of, p: of.empty_like(p),
        lambda of, p: p.clone(),
        lambda of, p: p.detach(),
        lambda of, p: p + p,
    ],
)
def test_a_lazy_parameter_has_no_values_to_use(oracle, use):
    for of in (oracle, torch):
        with pytest.raises(ValueError, match="uninitialized"):
            use(of, of.nn.UninitializedParameter())
