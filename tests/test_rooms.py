"""Rooms that only give PyTorch's names to what stands elsewhere."""

from __future__ import annotations

import pytest

import flambeau


@pytest.mark.names
@pytest.mark.parametrize(
    "room", ["functional", "storage", "torch_version", "futures", "__future__", "__config__"]
)
def test_every_name_is_there(oracle, room):
    ours, theirs = getattr(flambeau, room), getattr(oracle, room)
    expected = getattr(theirs, "__all__", None) or [n for n in vars(theirs) if n[0] != "_"]
    missing = [n for n in expected if not hasattr(ours, n) and callable(getattr(theirs, n))]
    assert missing == []


def test_return_types(oracle):
    theirs, ours = (
        # PyTorch adds private ones as they are first made.
        {
            c.__name__: c.__match_args__
            for c in engine.return_types.all_return_types
            if c.__name__[0] != "_"
        }
        for engine in (oracle, flambeau)
    )
    # Other tests may have made more of ours.
    assert {name: ours.get(name) for name in theirs} == theirs
    assert isinstance(flambeau.ones(2).max(0), flambeau.return_types.max)


def test_conversions_overwrite_where_asked(oracle):
    for library in (flambeau, oracle):
        future = library.__future__
        assert future.get_overwrite_module_params_on_conversion() is False
        layer = library.nn.Linear(1, 1)
        kept = layer.weight
        assert layer.double().weight is kept
        future.set_overwrite_module_params_on_conversion(True)
        try:
            assert layer.float().weight is not kept
        finally:
            future.set_overwrite_module_params_on_conversion(False)


def test_config_speaks_of_this_build():
    assert "NumPy" in flambeau.__config__.show()
    assert f"threads: {flambeau.get_num_threads()}" in flambeau.__config__.parallel_info()
