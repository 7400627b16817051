"""Version strings compare as versions."""

from __future__ import annotations

import pytest

from flambeau.version import TorchVersion

V = TorchVersion("2.13.0+flambeau")


@pytest.mark.parametrize(
    "other", ["2.9", "2.13.0.dev1", "2.13.0a0", (2, 4), (2, 12, 9), "1.13.1+cu117"]
)
def test_later_than(other):
    assert V > other and V >= other and V != other and not other == V and not V < other


@pytest.mark.parametrize("other", ["2.14", "3", (2, 14), "2.13.1", "10.0"])
def test_earlier_than(other):
    assert V < other and V <= other and not V > other and V != other


def test_equal_and_a_string():
    assert TorchVersion("2.13.0") == "2.13" and TorchVersion("2.13.0") == (2, 13)
    assert V == "2.13.0+flambeau" and V.split("+")[0] == "2.13.0" and V.startswith("2.13")
    assert {V: 1}["2.13.0+flambeau"] == 1 and str(V) == "2.13.0+flambeau"
    assert not V == "not a version" and V != "not a version"
