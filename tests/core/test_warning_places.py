"""A warning points at the line of the user's program that called, however deep it was given."""

from __future__ import annotations

import warnings

import pytest

import flambeau as torch
import flambeau.nn as nn
import flambeau.nn.functional as F
from flambeau.compat import forget

x = torch.ones(2, 3, 4)
CALLS = {
    "softmax": lambda: F.softmax(x),
    "Softmax": lambda: nn.Softmax()(x),
    "dropout2d": lambda: F.dropout2d(x),
    "Dropout2d": lambda: nn.Dropout2d()(x),
    "mse_loss": lambda: F.mse_loss(x, torch.zeros(4)),
    "MSELoss": lambda: nn.MSELoss()(x, torch.zeros(4)),
    "size_average": lambda: nn.L1Loss(size_average=True),
    "meshgrid": lambda: torch.meshgrid(x[0, 0], x[0, 0]),
    "T": lambda: x.T,
    "LSTM": lambda: nn.LSTM(2, 2, dropout=0.5),
    "empty": lambda: nn.Linear(0, 2),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_users_line(name):
    forget()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name]()
    line = CALLS[name].__code__.co_firstlineno
    assert [(w.filename, w.lineno) for w in caught] == [(__file__, line)]
