"""Parameters updated side by side look as if each had been updated alone."""

import pytest

import flambeau as torch
from flambeau.core.kernels.jit import build
from flambeau.optim import flat


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


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.1),
    ],
    ids=["sgd", "adam"],
)
def test_channels_last_is_updated_where_it_lies(make, monkeypatch):
    """The same numbers as with planes side by side, by the generated update, without copies."""
    done = []
    update = flat.update
    monkeypatch.setattr(flat, "update", lambda *given: done.append(update(*given)) or done[-1])
    torch.manual_seed(0)
    start, grads = torch.randn(5, 4, 3, 3), [torch.randn(5, 4, 3, 3) for _ in range(3)]
    found = []
    for format in (torch.contiguous_format, torch.channels_last):
        p = torch.nn.Parameter(start.clone(memory_format=format))
        optimizer = make([p])
        for g in grads:
            p.grad = g.clone(memory_format=format)
            done.clear()
            optimizer.step()
        found.append(p)
    assert done == [True] or not build.available()
    assert found[1].stride() == (36, 1, 12, 4)
    assert torch.equal(*found)
