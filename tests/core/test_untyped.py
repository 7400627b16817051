"""Storages without data, and what storages are made of and asked for, against PyTorch."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import flambeau

pytestmark = pytest.mark.filterwarnings("ignore:.*TypedStorage is deprecated:UserWarning")


def _meta(of: Any) -> Any:
    return of.ones(3, device="meta").storage()


FORMS = {
    "meta of elements": lambda of: of.TypedStorage([1, 2], dtype=of.float32, device="meta"),
    "meta of a size": lambda of: of.TypedStorage(5, dtype=of.int64, device="meta"),
    "meta bytes": lambda of: of.UntypedStorage([1, 2, 3], device="meta"),
    "of a tensor": _meta,
    "address": lambda of: _meta(of).data_ptr(),
    "element": lambda of: _meta(of)[0],
    "elements": lambda of: _meta(of).tolist(),
    "byte": lambda of: _meta(of).untyped()[0],
    "cpu": lambda of: _meta(of).cpu(),
    "fill": lambda of: _meta(of).fill_(1),
    "set": lambda of: _meta(of).__setitem__(0, 1),
    "copy": lambda of: _meta(of).copy_(of.ones(3).storage()),
    "clone": lambda of: _meta(of).clone(),
    "cast": lambda of: _meta(of).double(),
    "share": lambda of: _meta(of).share_memory_(),
    "resize": lambda of: [x.resize_(5) or x for x in [_meta(of)]][0],
    "old name on meta": lambda of: of.FloatStorage(3, device="meta"),
    "old name with a dtype": lambda of: of.FloatStorage([1], dtype=of.int32),
    "old name of two": lambda of: of.FloatStorage(1, 2),
    "old name of a word": lambda of: of.FloatStorage("word"),
    "old name": lambda of: of.FloatStorage([1, 2]).tolist(),
    "old name on the cpu": lambda of: of.FloatStorage(2, device="cpu").tolist(),
    "a word as dtype": lambda of: of.TypedStorage(0, dtype="word"),
    "on a device that is not here": lambda of: of.TypedStorage(3, device="cuda"),
    "wrapped without dtype": lambda of: of.TypedStorage(wrap_storage=of.UntypedStorage(8)),
    "wrapped": lambda of: of.TypedStorage(
        wrap_storage=of.UntypedStorage(8), dtype=of.float32
    ).size(),
    "wrapped, on a device": lambda of: of.TypedStorage(
        wrap_storage=of.UntypedStorage(8), dtype=of.float32, device="cpu"
    ),
    "wrapped and elements": lambda of: of.TypedStorage(
        3, wrap_storage=of.UntypedStorage(8), dtype=of.float32
    ),
    "wrapped number": lambda of: of.TypedStorage(wrap_storage=1, dtype=of.float32),
    "at a word": lambda of: of.ones(3).storage()["word"],
    "set at a word": lambda of: of.ones(3).storage().__setitem__("word", 1),
    "set to a word": lambda of: of.ones(3).storage().__setitem__(0, "word"),
    "set to a list": lambda of: of.ones(3).storage().__setitem__(slice(0, 2), [1.0, 2.0]),
    "set a part": lambda of: [
        x.__setitem__(slice(0, 2), 7) or x.tolist() for x in [of.ones(3).storage()]
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_made_and_asked_as_in_pytorch(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        try:
            found = FORMS[form](of)
        except Exception as error:
            return type(error)
        if hasattr(found, "nbytes"):
            kind = str(getattr(found, "dtype", "bytes"))
            return found.nbytes(), found.size(), found.device.type, kind
        return found

    assert run(flambeau) == run(oracle)


def test_a_storage_says_how_large_it_is() -> None:
    few, many = (flambeau.ones(n).untyped_storage() for n in (0, 1000))
    assert sys.getsizeof(many) - sys.getsizeof(few) == 4000
