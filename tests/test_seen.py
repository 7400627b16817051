"""`tests/seen.py` notes what tests read, and changes nothing else of a read."""

from __future__ import annotations

import types
import warnings

from tests.seen import Recorder


def test_a_warning_about_a_read_is_counted_from_its_reader():
    recorder = Recorder()
    watched = types.ModuleType("torch.room")

    def served(name):
        warnings.warn("old name", UserWarning, stacklevel=2)
        return name

    watched.__getattr__ = served
    watched.__class__ = recorder.module_type("torch")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert watched.thing == "thing"
    assert [warning.filename for warning in caught] == [__file__]
    assert recorder.names["torch"] == {"room.thing"}
