"""Writes through `.data`, which PyTorch does not notice."""

import pytest

import flambeau as torch


def squared():
    x = torch.ones(2, requires_grad=True)
    h = x * 1
    y = (h * h).sum()
    h.data.fill_(0)
    return x, h, y


def test_a_silent_write_is_an_error(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    _, h, y = squared()
    assert h._version == 0
    with pytest.raises(
        RuntimeError,
        match=r"overwritten through .data at test_alias.py:\d+ \(`h.data.fill_\(0\)`\)",
    ):
        y.backward()


def test_it_warns_or_passes(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "warn")
    _, _, y = squared()
    with pytest.warns(UserWarning, match="without a word"):
        y.backward()
    monkeypatch.setenv("FLAMBEAU_ALIAS", "off")
    x, _, y = squared()
    y.backward()
    assert x.grad.tolist() == [0, 0]
