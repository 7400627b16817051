"""Streams of pickles as PyTorch wrote them before 1.6, those of Python 2 among them."""

from __future__ import annotations

import io
import pickle
import struct
from contextlib import nullcontext

import pytest

import flambeau as torch
from flambeau.serialization.saving import MAGIC_NUMBER, PROTOCOL_VERSION

SYSTEM = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"int": 4}}


class Reference:
    """Stands in a pickle for a storage."""

    def __init__(self, *pid):
        self.pid = pid


class Stream(pickle._Pickler):
    """Writes references as persistent ids; text as Python 2's bytes where that is asked for."""

    python2 = False

    def persistent_id(self, obj):
        return obj.pid if type(obj) is Reference else None

    def save_global(self, obj, name=None):
        self.write(b"ctorch\nFloatStorage\n" if obj is torch.FloatStorage else b"c" + obj)

    def save_text(self, obj):
        if self.python2:
            data = obj.encode()
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.save_str(obj)

    dispatch = {
        **pickle._Pickler.dispatch, str: save_text, type(torch.FloatStorage): save_global
    }  # fmt: skip


def stream(thing, keys, numbers, python2=False):
    file = io.BytesIO()
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, SYSTEM, thing, keys):
        writer = Stream(file, 2)
        writer.python2 = python2
        writer.dump(part)
    file.write(struct.pack(f"<q{len(numbers)}f", len(numbers), *numbers))
    file.seek(0)
    return file


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "bytes"])
def test_python_2_wrote_keys_as_bytes(oracle, weights_only, encoding):
    whole = Reference("storage", torch.FloatStorage, "k1", "cpu", 2, None)
    told = {"weights_only": weights_only, "encoding": encoding}
    for engine in (torch, oracle):
        file = stream(["a word", whole], ["k1"], [1.0, 2.0], python2=True)
        with pytest.warns(UserWarning, match="pickle_load_args") if weights_only else nullcontext():
            word, found = engine.load(file, **told)
        assert word == ("a word" if encoding == "utf-8" else b"a word")
        assert list(found) == [1.0, 2.0]


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("weights_only", [True, False])
def test_parts_of_a_storage_lie_where_they_lay(oracle, weights_only):
    parts = [
        Reference("storage", torch.FloatStorage, "k1", "cpu", 3, (f"v{k}", k, 3 - k))
        for k in range(3)
    ]
    for engine in (torch, oracle):
        file = stream(tuple(parts), ["k1"], [1.0, 2.0, 3.0])
        first, second, third = engine.load(file, weights_only=weights_only)
        assert [list(p) for p in (first, second, third)] == [[1, 2, 3], [2, 3], [3]]
        assert second.data_ptr() == first.data_ptr() + 4 == third.data_ptr() - 4
        assert (second.nbytes(), third.nbytes()) == (8, 4)
        second[1] = 7.0
        assert third[0] == first[2] == 7
