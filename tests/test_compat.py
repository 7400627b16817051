"""Strictness and warnings that are said once."""

from __future__ import annotations

import warnings

import pytest

from flambeau import compat


def test_legacy_forms_warn_or_are_refused():
    with pytest.warns(compat.LegacyWarning, match="Use view instead") as caught:
        compat.warn_legacy("reshape", "a list of strings", "view")
    assert caught[0].filename == __file__
    with compat.strict(), pytest.raises(TypeError, match="no longer accepted"):
        assert compat.is_strict()
        compat.warn_legacy("reshape", "a list of strings", "view")
    assert not compat.is_strict()


def test_once(monkeypatch):
    monkeypatch.setattr(compat, "_said", set())
    with pytest.warns(UserWarning, match="only once") as caught:
        compat.warn_once("only once")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compat.warn_once("only once")
