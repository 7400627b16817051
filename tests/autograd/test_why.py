"""Each reason for a missing gradient is told."""

from __future__ import annotations

import re

import pytest

import flambeau as torch


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda x: x * 2, r"not a leaf: MulBackward0 at .*test_why.py:\d+"),
        (lambda x: torch.tensor([1]), "its dtype is torch.int64"),
        (lambda x: (x * 2).detach(), "does not require a gradient"),
        (lambda x: x, "no backward has reached it"),
    ],
)
def test_reasons(make, reason):
    with_reason = make(torch.ones(2, requires_grad=True))
    assert re.search(reason, torch.why_no_grad(with_reason))


def test_no_reason_where_there_is_a_gradient():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    assert "no backward has reached it yet" in torch.why_no_grad(y)
    y.sum().backward()
    assert torch.why_no_grad(x) == torch.why_no_grad(y) == "it has a gradient."
