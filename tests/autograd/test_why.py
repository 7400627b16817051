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


CUTS = {
    "detach": lambda w, x: (w * x).detach() + x,
    "no_grad": lambda w, x: torch.no_grad()(lambda: w * x)() + x,
    "argmax": lambda w, x: torch.stack([w * x, x]).argmax(0).float(),
    "gt": lambda w, x: (w * x > 0).float() * x,
    "to": lambda w, x: (w * x).long() * x,
    ".data": lambda w, x: w.data * x,
}


@pytest.mark.parametrize("cut", CUTS)
def test_the_line_that_cuts_the_path_is_named(cut):
    w, x = torch.ones(2, requires_grad=True), torch.ones(2)
    told = torch.why_no_grad(w, lambda: CUTS[cut](w, x).sum())
    assert re.search(rf"is cut by .*{re.escape(cut)}\b.* at test_why\.py:\d+ \(`", told), told
    assert w.grad is None and x.grad is None


def test_a_module_names_its_own_line():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)

        def forward(self, x):
            hidden = self.first(x).relu()
            return self.second(hidden.detach())  # here

    model, x = Net(), torch.ones(4, 2)
    told = torch.why_no_grad(model.first.weight, lambda: model(x).mean())
    assert "detach at test_why.py" in told and "# here" in told
    assert "leads back to it" in torch.why_no_grad(model.second.weight, lambda: model(x).mean())


def test_what_leaves_through_other_libraries_is_told():
    w = torch.ones(2, requires_grad=True)
    told = torch.why_no_grad(w, lambda: torch.from_numpy((w * 2).detach().numpy()).sum())
    assert "left the graph by detach at test_why.py" in told
    assert "not computed from it" in torch.why_no_grad(w, lambda: torch.ones(2).sum())


def test_the_line_that_cut_is_read_from_the_program():
    w = torch.ones(3, requires_grad=True)
    detached = (w * 2).detach()
    with torch.no_grad():
        under = w * 3
    copied = torch.tensor([1.0, 2.0])
    data = w.data
    assert re.search(
        r"by detach\(\) at test_why.py:\d+ \(`detached = \(w \* 2\).detach\(\)`\)",
        torch.why_no_grad(detached),
    )
    assert re.search(r"by no_grad\(\) at test_why.py:\d+", torch.why_no_grad(under))
    assert re.search(r"by .data at test_why.py:\d+", torch.why_no_grad(data))
    assert "made without requires_grad=True" in torch.why_no_grad(copied)


def test_a_copy_names_its_line():
    w = torch.ones(3, requires_grad=True)
    held = torch.autograd.Variable(w)
    assert held is not w
    copy = torch.as_tensor(w).detach()
    assert re.search(r"by detach\(\) at test_why.py:\d+ \(`copy = ", torch.why_no_grad(copy))
