"""GradScaler: grows, shrinks, skips; does nothing when disabled."""

import pytest

import flambeau as torch


def loop(scaler, bad=None):
    w = torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([w], lr=1.0)
    for k in range(3):
        o.zero_grad()
        scaler.scale(w.sum() * 1.0).backward()
        if k == bad:
            w.grad.fill_(float("inf"))
        scaler.unscale_(o)
        scaler.step(o)
        scaler.update()
    return w.item()


def test_scale_follows_the_gradients():
    s = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
    assert loop(s) == -2 and s.get_scale() == 8
    s = torch.amp.GradScaler("cpu", init_scale=4.0)
    assert loop(s, bad=1) == -1 and s.get_scale() == 2
    fresh = torch.amp.GradScaler("cpu")
    fresh.load_state_dict(s.state_dict())
    assert fresh.get_scale() == 2


def test_disabled_steps_plainly():
    with pytest.warns(UserWarning, match="Disabling"):
        s = torch.amp.GradScaler()
    assert not s.is_enabled() and loop(s) == -2 and s.get_scale() == 1 and s.state_dict() == {}


def test_order_of_calls():
    w = torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([w], lr=1.0)
    s = torch.amp.GradScaler("cpu")
    s.scale(w.sum()).backward()
    s.unscale_(o)
    with pytest.raises(RuntimeError, match="already been called"):
        s.unscale_(o)
    s.step(o)
    with pytest.raises(RuntimeError, match="since the last update"):
        s.step(o)
