"""Lazy layers take their sizes from the first input."""

import flambeau as torch


def test_a_lazy_layer_becomes_the_plain_one_without_a_warning():
    layer = torch.nn.LazyLinear(3)
    assert layer(torch.ones(2, 5)).shape == (2, 3)
    assert type(layer) is torch.nn.Linear and layer.in_features == 5
