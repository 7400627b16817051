"""Calls into other processes: not available, and the call says so."""

from __future__ import annotations

import pytest

from flambeau.distributed import rpc


@pytest.mark.parametrize("name", ["init_rpc", "rpc_sync", "RRef", "WorkerInfo"])
def test_calls_say_what_to_do_instead(name):
    assert not rpc.is_available()
    with pytest.raises(RuntimeError, match="all_gather_object"):
        getattr(rpc, name)("worker")
