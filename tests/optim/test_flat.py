"""Parameters updated side by side look as if each had been updated alone."""

import pytest

import flambeau as torch


@pytest.mark.parametrize("count", [1, 2], ids=["alone", "together"])
def test_a_step_between_forward_and_backward_is_noticed(count):
    params = [torch.nn.Parameter(torch.ones(3)) for _ in range(count)]
    optimizer = torch.optim.Adam(params)
    for p in params:
        p.grad = torch.ones(3)
    loss = (params[0] * torch.ones(3, requires_grad=True)).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()
