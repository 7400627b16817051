"""`rendezvous`: how processes that know an address, a file or their environment find their store,
their rank and their number."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

from flambeau.distributed.store import DEFAULT, FileStore, Store, TCPStore

__all__ = ["register_rendezvous_handler", "rendezvous"]

Meeting = Iterator[tuple[Store, int, int]]
_handlers: dict[str, Callable[..., Meeting]] = {}


def register_rendezvous_handler(scheme: str, handler: Callable[..., Meeting]) -> None:
    """Let addresses of another scheme be met at.

    Args:
        handler: from the address to (store, rank, world size), yielded.

    Raises:
        RuntimeError: the scheme has one.
    """
    if scheme in _handlers:
        raise RuntimeError(f"Rendezvous handler for {scheme}:// already registered")
    _handlers[scheme] = handler


def rendezvous(url: str, rank: int = -1, world_size: int = -1, **kwargs: Any) -> Meeting:
    """Yield (store, rank, world size) of an address: ``env://``, ``tcp://host:port``,
    ``file:///path``.

    Raises:
        RuntimeError: the scheme is unknown. ValueError: rank or number are missing.
    """
    if not isinstance(url, (str, bytes)):
        raise RuntimeError(f"`url` must be a string. {type(url)}: {url}")
    scheme = urlparse(str(url)).scheme
    if scheme not in _handlers:
        raise RuntimeError(f"No rendezvous handler for {scheme}://")
    return _handlers[scheme](str(url), rank, world_size, **kwargs)


def _numbers(url: str, rank: int, world_size: int) -> tuple[int, int]:
    query = parse_qs(urlparse(url).query)
    found = {"rank": rank, "world_size": world_size}
    for name, value in found.items():
        if value == -1 and name in query:
            found[name] = int(query[name][0])
    return found["rank"], found["world_size"]


def _missing(scheme: str, what: str) -> ValueError:
    return ValueError(f"Error initializing torch.distributed using {scheme}:// rendezvous: {what}")


def _env(
    url: str, rank: int = -1, world_size: int = -1, timeout: timedelta = DEFAULT, **_: Any
) -> Meeting:
    rank, world_size = _numbers(url, rank, world_size)

    def variable(name: str) -> str:
        found = os.environ.get(name)
        if found is None:
            raise _missing("env", f"environment variable {name} expected, but not set")
        return found

    rank = int(variable("RANK")) if rank == -1 else rank
    world_size = int(variable("WORLD_SIZE")) if world_size == -1 else world_size
    host, port = variable("MASTER_ADDR"), int(variable("MASTER_PORT"))
    yield TCPStore(host, port, world_size, rank == 0, timeout), rank, world_size


def _tcp(
    url: str, rank: int = -1, world_size: int = -1, timeout: timedelta = DEFAULT, **_: Any
) -> Meeting:
    rank, world_size = _numbers(url, rank, world_size)
    parts = urlparse(url)
    if parts.port is None:
        raise _missing("tcp", "port number missing")
    if rank == -1:
        raise _missing("tcp", "rank parameter missing")
    if world_size == -1:
        raise _missing("tcp", "world size parameter missing")
    store = TCPStore(parts.hostname or "", parts.port, world_size, rank == 0, timeout)
    yield store, rank, world_size


def _file(url: str, rank: int = -1, world_size: int = -1, **_: Any) -> Meeting:
    rank, world_size = _numbers(url, rank, world_size)
    path = urlparse(url).path
    if not path:
        raise _missing("file", "path missing")
    if rank == -1:
        raise _missing("file", "rank parameter missing")
    if world_size == -1:
        raise _missing("file", "world size parameter missing")
    yield FileStore(path, world_size), rank, world_size


register_rendezvous_handler("env", _env)
register_rendezvous_handler("tcp", _tcp)
register_rendezvous_handler("file", _file)
